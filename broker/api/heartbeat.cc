// Heartbeat: v1 throttle time; v3 static members (KIP-345); v4 flexible.
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {

using protocol::ErrorCode;
using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;

asio::awaitable<HeartbeatResponse> handle_heartbeat(RequestContext& context, HeartbeatRequest request) {
  HeartbeatResponse response;
  if (context.authorize(AclOperation::read, ResourceType::group, request.group_id)) {
    auto box = make_reply_box<HeartbeatResponse>();
    context.broker().groups->heartbeat(std::move(request), box->reply());
    std::optional<HeartbeatResponse> reply = co_await await_reply(context, box);
    if (reply) response = std::move(*reply);
  } else {
    response.error_code = code_of(ErrorCode::group_authorization_failed);
  }
  co_return response;
}

}  // namespace barnabas::broker
