#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "barnabas/records.h"
#include "barnabas/topic_partition.h"
#include "client/consumer/memory_budget.h"
#include "common/record/batch_view.h"

namespace barnabas::client {

/// The next record wanted of a partition, and the leader epoch of the record before it (-1: not known).
struct Position {
  std::int64_t offset = -1;
  std::int32_t offset_epoch = -1;

  bool operator==(const Position&) const = default;
};

/// A transaction that was aborted: its producer's records from `first_offset` on are not shown, up to the abort marker.
struct AbortedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
};

struct CollectOptions {
  bool check_crcs = true;
  bool read_committed = false;
};

/// What one fetch brought of one partition, cut into runs of records as poll asks for them. No I/O.
/// Threads: one at a time.  Source: Kafka's CompletedFetch.
class CompletedFetch {
 public:
  struct Data {
    std::int32_t partition = 0;
    std::shared_ptr<const std::string> topic;
    std::shared_ptr<const void> owner;  ///< Keeps `records` alive.
    BytesView records;
    std::vector<AbortedTransaction> aborted;
  };
  CompletedFetch(Data data, CollectOptions options);

  /// Appends runs of at most `max_records` records from `position` on, and moves the position behind them; batches
  /// without records to show (control batches, aborted ones, compacted ones) move it too. Every length in the runs was
  /// checked. Compressed batches go into a buffer of the pool. Errors: the batch at the position is corrupt or beyond
  /// the memory budget; the subject names partition and offset. The position stays, and the next call fails again.
  /// Records before the bad batch are given first, without the error.
  Result<std::size_t> collect(Position& position, std::size_t max_records, BufferPool& buffers,
                              std::vector<RecordRun>& out);

  /// Where the batch that collect() failed on ends: the next offset worth a try.
  std::int64_t offset_behind_failure(const Position& position) const;
  /// Gives up the batch (or what is left of it) that collect() failed on; the position moves behind it.
  void skip_batch(Position& position);

  /// Nothing is left to collect.
  bool done() const noexcept { return !failure_ && !reader_ && batches_.rest().empty(); }
  /// Bytes of keys, values and headers collected since the last call.
  std::uint64_t take_record_bytes() noexcept { return std::exchange(record_bytes_, 0); }
  /// Whether the next call will have to decompress.
  bool starts_compressed() const noexcept;
  /// Of the fetched bytes, what was not handed out yet.
  std::size_t bytes_left() const noexcept { return batches_.rest().size(); }

 private:
  Result<bool> open_next_batch(const Position& position, BufferPool& buffers);
  Result<void> open_batch(BytesView bytes, const Position& position, BufferPool& buffers);
  Result<std::size_t> read_run(Position& position, std::size_t max_records, std::vector<RecordRun>& out);
  Result<bool> read_unusual(record::WalkedRecord& out);
  bool is_hidden(const record::BatchView& batch);
  void close_batch(Position& position);
  RecordRun empty_run() const;
  Failure named(Failure why, const Position& position) const;

  Data data_;
  CollectOptions options_;
  record::BatchCursor batches_;
  std::vector<AbortedTransaction> aborted_;             // by first offset
  std::size_t next_aborted_ = 0;                        // of them: those ahead of the cursor begin here
  std::unordered_set<std::int64_t> aborted_producers_;  // those under way at the cursor

  // The batch under way.
  record::BatchHeader header_;
  std::shared_ptr<const void> plain_owner_;
  std::optional<record::RecordReader> reader_;
  std::optional<Failure> failure_;
  std::uint64_t record_bytes_ = 0;
};

/// The position behind the last whole batch, by the headers alone; none where there is no whole batch that we can read.
std::optional<Position> position_after(BytesView records);

}  // namespace barnabas::client
