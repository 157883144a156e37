#include "broker/api/partition_lookup.h"

#include "broker/metadata/controller_client.h"
#include "broker/partition/replica_manager.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;

/// A partition that should be led here and is not has a log that could not be opened.
ErrorCode why_missing(RequestContext& context, const std::shared_ptr<const metadata::TopicImage>& topic,
                      std::int32_t partition, ErrorCode no_topic) {
  if (!topic) return no_topic;
  const metadata::PartitionImage* known = topic->partition(partition);
  if (known == nullptr) return ErrorCode::unknown_topic_or_partition;
  return known->leader == context.broker().node_id ? ErrorCode::kafka_storage_error : ErrorCode::not_leader_or_follower;
}

bool is_allowed(RequestContext& context, const std::string& topic) {
  return context.authorize(context.operation(), ResourceType::topic, topic);
}

}  // namespace

FoundPartition find_partition(RequestContext& context, const std::string& topic, std::int32_t partition) {
  if (!is_allowed(context, topic)) return {nullptr, ErrorCode::topic_authorization_failed};
  if (auto found = context.broker().replicas->find(topic, partition)) return {std::move(found)};
  const metadata::ImagePtr image = context.broker().controller->image();
  return {nullptr, why_missing(context, image->topic(topic), partition, ErrorCode::unknown_topic_or_partition)};
}

FoundPartition find_partition(RequestContext& context, const Uuid& topic_id, std::int32_t partition) {
  if (auto found = context.broker().replicas->find(topic_id, partition)) {
    if (!is_allowed(context, found->id().topic)) return {nullptr, ErrorCode::topic_authorization_failed};
    return {std::move(found)};
  }
  const metadata::ImagePtr image = context.broker().controller->image();
  return {nullptr, why_missing(context, image->topic(topic_id), partition, ErrorCode::unknown_topic_id)};
}

std::optional<LeaderHint> leader_hint(RequestContext& context, ErrorCode error, const Uuid& topic_id,
                                      const std::string& topic, std::int32_t partition) {
  if (error != ErrorCode::not_leader_or_follower && error != ErrorCode::fenced_leader_epoch) return std::nullopt;
  const metadata::ImagePtr image = context.broker().controller->image();
  const auto known = topic_id.is_zero() ? image->topic(topic) : image->topic(topic_id);
  const metadata::PartitionImage* where = known ? known->partition(partition) : nullptr;
  if (where == nullptr || where->leader == metadata::kNoLeader) return std::nullopt;
  const metadata::BrokerImage* broker = image->broker(where->leader);
  const metadata::Endpoint* endpoint = broker == nullptr ? nullptr : broker->endpoint(context.listener().name);
  if (endpoint == nullptr) return std::nullopt;
  return LeaderHint{where->leader, where->leader_epoch, endpoint->host, endpoint->port, broker->rack};
}

}  // namespace barnabas::broker
