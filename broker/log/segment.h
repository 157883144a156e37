#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/log/log_config.h"
#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"
#include "broker/log/transaction_index.h"
#include "common/record/batch_header.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// "00000000000000000042" for 42: what a segment's files are called before their suffix.
std::string offset_file_name(std::int64_t base_offset);
/// The offset of "<20 digits><suffix>"; nothing for any other name.
std::optional<std::int64_t> offset_of_file_name(const std::string& name, const std::string& suffix);

inline constexpr const char* kLogSuffix = ".log";
inline constexpr const char* kOffsetIndexSuffix = ".index";
inline constexpr const char* kTimeIndexSuffix = ".timeindex";
inline constexpr const char* kTransactionIndexSuffix = ".txnindex";
inline constexpr const char* kSnapshotSuffix = ".snapshot";
inline constexpr const char* kDeletedSuffix = ".deleted";

/// A batch's header and place in the file.
struct BatchAt {
  record::BatchHeader header;
  std::uint64_t position = 0;
};

/// One file of batches with its indexes (docs/formats/segment.md).
/// Threads: one writer (the log's mutex); readers any, within a size that they were given.
/// Source: Kafka's LogSegment.
class Segment {
 public:
  /// Opens, or makes, the files of a segment.
  static Result<std::shared_ptr<Segment>> open(runtime::Files& files, const std::string& directory,
                                               std::int64_t base_offset, const LogConfig& config, std::int64_t now_ms);
  /// Makes it ready for appends: the indexes come into memory. Errors: corrupt_data for an index that does not rise.
  Result<void> make_active();

  std::int64_t base_offset() const noexcept { return base_offset_; }
  const std::shared_ptr<runtime::File>& file() const noexcept { return file_; }
  std::uint64_t size_bytes() const noexcept { return size_.load(std::memory_order_acquire); }
  /// Of the records, or -1.
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_.load(std::memory_order_acquire); }
  std::int64_t created_ms() const noexcept { return created_ms_; }
  /// segment.ms counts from the first batch's timestamp, or from when the segment was made. Source: timeWaitedForRoll.
  std::int64_t age_ms(std::int64_t now_ms, std::int64_t message_timestamp_ms) const noexcept;
  /// Whether offset and indexes have room for batches up to this offset.
  bool can_hold(std::int64_t last_offset) const noexcept;
  bool indexes_full() const { return offset_index_.is_full() || time_index_.is_full(); }

  /// Writes whole batches at the end; all or nothing. Then indexes them. A segment that grows takes room on the disk
  /// ahead, as much again as it holds, up to 16 MiB; its size does not show it.
  /// Errors: the file is as long as before, or the failure says otherwise (is_torn()).
  Result<void> append(BytesView batches);
  /// A write failed and could not be taken back.
  bool is_torn() const noexcept { return torn_; }

  /// The first batch whose last offset is not below `target`, looking at the first `limit` bytes.
  Result<std::optional<BatchAt>> find(std::int64_t target, std::uint64_t limit) const;
  /// Where to scan from to meet the batch that holds `target`.
  Result<std::uint64_t> start_of_search(std::int64_t target, std::uint64_t limit) const;
  /// Calls `visit` for the header of each batch from `position` on, until it says false or `limit` is met.
  Result<void> scan(std::uint64_t position, std::uint64_t limit,
                    const std::function<bool(const BatchAt&)>& visit) const;
  /// The batch's bytes.
  Result<Bytes> read(const BatchAt& at) const;
  /// Offset after the last batch, by the index and a scan from there. For a segment that was closed properly.
  Result<std::int64_t> read_next_offset() const;

  /// Reads every batch, cuts the file behind the last whole and valid one, and writes the indexes anew (all but
  /// transactions, which `visit` brings). Returns how many bytes were cut off.
  Result<std::uint64_t> recover(const std::function<Result<void>(const BatchAt&, BytesView)>& visit);
  /// Drops batches from `offset` on. Returns how many bytes went.
  Result<std::uint64_t> truncate_to(std::int64_t offset);

  OffsetIndex& offset_index() noexcept { return offset_index_; }
  TimeIndex& time_index() noexcept { return time_index_; }
  const OffsetIndex& offset_index() const noexcept { return offset_index_; }
  const TimeIndex& time_index() const noexcept { return time_index_; }
  TransactionIndex& transaction_index() noexcept { return transaction_index_; }
  const TransactionIndex& transaction_index() const noexcept { return transaction_index_; }
  bool indexes_sound() const noexcept { return indexes_sound_; }

  /// The log file to the disk, then the indexes.
  Result<void> sync();
  /// Nothing more will be appended: writes the last time index entry, takes the indexes out of memory, gives back room.
  Result<void> seal();
  Result<void> sync_indexes();
  bool has_room_ahead() const noexcept { return reserved_end_ > size_bytes(); }
  /// Gives back what append() took ahead.
  Result<void> give_back_room();
  /// The log file was written or cut since it was opened or synced.
  bool is_unsynced() const noexcept { return unsynced_.load(std::memory_order_acquire); }
  /// The directory is about to be renamed: from now on the indexes' files are left alone.
  void retire();
  /// Renames all files to *.deleted and removes them; open readers keep theirs.
  Result<void> remove(runtime::Files& files);
  /// The two halves of remove().
  Result<void> rename_for_deletion(runtime::Files& files);
  Result<void> remove_renamed(runtime::Files& files);
  /// What a failed open() may have left of a segment that nobody has.
  static Result<void> remove_leftovers(runtime::Files& files, const std::string& directory, std::int64_t base_offset);

 private:
  Segment(runtime::Files& files, const std::string& directory, std::int64_t base_offset, const LogConfig& config,
          std::int64_t now_ms);
  void take_room(std::uint64_t end);
  void index_batch(const record::BatchHeader& header, std::uint64_t position);
  void note_timestamp(const record::BatchHeader& header);
  Result<void> load_largest_timestamp();
  Result<void> check_indexes();

  const std::string stem_;  ///< Directory and name without suffix.
  const std::int64_t base_offset_;
  const std::int64_t index_interval_bytes_;
  const std::uint64_t most_bytes_;  ///< segment.bytes, as it was when the segment was opened.
  const std::int64_t created_ms_;
  std::shared_ptr<runtime::File> file_;
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  TransactionIndex transaction_index_;
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::int64_t> max_timestamp_{record::kNoTimestamp};
  std::atomic<bool> unsynced_{false};
  std::int64_t offset_of_max_timestamp_ = -1;
  std::optional<std::int64_t> first_timestamp_ms_;
  std::uint64_t bytes_since_index_ = 0;
  std::uint64_t reserved_end_ = 0;  ///< Up to here the file has room on the disk, as far as we took it.
  bool takes_room_ = true;          ///< Until the system said no.
  bool indexes_sound_ = true;
  bool torn_ = false;
};

}  // namespace barnabas::log
