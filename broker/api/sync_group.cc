// SyncGroup: v1 throttle time; v3 static members (KIP-345); v4 flexible; v5 protocol type and name, which must be
// there.
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {

using protocol::ErrorCode;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

asio::awaitable<SyncGroupResponse> handle_sync_group(RequestContext& context, SyncGroupRequest request) {
  constexpr std::int16_t kFirstVersionWithProtocol = 5;
  SyncGroupResponse response;
  const bool lacks_protocol =
      context.api_version() >= kFirstVersionWithProtocol && (!request.protocol_type || !request.protocol_name);
  if (lacks_protocol) {
    response.error_code = code_of(ErrorCode::inconsistent_group_protocol);
  } else if (!context.authorize(AclOperation::read, ResourceType::group, request.group_id)) {
    response.error_code = code_of(ErrorCode::group_authorization_failed);
  } else {
    auto box = make_reply_box<SyncGroupResponse>();
    context.broker().groups->sync_group(std::move(request), box->reply());
    std::optional<SyncGroupResponse> reply = co_await await_reply(context, box);
    if (reply) response = std::move(*reply);
  }
  co_return response;
}

}  // namespace barnabas::broker
