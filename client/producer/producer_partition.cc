#include <fmt/format.h>

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

Result<PartitionQueue*> ProducerImpl::choose_queue(TopicState& topic, const Record& record) {
  const std::lock_guard lock(topic.mutex);
  if (!refresh(topic)) return nullptr;
  const auto partition = choose_partition(topic, record);
  if (!partition) return failure(partition.error());
  if (*partition >= topic.metadata->partition_count()) return nullptr;
  return &sender_->accumulator().queue(topic, *partition);
}

Result<std::int32_t> ProducerImpl::choose_partition(TopicState& topic, const Record& record) {
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
  if (has_key) return murmur2_partition(record.key.bytes(), count);
  const std::size_t bytes = record.key.size() + record.value.size() + record::kBatchHeaderBytes / 2;
  const std::int32_t current = topic.sticky.current();
  const auto index = static_cast<std::size_t>(current);
  const bool may_switch = current < 0 || index >= topic.queues.size() ||
                          !topic.queues[index]->has_open_batch.load(std::memory_order_relaxed);
  return topic.sticky.choose(count, topic.available, bytes, may_switch);
}

}  // namespace barnabas::client
