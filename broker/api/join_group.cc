// JoinGroup: v1 rebalance timeout; v2 throttle time; v4 MEMBER_ID_REQUIRED (KIP-394); v5 static members (KIP-345); v6
// flexible; v7 protocol type in the answer; v8 reason; v9 assignment that may be skipped (KIP-814).
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

constexpr std::int16_t kFirstVersionWithRebalanceTimeout = 1;
constexpr std::int16_t kFirstVersionWithNullProtocol = 7;

/// Without a protocol the name is null where it may be, else empty.
void fit_to_version(JoinGroupResponse& response, std::int16_t version) {
  if (version >= kFirstVersionWithNullProtocol) {
    if (response.protocol_name && response.protocol_name->empty()) response.protocol_name.reset();
  } else if (!response.protocol_name) {
    response.protocol_name = "";
  }
}

}  // namespace

asio::awaitable<JoinGroupResponse> handle_join_group(RequestContext& context, JoinGroupRequest request) {
  JoinGroupResponse response;
  if (context.api_version() < kFirstVersionWithRebalanceTimeout) {
    request.rebalance_timeout_ms = request.session_timeout_ms;
  }
  if (context.authorize(AclOperation::read, ResourceType::group, request.group_id)) {
    auto box = make_reply_box<JoinGroupResponse>();
    context.broker().groups->join_group(origin_of(context), std::move(request), box->reply());
    std::optional<JoinGroupResponse> reply = co_await await_reply(context, box);
    if (reply) response = std::move(*reply);
  } else {
    response.error_code = code_of(ErrorCode::group_authorization_failed);
  }
  fit_to_version(response, context.api_version());
  co_return response;
}

}  // namespace barnabas::broker
