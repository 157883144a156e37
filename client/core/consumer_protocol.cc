#include "client/core/consumer_protocol.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/messages/consumer_protocol_assignment.h"
#include "common/protocol/messages/consumer_protocol_subscription.h"

namespace barnabas::client {
namespace {

using protocol::ConsumerProtocolAssignment;
using protocol::ConsumerProtocolSubscription;

static_assert(ConsumerProtocolSubscription::kMaxVersion == kHighestConsumerProtocolVersion);
static_assert(ConsumerProtocolAssignment::kMaxVersion == kHighestConsumerProtocolVersion);

/// The version in front, then the message.
template <typename Message>
Result<Bytes> encode_with_version(const Message& message, std::int16_t version) {
  if (version < kLowestConsumerProtocolVersion || version > kHighestConsumerProtocolVersion) {
    return failure(Errc::invalid_argument, std::string(Message::kName) + " version " + std::to_string(version));
  }
  Writer out;
  out.int16(version);
  if (auto encoded = message.encode(out, version); !encoded) {
    return failure(Errc::invalid_argument, encoded.error().message());
  }
  return out.take();
}

template <typename Message>
Result<Message> decode_with_version(BytesView bytes) {
  Reader in(bytes);
  const std::int16_t version = in.int16();
  if (in.failed()) return failure(Errc::corrupt_data, std::string(Message::kName) + " without a version");
  if (version < kLowestConsumerProtocolVersion) {
    return failure(Errc::corrupt_data, std::string(Message::kName) + " version " + std::to_string(version));
  }
  auto message = Message::decode(in, std::min(version, kHighestConsumerProtocolVersion));
  if (!message) {
    return failure(Errc::corrupt_data,
                   std::string(Message::kName) + " version " + std::to_string(version) + " does not parse");
  }
  return message;
}

/// The partitions of messages that hold them by topic.
template <typename Topics>
std::vector<TopicPartition> flatten(Topics& topics) {
  std::vector<TopicPartition> partitions;
  std::size_t count = 0;
  for (const auto& topic : topics) count += topic.partitions.size();
  partitions.reserve(count);
  for (const auto& topic : topics) {
    for (const std::int32_t partition : topic.partitions) partitions.push_back({topic.topic, partition});
  }
  return partitions;
}

}  // namespace

Result<Bytes> encode_subscription(const MemberSubscription& subscription, std::int16_t version) {
  ConsumerProtocolSubscription message;
  message.topics = subscription.topics;
  std::sort(message.topics.begin(), message.topics.end());
  message.user_data = subscription.user_data;
  std::vector<TopicPartition> owned = subscription.owned_partitions;
  std::sort(owned.begin(), owned.end());
  for (auto& partition : owned) {
    if (message.owned_partitions.empty() || message.owned_partitions.back().topic != partition.topic) {
      message.owned_partitions.emplace_back().topic = std::move(partition.topic);
    }
    message.owned_partitions.back().partitions.push_back(partition.partition);
  }
  message.generation_id = subscription.generation_id.value_or(-1);
  message.rack_id = subscription.rack_id;
  return encode_with_version(message, version);
}

Result<MemberSubscription> decode_subscription(BytesView bytes) {
  auto message = decode_with_version<ConsumerProtocolSubscription>(bytes);
  if (!message) return failure(std::move(message.error()));
  MemberSubscription subscription;
  subscription.topics = std::move(message->topics);
  subscription.user_data = std::move(message->user_data);
  subscription.owned_partitions = flatten(message->owned_partitions);
  if (message->generation_id >= 0) subscription.generation_id = message->generation_id;
  if (message->rack_id && !message->rack_id->empty()) subscription.rack_id = std::move(message->rack_id);
  return subscription;
}

Result<Bytes> encode_assignment(const MemberAssignment& assignment, std::int16_t version) {
  ConsumerProtocolAssignment message;
  message.user_data = assignment.user_data;
  std::map<std::string_view, std::size_t> places;
  for (const auto& partition : assignment.partitions) {
    const auto [place, is_new] = places.emplace(partition.topic, message.assigned_partitions.size());
    if (is_new) message.assigned_partitions.emplace_back().topic = partition.topic;
    message.assigned_partitions[place->second].partitions.push_back(partition.partition);
  }
  return encode_with_version(message, version);
}

Result<MemberAssignment> decode_assignment(BytesView bytes) {
  auto message = decode_with_version<ConsumerProtocolAssignment>(bytes);
  if (!message) return failure(std::move(message.error()));
  return MemberAssignment{flatten(message->assigned_partitions), std::move(message->user_data)};
}

}  // namespace barnabas::client
