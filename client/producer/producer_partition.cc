#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/producer/partition_hash.h"
#include "client/producer/producer_impl.h"

/// Which partition a record goes to.
namespace barnabas::client {

/// Takes over what the cluster newly says of the topic; false while it is unknown. The topic's mutex is held.
bool ProducerImpl::refresh(TopicState& topic) {
  constexpr std::chrono::seconds kMostBetweenMentions{30};
  MetadataCache& cache = sender_->router().metadata();
  const std::uint64_t version = cache.version();
  if (topic.metadata && version == topic.metadata_version) return true;
  const runtime::MonotonicTime now = runtime_->now();
  const bool first = topic.wanted_at == runtime::MonotonicTime{};
  if (first || now - topic.wanted_at > kMostBetweenMentions) {
    cache.want_topic(topic.name, now);
    topic.wanted_at = now;
  }
  const auto snapshot = cache.snapshot();
  topic.metadata_version = snapshot->version;
  const auto found = snapshot->topics.find(topic.name);
  topic.metadata = found == snapshot->topics.end() || found->second->partitions.empty() ? nullptr : found->second;
  topic.available.clear();
  if (!topic.metadata) return false;
  for (const PartitionMetadata& partition : topic.metadata->partitions) {
    if (partition.leader >= 0) topic.available.push_back(partition.partition);
  }
  return true;
}

std::uint32_t ProducerImpl::random(TopicState& topic) const {
  topic.random ^= topic.random << 13;
  topic.random ^= topic.random >> 7;
  topic.random ^= topic.random << 17;
  return static_cast<std::uint32_t>(topic.random >> 32);
}

bool ProducerImpl::is_sticky(const Record& record) const {
  const ProducerConfig& config = sender_->config();
  return config.partitioner == PartitionerKind::sticky && !record.partition && !partitioner_ &&
         (record.key.is_null() || config.partitioner_ignores_keys);
}

/// Where the topic's unkeyed records go; nullptr where that is to be found out anew.
PartitionQueue* ProducerImpl::sticky_queue(const TopicState& topic) const {
  const bool stands = topic.sticky_version.load(std::memory_order_acquire) == sender_->router().metadata().version();
  return stands ? topic.sticky_queue.load(std::memory_order_acquire) : nullptr;
}

std::int32_t ProducerImpl::fixed_partition(const Record& record, std::int32_t partition_count) const {
  if (record.partition) return *record.partition;
  const ProducerConfig& config = sender_->config();
  const bool is_by_key = config.partitioner == PartitionerKind::sticky && !partitioner_ && !record.key.is_null() &&
                         !config.partitioner_ignores_keys;
  return is_by_key ? murmur2_partition(record.key.bytes(), partition_count) : -1;
}

/// nullptr where they are to be made anew.
const TopicState::Routes* ProducerImpl::routes_of(const TopicState& topic) const {
  const bool stand = topic.routes_version.load(std::memory_order_acquire) == sender_->router().metadata().version();
  return stand ? topic.routes.load(std::memory_order_acquire) : nullptr;
}

/// The topic's mutex is held.
void ProducerImpl::publish_routes(TopicState& topic) {
  const TopicState::Routes* const before = topic.routes.load(std::memory_order_relaxed);
  const auto count = static_cast<std::size_t>(topic.metadata->partition_count());
  if (before == nullptr || before->size() != count) {
    auto routes = std::make_unique<TopicState::Routes>();
    sender_->accumulator().queue(topic, topic.metadata->partition_count() - 1);
    for (std::size_t i = 0; i < count; ++i) routes->push_back(topic.queues[i].get());
    topic.routes.store(routes.get(), std::memory_order_release);
    topic.published.push_back(std::move(routes));
  }
  topic.routes_version.store(topic.metadata_version, std::memory_order_release);
}

Result<PartitionQueue*> ProducerImpl::choose_queue(Attempt& attempt) {
  TopicState& topic = *attempt.topic;
  const auto bytes = static_cast<std::int64_t>(attempt.payload_bytes + kRecordOverheadBytes);
  if (attempt.is_sticky) {  // without the lock, while the choice stands
    PartitionQueue* const queue = sticky_queue(topic);
    if (queue != nullptr && topic.sticky_left.fetch_sub(bytes, std::memory_order_relaxed) >= bytes) return queue;
  }
  const std::lock_guard lock(topic.mutex);
  if (!refresh(topic)) return nullptr;
  if (attempt.is_sticky) {
    const std::int32_t chosen = choose_sticky(topic, static_cast<std::size_t>(bytes));
    PartitionQueue& queue = sender_->accumulator().queue(topic, chosen);
    topic.sticky_queue.store(&queue, std::memory_order_release);
    topic.sticky_version.store(topic.metadata_version, std::memory_order_release);
    return &queue;
  }
  if (topic.routes_version.load(std::memory_order_relaxed) != topic.metadata_version) publish_routes(topic);
  const auto partition = choose_partition(attempt);
  if (!partition) return failure(partition.error());
  if (*partition >= topic.metadata->partition_count()) return nullptr;
  return &sender_->accumulator().queue(topic, *partition);
}

/// The topic's mutex is held.
std::int32_t ProducerImpl::choose_sticky(TopicState& topic, std::size_t record_bytes) {
  const std::int64_t left = std::max<std::int64_t>(topic.sticky_left.exchange(0, std::memory_order_relaxed), 0);
  topic.sticky.spend(static_cast<std::size_t>(std::exchange(topic.sticky_granted, 0) - left));
  const auto index = static_cast<std::size_t>(topic.sticky.current());
  const bool may_switch = topic.sticky.current() < 0 || index >= topic.queues.size() ||
                          topic.queues[index]->open_batch.load(std::memory_order_relaxed) == nullptr;
  const std::int32_t chosen =
      topic.sticky.choose(topic.metadata->partition_count(), topic.available, record_bytes, may_switch);
  topic.sticky_granted = static_cast<std::int64_t>(topic.sticky.left_bytes());
  topic.sticky_left.store(topic.sticky_granted, std::memory_order_relaxed);
  return chosen;
}

void ProducerImpl::end_sticky_turn(TopicState& topic, const PartitionQueue& queue) {
  const std::lock_guard lock(topic.mutex);
  if (topic.sticky.current() != queue.partition) return;  // another thread did
  const std::int64_t left = std::max<std::int64_t>(topic.sticky_left.exchange(0, std::memory_order_relaxed), 0);
  topic.sticky.spend(static_cast<std::size_t>(std::exchange(topic.sticky_granted, 0) - left));
  topic.sticky.end_turn();
}

/// Where the sticky choice has no say. The topic's mutex is held.
Result<std::int32_t> ProducerImpl::choose_partition(const Attempt& attempt) {
  TopicState& topic = *attempt.topic;
  const Record& record = attempt.record;
  const std::int32_t count = topic.metadata->partition_count();
  const ProducerConfig& config = sender_->config();
  if (record.partition) return *record.partition;
  if (partitioner_) {
    const std::int32_t chosen = partitioner_({record.topic, record.key, record.value, count, topic.available});
    if (chosen >= 0 && chosen < count) return chosen;
    return failure(
        Errc::invalid_argument,
        fmt::format("the partitioner chose partition {} for topic {} with {} partitions", chosen, topic.name, count));
  }
  const bool has_key = !record.key.is_null() && !config.partitioner_ignores_keys;
  switch (config.partitioner) {
    case PartitionerKind::round_robin: {
      if (topic.round_robin == 0) topic.round_robin = random(topic) >> 1;
      const std::uint32_t turn = topic.round_robin++;
      if (!topic.available.empty()) return topic.available[turn % topic.available.size()];
      return static_cast<std::int32_t>(turn % static_cast<std::uint32_t>(count));
    }
    case PartitionerKind::consistent_random:
      if (has_key && record.key.size() > 0) return crc32_partition(record.key.bytes(), count);
      return static_cast<std::int32_t>(random(topic) % static_cast<std::uint32_t>(count));
    case PartitionerKind::sticky:
      break;
  }
  return murmur2_partition(record.key.bytes(), count);
}

}  // namespace barnabas::client
