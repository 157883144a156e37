#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "common/record/batch_header.h"
#include "common/record/batch_view.h"

namespace barnabas::record {

class Compressor;

/// What a batch says besides its records.
struct BatchOptions {
  std::int64_t base_offset = 0;
  std::int32_t partition_leader_epoch = kNoLeaderEpoch;
  CompressionType compression = CompressionType::none;
  std::optional<int> level;  ///< Absent: the codec's default.
  TimestampType timestamp_type = TimestampType::create_time;
  std::int64_t log_append_time_ms = kNoTimestamp;  ///< The largest timestamp of a log_append_time batch.
  std::int64_t producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  bool transactional = false;
  bool control = false;
  std::optional<std::int64_t> delete_horizon_ms;
};

/// A record to append; all of it is borrowed and copied once, into the batch.
struct RecordInput {
  std::int64_t timestamp_ms = kNoTimestamp;
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  std::span<const HeaderView> headers;
};

/// Bytes of one record in a batch, exactly (its length field included).
std::size_t record_bytes(std::int64_t timestamp_delta, std::int32_t offset_delta, const RecordInput& record) noexcept;
/// Bytes that an otherwise empty batch of this record alone can take at most, before compression.
std::size_t single_batch_bytes_bound(const RecordInput& record) noexcept;

/// Builds one batch of magic 2: each record is written once, behind its predecessor, into one buffer.
/// Cost: no allocation per record while the buffer's capacity lasts.
/// Threads: one at a time.
class BatchBuilder {
 public:
  /// `buffer` brings capacity (its content is overwritten), so that pooled memory can be used again.
  explicit BatchBuilder(BatchOptions options, Bytes buffer = {});
  BatchBuilder() : BatchBuilder(BatchOptions{}) {}

  void append(const RecordInput& record) { append_at(next_delta(), record); }
  /// With an offset delta of its own, not below the last: what compaction and control batches need.
  void append_at(std::int32_t offset_delta, const RecordInput& record) { append_at(offset_delta, record, SIZE_MAX); }
  /// Appends unless plain_bytes() would grow beyond the limit: then it returns false and changes nothing.
  bool append_within(std::size_t limit_bytes, const RecordInput& record) {
    return append_at(next_delta(), record, limit_bytes);
  }
  /// Makes the batch reach up to this delta although its last records are gone.
  void set_last_offset_delta(std::int32_t delta) noexcept { last_delta_ = delta; }
  void set_producer_state(std::int64_t producer_id, std::int16_t producer_epoch, std::int32_t base_sequence) noexcept;

  std::int32_t record_count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_; }
  /// Header and records before compression.
  std::size_t plain_bytes() const noexcept { return used_; }
  /// What plain_bytes() will be with this record too.
  std::size_t plain_bytes_with(const RecordInput& record) const noexcept;
  std::size_t capacity_bytes() const noexcept { return buffer_.size(); }

  /// Compresses (unless the type is none), writes header and checksum, and gives the batch away; the builder is done.
  /// Errors: io_error when the codec's library fails.
  Result<Bytes> finish();
  /// The same with a compressor and a buffer for its output that are used again; the batch has a buffer of just its
  /// size.
  Result<Bytes> finish(Compressor& compressor, Bytes& output);
  /// What finish() left of the buffer (all of it where records were compressed), for the next batch.
  Bytes release_buffer() noexcept { return std::move(buffer_); }

 private:
  bool append_at(std::int32_t offset_delta, const RecordInput& record, std::size_t limit_bytes);
  void write_head(Bytes& batch) const;
  BatchHeader header(std::size_t size_bytes) const noexcept;
  std::int32_t next_delta() const noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(last_delta_) + 1);
  }

  BatchOptions options_;
  Bytes buffer_;  ///< As large as the capacity; `used_` bytes count.
  std::size_t used_ = kBatchHeaderBytes;
  std::int32_t count_ = 0;
  std::int32_t last_delta_ = -1;
  std::int64_t base_timestamp_ms_ = kNoTimestamp;
  std::int64_t max_timestamp_ms_ = kNoTimestamp;
};

}  // namespace barnabas::record
