// ListGroups: v1 throttle time; v3 flexible; v4 state filter, states; v5 type filter, types.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"

namespace barnabas::broker {

using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

asio::awaitable<ListGroupsResponse> handle_list_groups(RequestContext& context, ListGroupsRequest request) {
  ListGroupsResponse response = context.broker().groups->list_groups(request);
  if (!context.authorize(AclOperation::describe, ResourceType::cluster, "kafka-cluster")) {
    std::erase_if(response.groups, [&context](const auto& group) {
      return !context.authorize(AclOperation::describe, ResourceType::group, group.group_id);
    });
  }
  co_return response;
}

}  // namespace barnabas::broker
