#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/transaction_index.h"
#include "common/bytes/result.h"
#include "common/protocol/errors.h"
#include "common/record/batch_header.h"
#include "common/record/validator.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// One of the last batches that a producer appended.
struct ProducerBatch {
  std::int32_t last_sequence = record::kNoSequence;
  std::int64_t last_offset = -1;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_ms = record::kNoTimestamp;

  std::int64_t first_offset() const noexcept { return last_offset - offset_delta; }
  std::int32_t first_sequence() const noexcept;
};

/// What a partition knows of a producer id.
struct ProducerEntry {
  static constexpr std::size_t kBatchesKept = 5;

  std::int64_t producer_id = record::kNoProducerId;
  std::int16_t epoch = record::kNoProducerEpoch;
  std::deque<ProducerBatch> batches;  ///< At most kBatchesKept, oldest first.
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp_ms = record::kNoTimestamp;
  std::optional<std::int64_t> transaction_first_offset;

  std::int32_t last_sequence() const noexcept {
    return batches.empty() ? record::kNoSequence : batches.back().last_sequence;
  }
};

/// What one data batch, or one transaction marker, does to a producer's entry. Prepared before the write, applied
/// after.
struct ProducerAppend {
  std::int64_t producer_id = record::kNoProducerId;
  std::int16_t epoch = record::kNoProducerEpoch;
  bool marker = false;
  bool abort = false;                   ///< Of a marker.
  std::int32_t coordinator_epoch = -1;  ///< Of a marker.
  bool transactional = false;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;
  std::int32_t last_sequence = record::kNoSequence;
  std::int64_t timestamp_ms = record::kNoTimestamp;
};

/// A transaction that a marker ended.
struct CompletedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;
  bool aborted = false;
};

/// Entry of a snapshot file (docs/formats/producer_snapshot.md).
struct ProducerSnapshotEntry {
  std::int64_t producer_id = -1;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;
  std::int64_t last_offset = -1;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_ms = -1;
  std::int32_t coordinator_epoch = -1;
  std::int64_t transaction_first_offset = -1;
};

Bytes encode_producer_snapshot(const std::vector<ProducerSnapshotEntry>& entries);
/// Errors: corrupt_data for a wrong version, checksum or length.
Result<std::vector<ProducerSnapshotEntry>> decode_producer_snapshot(BytesView bytes);

/// What a partition knows of the producers that write to it: the last five batches of each, for duplicates and gaps,
/// and its open transaction. A snapshot file keeps it, named after the offset up to which it holds. Threads: the log's
/// mutex. Source: Kafka's ProducerStateManager and ProducerAppendInfo.
class ProducerStateManager {
 public:
  ProducerStateManager(runtime::Files& files, std::string directory, std::string topic_partition,
                       std::int64_t expiration_ms);

  /// Whether this batch is one of the last five of its producer.
  std::optional<ProducerBatch> duplicate_of(const record::BatchHeader& batch) const;
  /// Errors: the epoch or the sequence does not fit (invalid_producer_epoch, out_of_order_sequence_number).
  /// A producer that is not known may start anywhere. Replicated batches always pass.
  tl::expected<void, record::ValidationFailure> check(const record::BatchHeader& batch,
                                                      record::AppendOrigin origin) const;
  tl::expected<void, record::ValidationFailure> check_marker(const ProducerAppend& marker,
                                                             record::AppendOrigin origin) const;
  /// Takes over what was appended; of a marker that ended a transaction, that transaction.
  std::optional<CompletedTransaction> apply(const ProducerAppend& append);
  /// Gives producers that came from a snapshot the batches before their last one, which snapshots do not hold.
  /// `recent`: by producer id, oldest first; what does not end in the batch that is known is left out.
  void recall(const std::map<std::int64_t, ProducerEntry>& recent);
  /// Where the last stable offset is once this transaction is over (before complete()).
  std::int64_t last_stable_offset_after(const CompletedTransaction& transaction) const;
  /// The transaction is over; it stays unstable until the high watermark passes its marker.
  void complete(const CompletedTransaction& transaction);
  void on_high_watermark(std::int64_t high_watermark);
  /// First offset of the first transaction that is open, or over but not yet below the high watermark.
  std::optional<std::int64_t> first_unstable_offset() const;
  bool has_unreplicated() const noexcept { return !unreplicated_.empty(); }

  std::int64_t end_offset() const noexcept { return end_offset_; }
  void set_end_offset(std::int64_t offset) noexcept { end_offset_ = offset; }
  const std::map<std::int64_t, ProducerEntry>& producers() const noexcept { return producers_; }
  void remove_expired(std::int64_t now_ms);

  /// Writes <end offset>.snapshot unless the last one says that already. Whether it did.
  Result<bool> take_snapshot(bool sync);
  /// Goes back to the newest snapshot in [log_start, log_end], deleting newer ones; empty where there is none.
  Result<void> truncate_and_reload(std::int64_t log_start, std::int64_t log_end, std::int64_t now_ms);
  Result<void> truncate_fully_and_start_at(std::int64_t offset);
  std::vector<std::int64_t> snapshot_offsets() const;
  /// Deletes snapshots that belong to no segment, but for the newest one behind them all.
  Result<void> remove_stray_snapshots(const std::vector<std::int64_t>& segment_offsets);
  Result<void> delete_snapshots_before(std::int64_t offset);

 private:
  std::string path_of(std::int64_t offset) const;
  Result<bool> load(std::int64_t offset, std::int64_t now_ms);
  bool is_expired(const ProducerEntry& entry, std::int64_t now_ms) const noexcept;

  runtime::Files* files_;
  std::string directory_;
  std::string topic_partition_;
  std::int64_t expiration_ms_;
  std::map<std::int64_t, ProducerEntry> producers_;
  std::map<std::int64_t, std::int64_t> open_;                  ///< First offset to producer id.
  std::map<std::int64_t, CompletedTransaction> unreplicated_;  ///< By first offset.
  std::int64_t end_offset_ = 0;
  std::int64_t last_snapshot_offset_ = 0;
};

}  // namespace barnabas::log
