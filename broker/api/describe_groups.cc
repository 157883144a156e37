// DescribeGroups: v1 throttle time; v3 authorized operations; v4 instance ids (KIP-345); v5 flexible; v6 error message,
// and GROUP_ID_NOT_FOUND for a group that is not there.
#include <utility>

#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ErrorCode;

asio::awaitable<DescribeGroupsResponse> handle_describe_groups(RequestContext& context, DescribeGroupsRequest request) {
  constexpr std::int16_t kFirstVersionWithOperations = 3;
  DescribeGroupsResponse response;
  std::vector<DescribeGroupsResponse::DescribedGroup> described;
  for (const std::string& id : request.groups) {
    if (!context.authorize(AclOperation::describe, ResourceType::group, id)) {
      auto& refused = response.groups.emplace_back();
      refused.group_id = id;
      refused.error_code = code_of(ErrorCode::group_authorization_failed);
      continue;
    }
    described.push_back(context.broker().groups->describe_group(id, context.api_version()));
    const bool wants_operations =
        request.include_authorized_operations && context.api_version() >= kFirstVersionWithOperations;
    if (wants_operations && described.back().error_code == 0) {
      described.back().authorized_operations = authorized_operations(context, ResourceType::group, id);
    }
  }
  for (auto& one : described) response.groups.push_back(std::move(one));
  for (const auto& group : response.groups) {
    if (group.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
