#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace barnabas::client {

/// Where records without a key go: to one partition until a batch's worth of bytes went there, then to another by
/// chance. The chance follows the partitions' queues: the longer one is, the less often it is chosen (KIP-794).
/// Threads: the owner's lock.  Source: Kafka's BuiltInPartitioner.
class StickyPartitioner {
 public:
  StickyPartitioner(std::size_t batch_bytes, std::uint64_t seed) : batch_bytes_(batch_bytes), random_(seed | 1) {}

  /// The partition for a record of `record_bytes`. `may_switch`: the current partition has no open batch that a switch
  /// would leave half full; twice the batch's bytes make it switch anyway. `available` are the partitions with a
  /// leader.
  std::int32_t choose(std::int32_t partition_count, std::span<const std::int32_t> available, std::size_t record_bytes,
                      bool may_switch);
  /// Bytes that may still go to the current partition before choose() has to be asked again.
  std::size_t left_bytes() const noexcept {
    return produced_bytes_ < batch_bytes_ ? batch_bytes_ - produced_bytes_ : 0;
  }
  /// So many of them went there without choose().
  void spend(std::size_t bytes) noexcept { produced_bytes_ += bytes; }
  /// The current partition's batch is full: the turn ends, though not so early that a partition whose batch was nearly
  /// full when its turn began would get less than the others.
  void end_turn() noexcept {
    if (produced_bytes_ >= batch_bytes_ / 2) produced_bytes_ = std::max(produced_bytes_, batch_bytes_);
  }
  /// The partition that choose() would stay at; -1 at the start.
  std::int32_t current() const noexcept { return current_; }

  /// What the queues of these partitions hold now; `total_partitions` counts those left out too.
  void update_load(std::span<const std::int32_t> partitions, std::span<const std::int32_t> queue_lengths,
                   std::int32_t total_partitions);
  /// Without load every partition is as likely as the others.
  void forget_load() { cumulative_.clear(); }

 private:
  std::int32_t next(std::int32_t partition_count, std::span<const std::int32_t> available);
  std::uint32_t random();

  std::size_t batch_bytes_;
  std::uint64_t random_;
  std::int32_t current_ = -1;
  std::size_t produced_bytes_ = 0;
  std::vector<std::int32_t> partitions_;  // beside cumulative_
  std::vector<std::int32_t> cumulative_;  // of the weights; empty: all alike
};

}  // namespace barnabas::client
