#include "client/producer/sticky_partitioner.h"

#include <algorithm>

namespace barnabas::client {

std::uint32_t StickyPartitioner::random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return static_cast<std::uint32_t>(random_ >> 32);
}

std::int32_t StickyPartitioner::next(std::int32_t partition_count, std::span<const std::int32_t> available) {
  if (!cumulative_.empty()) {
    const auto point = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(cumulative_.back()));
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), point);
    const std::int32_t partition = partitions_[static_cast<std::size_t>(found - cumulative_.begin())];
    if (partition < partition_count) return partition;
  }
  if (available.empty()) return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(partition_count));
  return available[random() % available.size()];
}

std::int32_t StickyPartitioner::choose(std::int32_t partition_count, std::span<const std::int32_t> available,
                                       std::size_t record_bytes, bool may_switch) {
  const bool full = produced_bytes_ >= batch_bytes_;
  const bool overdue = produced_bytes_ >= 2 * batch_bytes_;
  if (current_ < 0 || current_ >= partition_count || (full && may_switch) || overdue) {
    current_ = next(partition_count, available);
    produced_bytes_ = 0;
  }
  produced_bytes_ += record_bytes;
  return current_;
}

void StickyPartitioner::update_load(std::span<const std::int32_t> partitions,
                                    std::span<const std::int32_t> queue_lengths, std::int32_t total_partitions) {
  cumulative_.clear();
  if (partitions.empty() || total_partitions < 2) return;
  const auto [least, most] = std::minmax_element(queue_lengths.begin(), queue_lengths.end());
  const bool all_there = static_cast<std::int32_t>(partitions.size()) == total_partitions;
  if (*least == *most && all_there) return;
  partitions_.assign(partitions.begin(), partitions.end());
  std::int32_t sum = 0;
  for (const std::int32_t length : queue_lengths) {
    sum += *most + 1 - length;
    cumulative_.push_back(sum);
  }
}

}  // namespace barnabas::client
