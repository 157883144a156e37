// LeaveGroup: v1 throttle time; v3 many members, static ones by their instance id too; v4 flexible; v5 reason.
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

constexpr std::int16_t kFirstVersionWithMembers = 3;

/// Earlier versions have one member, whose error is that of the answer.
void fit_to_version(LeaveGroupResponse& response, std::int16_t version) {
  if (version >= kFirstVersionWithMembers) return;
  if (response.error_code == 0 && !response.members.empty()) response.error_code = response.members.front().error_code;
  response.members.clear();
}

}  // namespace

asio::awaitable<LeaveGroupResponse> handle_leave_group(RequestContext& context, LeaveGroupRequest request) {
  LeaveGroupResponse response;
  if (context.api_version() < kFirstVersionWithMembers) {
    request.members.clear();
    request.members.emplace_back();
    request.members.back().member_id = std::move(request.member_id);
  }
  if (context.authorize(AclOperation::read, ResourceType::group, request.group_id)) {
    auto box = make_reply_box<LeaveGroupResponse>();
    context.broker().groups->leave_group(std::move(request), box->reply());
    std::optional<LeaveGroupResponse> reply = co_await await_reply(context, box);
    if (reply) response = std::move(*reply);
  } else {
    response.error_code = code_of(ErrorCode::group_authorization_failed);
  }
  fit_to_version(response, context.api_version());
  for (const auto& member : response.members) {
    if (member.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
