#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/epoch_cache.h"
#include "broker/log/log_config.h"
#include "broker/log/producer_state.h"
#include "broker/log/segment.h"
#include "broker/log/transaction_index.h"
#include "common/record/validator.h"
#include "common/runtime/env.h"

namespace barnabas::log {

/// What an append did.
struct AppendInfo {
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;
  std::int64_t log_append_time_ms = record::kNoTimestamp;  ///< Only of topics with LogAppendTime.
  std::int64_t log_start_offset = 0;
  std::int64_t max_timestamp_ms = record::kNoTimestamp;
  std::int32_t record_count = 0;
  bool duplicate = false;  ///< Nothing was written: the offsets are those of the batch that is there already.
};

/// Kafka's error code for the partition with its text; record_errors where single records are at fault.
using AppendFailure = record::ValidationFailure;
using AppendResult = tl::expected<AppendInfo, AppendFailure>;

/// What a batch does to its producer's entry; nothing where it has no producer id. Markers are read from `batch`.
Result<std::optional<ProducerAppend>> producer_append_of(const record::BatchHeader& header, BytesView batch);

/// Where records can be read from: bytes of a file that stay readable while the slice lives, also when the segment is
/// deleted meanwhile. The last batch may be cut short, as Kafka's brokers cut it.
struct FetchSlice {
  std::shared_ptr<runtime::File> file;  ///< Null when there is nothing to read.
  std::uint64_t position = 0;
  std::size_t length = 0;           ///< Bytes.
  bool ends_segment = false;        ///< It is cut at a segment's end, and there is more to read behind it.
  std::int64_t high_watermark = 0;  ///< As they were at the lookup.
  std::int64_t last_stable_offset = 0;
  std::int64_t log_start_offset = 0;
  std::int64_t log_end_offset = 0;
  std::vector<AbortedTransaction> aborted;  ///< Only for ReadBound::last_stable_offset.

  /// The bytes themselves, for whoever cannot send the file.
  Result<Bytes> bytes() const;
};

/// How far a reader may see.
enum class ReadBound { log_end, high_watermark, last_stable_offset };

struct TimestampedOffset {
  std::int64_t timestamp_ms = record::kNoTimestamp;
  std::int64_t offset = -1;
  std::int32_t leader_epoch = record::kNoLeaderEpoch;
};

struct EpochEndOffset {
  std::int32_t leader_epoch = record::kNoLeaderEpoch;  ///< -1: the epoch asked for is not known.
  std::int64_t end_offset = -1;
};

/// What a log is opened with.
struct OpenOptions {
  std::string directory;        ///< "<data directory>/<topic>-<partition>"; made when absent.
  std::string topic_partition;  ///< "orders-3", for messages.
  LogConfig config;
  LogSettings settings;
  bool clean_shutdown = false;        ///< The data directory was closed properly: nothing is scanned.
  bool owns_directory = false;        ///< Nobody else makes the directory's name and its partition.metadata durable.
  std::int64_t recovery_point = 0;    ///< From recovery-point-offset-checkpoint.
  std::int64_t log_start_offset = 0;  ///< From log-start-offset-checkpoint.
  std::int64_t high_watermark = 0;    ///< From replication-offset-checkpoint.
};

/// One replica's log: segments in offset order with their indexes, the producers' state and the leader epochs.
/// Shape: docs/formats/segment.md; the directory is Kafka's.
/// Threads: any. Appends and truncations take one mutex; readers only copy a published view.
/// Errors: a write that meets a full disk is taken back and leaves the log as it was; any other failed write, and every
/// failed sync, marks the log offline: from then on all fails with kafka_storage_error.
/// Source: Kafka's UnifiedLog and LocalLog.
class PartitionLog {
 public:
  /// Opens or makes the log; recovers what lies behind the recovery point unless the shutdown was clean.
  static Result<std::unique_ptr<PartitionLog>> open(runtime::Env& env, OpenOptions options);
  ~PartitionLog();
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  /// Appends one batch: checks checksum, size, producer state and records, stamps offset and leader epoch into `batch`,
  /// and writes it. The high watermark stays (the owner moves it).
  AppendResult append_as_leader(MutableBytesView batch, std::int32_t leader_epoch,
                                record::AppendOrigin origin = record::AppendOrigin::client);
  /// Appends whole batches as a leader elsewhere stamped them; they begin at the log's end.
  AppendResult append_as_follower(BytesView batches);

