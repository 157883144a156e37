#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/log/partition_log.h"
#include "common/bytes/uuid.h"
#include "common/protocol/errors.h"

namespace barnabas::partition {

/// Who a partition is.
struct PartitionId {
  Uuid topic_id;
  std::string topic;
  std::int32_t index = 0;

  std::string to_string() const { return topic + '-' + std::to_string(index); }
};

/// Told when a partition's log end, high watermark or leadership moved; called on the thread that moved it, without a
/// lock held, so it must only post.
using MoveListener = std::function<void(const Uuid& topic_id, std::int32_t partition)>;

/// ListOffsets' special timestamps.
namespace list_offsets {
inline constexpr std::int64_t kLatest = -1;
inline constexpr std::int64_t kEarliest = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;
inline constexpr std::int64_t kEarliestLocal = -4;
inline constexpr std::int64_t kLatestTiered = -5;
inline constexpr std::int64_t kEarliestPendingUpload = -6;
}  // namespace list_offsets

/// One partition that this broker leads (or follows, once there is replication): leadership around a log.
/// With one replica the high watermark is the log end as soon as an append is done.
/// Threads: any.
/// Source: Kafka's Partition.
class Partition {
 public:
  Partition(PartitionId id, std::shared_ptr<log::PartitionLog> log, MoveListener on_move);

  const PartitionId& id() const noexcept { return id_; }
  log::PartitionLog& log() noexcept { return *log_; }
  const log::PartitionLog& log() const noexcept { return *log_; }
  std::int32_t leader_epoch() const noexcept { return leader_epoch_.load(std::memory_order_acquire); }
  bool is_leader() const noexcept { return is_leader_.load(std::memory_order_acquire); }
  std::int32_t in_sync_replicas() const noexcept { return in_sync_replicas_.load(std::memory_order_acquire); }

  /// Takes over the leadership in this epoch. Errors: the log's.
  Result<void> become_leader(std::int32_t leader_epoch, std::int32_t in_sync_replicas);
  void become_follower(std::int32_t leader_epoch);
  /// The topic is gone, or the broker stops: everything fails with `why` from now on.
  void retire(protocol::ErrorCode why);

  /// Checks what a request says of the leader: not_leader_or_follower, fenced_leader_epoch (older than ours),
  /// unknown_leader_epoch (newer). An epoch of -1 is not checked.
  protocol::ErrorCode check_leader(std::int32_t current_leader_epoch) const noexcept;

  /// Appends one batch, stamped in place. `required_acks` of -1 asks for min.insync.replicas.
  /// Errors: as PartitionLog::append_as_leader; not_leader_or_follower, not_enough_replicas.
  log::AppendResult append(MutableBytesView batch, std::int16_t required_acks,
                           record::AppendOrigin origin = record::AppendOrigin::client);
  /// Whether all in-sync replicas have what is before `offset`.
  bool is_replicated(std::int64_t offset) const noexcept { return log_->high_watermark() >= offset; }

  /// For a consumer's fetch (`bound` by isolation level) or a replica's (log_end).
  Result<log::FetchSlice> read(std::int64_t offset, std::size_t max_bytes, bool min_one_batch,
                               log::ReadBound bound) const;
  /// ListOffsets: a timestamp in ms or one of list_offsets' specials; {-1, -1, -1} where nothing fits.
  Result<log::TimestampedOffset> list_offset(std::int64_t timestamp_ms, log::ReadBound latest_bound) const;
  log::EpochEndOffset end_offset_for_epoch(std::int32_t leader_epoch) const;
  /// DeleteRecords: -1 is the high watermark. Returns the new log start offset.
  Result<std::int64_t> delete_records_before(std::int64_t offset);

 private:
  friend class ReplicaManager;
  void moved() const;

  const PartitionId id_;
  const std::shared_ptr<log::PartitionLog> log_;
  const MoveListener on_move_;
  std::mutex leadership_mutex_;  // changes of leadership, one at a time
  std::atomic<std::int32_t> leader_epoch_{-1};
  std::atomic<std::int32_t> in_sync_replicas_{1};
  std::atomic<bool> is_leader_{false};
  std::atomic<protocol::ErrorCode> retired_{protocol::ErrorCode::none};
};

using PartitionPtr = std::shared_ptr<Partition>;

}  // namespace barnabas::partition
