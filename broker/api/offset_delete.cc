// OffsetDelete: v0 only.
#include <algorithm>
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;

void add(OffsetDeleteResponse& response, const std::string& topic, std::int32_t partition, std::int16_t error) {
  auto found = std::find_if(response.topics.begin(), response.topics.end(),
                            [&topic](const auto& one) { return one.name == topic; });
  if (found == response.topics.end()) {
    found = response.topics.emplace(response.topics.end());
    found->name = topic;
  }
  auto& answer = found->partitions.emplace_back();
  answer.partition_index = partition;
  answer.error_code = error;
}

/// Takes out of the request what the cluster does not have, and says so.
OffsetDeleteResponse take_unknown(RequestContext& context, OffsetDeleteRequest& request) {
  OffsetDeleteResponse response;
  const metadata::ImagePtr image = context.broker().controller->image();
  for (auto& topic : request.topics) {
    const bool is_allowed = context.authorize(AclOperation::read, ResourceType::topic, topic.name);
    const auto known = is_allowed ? image->topic(topic.name) : nullptr;
    const ErrorCode error = is_allowed ? ErrorCode::unknown_topic_or_partition : ErrorCode::topic_authorization_failed;
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (known && known->partition(partition.partition_index) != nullptr) return false;
      add(response, topic.name, partition.partition_index, code_of(error));
      return true;
    });
  }
  std::erase_if(request.topics, [](const auto& topic) { return topic.partitions.empty(); });
  return response;
}

}  // namespace

asio::awaitable<OffsetDeleteResponse> handle_offset_delete(RequestContext& context, OffsetDeleteRequest request) {
  OffsetDeleteResponse response;
  if (!context.authorize(AclOperation::remove, ResourceType::group, request.group_id)) {
    response.error_code = code_of(ErrorCode::group_authorization_failed);
    co_return response;
  }
  response = take_unknown(context, request);
  auto box = make_reply_box<OffsetDeleteResponse>();
  context.broker().groups->delete_offsets(std::move(request), box->reply());
  std::optional<OffsetDeleteResponse> reply = co_await await_reply(context, box);
  if (!reply) co_return response;
  if (reply->error_code != 0) co_return std::move(*reply);
  for (const auto& topic : reply->topics) {
    for (const auto& partition : topic.partitions) {
      add(response, topic.name, partition.partition_index, partition.error_code);
    }
  }
  co_return response;
}

}  // namespace barnabas::broker