  /// What can be sent from `offset` on: at most max_bytes, or the whole first batch if that is larger and
  /// `min_one_batch`. Nothing at the end, at the bound, or of a first batch that does not fit.
  /// Errors: protocol::ErrorCode::offset_out_of_range, kafka_storage_error.
  Result<FetchSlice> read(std::int64_t offset, std::size_t max_bytes, bool min_one_batch, ReadBound bound) const;

  std::int64_t log_start_offset() const noexcept { return log_start_.load(std::memory_order_acquire); }
  std::int64_t log_end_offset() const noexcept { return log_end_.load(std::memory_order_acquire); }
  std::int64_t high_watermark() const noexcept { return high_watermark_.load(std::memory_order_acquire); }
  /// Before it no transaction is open; never above the high watermark.
  std::int64_t last_stable_offset() const noexcept;
  /// Moves to min(offset, log end), at least the log start. Returns whether it moved.
  bool set_high_watermark(std::int64_t offset);
  /// Forgets what is before `offset` (DeleteRecords). Errors: offset_out_of_range above the high watermark.
  Result<void> set_log_start_offset(std::int64_t offset);

  /// First record of at least this timestamp; nothing when there is none.
  Result<std::optional<TimestampedOffset>> offset_for_timestamp(std::int64_t timestamp_ms) const;
  /// The record with the largest timestamp; nothing in an empty log.
  Result<std::optional<TimestampedOffset>> offset_of_max_timestamp() const;

  /// A leader epoch starts at the log's end. No-op for an epoch that is known.
  void assign_leader_epoch(std::int32_t leader_epoch);
  std::optional<std::int32_t> latest_epoch() const;
  /// Of the record at this offset; -1 where that is not known.
  std::int32_t epoch_of(std::int64_t offset) const;
  /// Source: OffsetForLeaderEpoch.
  EpochEndOffset end_offset_for_epoch(std::int32_t leader_epoch) const;

  /// Drops all from `offset` on (whole batches) with indexes, producer state, transactions and epochs.
  Result<void> truncate_to(std::int64_t offset);
  /// Drops everything; the log goes on at `offset`.
  Result<void> truncate_fully_and_start_at(std::int64_t offset);

  /// Makes all durable that is appended now. A failure marks the log offline.
  Result<void> flush();
  /// The flush that is due by flush.ms, the sync of segments that were rolled, the removal of files whose
  /// file.delete.delay.ms is over, and the return of room taken ahead of a log that no longer grows.
  /// Nothing for a log that is closed. For a worker, now and then.
  Result<void> flush_if_due();
  /// Up to where a crash loses nothing.
  std::int64_t recovery_point() const noexcept { return recovery_point_.load(std::memory_order_acquire); }
  /// Deletes segments by time, size and log start offset; forgets expired producers. Returns how many segments went.
  Result<std::size_t> apply_retention();
  /// Begins a new segment now if the active one holds anything.
  Result<void> roll();

  std::uint64_t size_bytes() const;
  std::size_t segment_count() const;
  /// First offset of the first segment: above it, log_start_offset is worth a checkpoint.
  std::int64_t first_segment_offset() const;
  const std::string& directory() const noexcept { return options_.directory; }
  const std::string& topic_partition() const noexcept { return options_.topic_partition; }
  LogConfig config() const;
  void set_config(const LogConfig& config);
  std::int32_t min_insync_replicas() const noexcept { return min_insync_replicas_.load(std::memory_order_relaxed); }
  bool is_offline() const noexcept { return offline_.load(std::memory_order_acquire); }
  std::size_t producer_count() const;

  /// Syncs, writes indexes and the producer snapshot. Later appends fail. A log that never held anything is not synced:
  /// the next start makes again what is missing of it.
  Result<void> close();
  /// Closes the log without a word to the files, before its directory is deleted; slices stay readable.
  void retire();

 private:
  using SegmentList = std::vector<std::shared_ptr<Segment>>;  ///< By base offset; never empty once open.
  using SegmentListPtr = std::shared_ptr<const SegmentList>;
  /// What readers see; replaced as a whole.
  struct View {
    SegmentListPtr segments;
    std::int64_t log_end = 0;
    std::uint64_t active_size = 0;  ///< Bytes of the last segment that belong to log_end.

    /// Bytes of a segment that readers may see.
    std::uint64_t limit_of(std::size_t segment) const;
    /// Where the segment's offsets end: the next one's base, or the log end.
    std::int64_t end_of(std::size_t segment) const;
  };

  PartitionLog(runtime::Env& env, OpenOptions options);

