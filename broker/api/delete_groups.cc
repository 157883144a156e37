// DeleteGroups: v1 throttling in the client; v2 flexible.
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::ErrorCode;

asio::awaitable<DeleteGroupsResponse> handle_delete_groups(RequestContext& context, DeleteGroupsRequest request) {
  DeleteGroupsResponse response;
  group::GroupCoordinator& groups = *context.broker().groups;
  std::map<std::int32_t, std::vector<std::string>> by_partition;
  std::set<std::string> seen;
  std::vector<DeleteGroupsResponse::DeletableGroupResult> forbidden;
  for (std::string& id : request.groups_names) {
    if (!seen.insert(id).second) continue;
    if (context.authorize(AclOperation::remove, ResourceType::group, id)) {
      by_partition[groups.partition_for(id)].push_back(std::move(id));
      continue;
    }
    auto& refused = forbidden.emplace_back();
    refused.group_id = std::move(id);
    refused.error_code = code_of(ErrorCode::group_authorization_failed);
  }
  std::vector<std::shared_ptr<ReplyBox<DeleteGroupsResponse>>> boxes;
  for (auto& [partition, ids] : by_partition) {
    boxes.push_back(make_reply_box<DeleteGroupsResponse>());
    groups.delete_groups(partition, std::move(ids), boxes.back()->reply());
  }
  for (const auto& box : boxes) {
    std::optional<DeleteGroupsResponse> reply = co_await await_reply(context, box);
    if (!reply) co_return response;
    for (auto& result : reply->results) response.results.push_back(std::move(result));
  }
  for (auto& one : forbidden) response.results.push_back(std::move(one));
  for (const auto& result : response.results) {
    if (result.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