  // recovery.cc
  Result<void> load();
  Result<std::vector<std::int64_t>> find_segments();
  Result<void> open_segments(const std::vector<std::int64_t>& base_offsets, SegmentList& segments);
  Result<void> recover_segments(SegmentList& segments);
  Result<std::uint64_t> recover_segment(const SegmentList& segments, std::size_t index);
  Result<void> start_at(std::int64_t offset);
  Result<void> truncate_segments(std::int64_t offset);
  Result<void> drop_segments(const SegmentList& unwanted, std::int64_t now_ms);
  Result<void> rebuild_producers(ProducerStateManager& producers, const SegmentList& segments, std::int64_t up_to);
  Result<void> recall_batches(ProducerStateManager& producers, const SegmentList& segments);
  Result<void> replay_producers(ProducerStateManager& producers, const Segment& segment, std::int64_t from,
                                std::int64_t up_to);

  // partition_log_append.cc
  AppendResult append_locked(MutableBytesView batch, std::int32_t leader_epoch, record::AppendOrigin origin);
  AppendResult write_batch(BytesView batch, const record::BatchHeader& header, AppendInfo info);
  tl::unexpected<AppendFailure> storage_failure(const Failure& why);
  Result<void> roll_if_needed(const record::BatchHeader& header, std::size_t size_bytes);
  Result<void> roll_locked(std::int64_t base_offset);
  Result<std::shared_ptr<Segment>> open_next_segment(std::int64_t base_offset);
  void draw_roll_jitter();
  Result<void> apply_producer(const record::BatchHeader& header, BytesView batch);
  Result<void> usable() const;

  // retention.cc
  std::size_t expired_segments(const SegmentList& segments, std::int64_t now_ms) const;
  Result<void> remove_doomed(std::int64_t now_ms);
  Result<void> give_back_idle_room(std::int64_t now_ms);

  // partition_log_read.cc
  Result<std::optional<TimestampedOffset>> find_timestamp(const Segment& segment, std::uint64_t limit,
                                                          std::int64_t from_offset, std::int64_t timestamp_ms) const;

  View view() const;
  void publish();
  void update_first_unstable();
  /// Notes a failed sync or write: the log is offline from here on.
  tl::unexpected<Failure> go_offline(Failure why);
  /// Whether the recovery point may rise.
  Result<bool> sync_sealed(const View& view);
  /// What flush_if_due() may find to do.
  struct Chores {
    bool closed = false;
    std::int64_t flush_ms = 0;
    bool has_unsynced_sealed = false;
    bool has_doomed = false;
    bool has_room_ahead = false;
  };
  Chores chores() const;
  Result<void> sync_names();
  Result<bool> write_epochs();
  bool is_closed() const;

  /// A deleted segment whose files, renamed, still lie there.
  struct Doomed {
    std::shared_ptr<Segment> segment;
    std::int64_t due_ms = 0;
  };

  runtime::Env& env_;
  const OpenOptions options_;  // its `config` is how the log was opened: config_ is in force

  mutable std::mutex mutex_;                     // appends, truncation, roll, flush bookkeeping
  std::shared_ptr<const SegmentList> segments_;  // mutex_
  ProducerStateManager producers_;               // mutex_
  bool closed_ = false;                          // mutex_
  LogConfig config_;                             // mutex_
  std::vector<Doomed> doomed_;                   // mutex_
  std::uint64_t size_seen_ = 0;                  // mutex_; of the active segment that has room ahead
  std::int64_t size_seen_ms_ = 0;                // mutex_; since when it was that

  mutable std::mutex view_mutex_;  // leaf lock, held for a copy
  View view_;                      // view_mutex_

  EpochCache epochs_;  // locks itself
  std::atomic<std::int64_t> log_start_{0};
  std::atomic<std::int64_t> log_end_{0};
  std::atomic<std::int64_t> high_watermark_{0};
  std::atomic<std::int64_t> first_unstable_;  ///< The largest int64 where there is none.
  std::atomic<bool> has_unreplicated_{false};
  std::atomic<std::int64_t> last_flush_ms_{0};
  std::atomic<std::int64_t> recovery_point_{0};
  std::atomic<std::int32_t> min_insync_replicas_;
  std::int64_t roll_jitter_ms_ = 0;             // mutex_; taken off segment.ms, drawn anew for each segment
  std::atomic<bool> directory_changed_{false};  ///< Files were made since the directory was synced.
  std::atomic<bool> name_unsynced_{false};      ///< The directory's own name, and partition.metadata, may be lost.
  std::atomic<bool> offline_{false};
};

}  // namespace barnabas::log
