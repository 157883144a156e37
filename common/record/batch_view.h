#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/record/batch_header.h"
#include "common/record/record_walk.h"
#include "common/record/wire.h"

namespace barnabas::record {

/// One header of a record; borrowed from the record's bytes. The key may be any bytes, Kafka does not check its UTF-8.
struct HeaderView {
  std::string_view key;
  std::optional<BytesView> value;
};

/// Headers of one record, read as they are asked for. They were checked when the record was read, so reading cannot
/// fail.
class HeadersView {
 public:
  class Iterator {
   public:
    using value_type = HeaderView;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(BytesView bytes, std::int32_t left) noexcept : rest_(bytes), left_(left) { read(); }
    const HeaderView& operator*() const noexcept { return current_; }
    const HeaderView* operator->() const noexcept { return &current_; }
    Iterator& operator++() noexcept {
      --left_;
      read();
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return left_ == other.left_; }

   private:
    void read() noexcept;
    BytesView rest_;
    std::int32_t left_ = 0;
    HeaderView current_;
  };

  HeadersView() = default;
  HeadersView(BytesView bytes, std::int32_t count) noexcept : bytes_(bytes), count_(count) {}
  std::size_t size() const noexcept { return static_cast<std::size_t>(count_); }
  bool empty() const noexcept { return count_ == 0; }
  Iterator begin() const noexcept { return {bytes_, count_}; }
  Iterator end() const noexcept { return {}; }
  /// The encoded headers behind their count: to copy them as they are.
  BytesView bytes() const noexcept { return bytes_; }

 private:
  BytesView bytes_;
  std::int32_t count_ = 0;
};

/// One record; key, value and headers are borrowed from the (decompressed) batch.
struct RecordView {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
  std::int32_t offset_delta = 0;
  std::int32_t size_bytes = 0;  ///< With its length field in its shortest form, as Kafka counts.
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  HeadersView headers;
};

/// Walks over the plain records section of one batch without copying.
/// Errors as Kafka's: invalid_record for what does not hold together, unknown_server_error for a length field of more
/// than five bytes. Trailing bytes and a wrong count are found at the last record, which is then not given.
class RecordReader {
 public:
  RecordReader(const BatchHeader& header, BytesView plain_records) noexcept;
  /// Reads the next record into `out`; false at the end.
  Result<bool> next(RecordView& out);
  /// The next record by its lengths alone, checked no less; false, and nothing read, where next() is to be asked: at
  /// the end, and before a record that is out of the ordinary.
  bool walk(WalkedRecord& out) noexcept {
    if (read_ >= count_) return false;
    const std::byte* const behind = walk_record(in_.at, in_.end, out);
    if (behind == nullptr || (read_ + 1 == count_ && behind != in_.end)) return false;
    in_.at = behind;
    ++read_;
    return true;
  }
  /// Where the next record begins, or the end.
  const std::byte* at() const noexcept { return in_.at; }

 private:
  Result<void> read_body(wire::Cursor body, RecordView& out) const;

  wire::Cursor in_;
  std::int64_t base_offset_;
  std::int64_t base_timestamp_ms_;
  std::optional<std::int64_t> log_append_time_ms_;
  std::int32_t count_;
  std::int32_t read_ = 0;
};

/// One whole batch of magic 2: header and bytes, borrowed.
class BatchView {
 public:
  /// `bytes` is the batch, neither more nor less (BatchCursor gives it so).
  /// Errors: as read_batch_header; corrupt_message when the size is not what the length field says.
  static Result<BatchView> read(BytesView bytes);

  const BatchHeader& header() const noexcept { return header_; }
  BytesView bytes() const noexcept { return bytes_; }
  /// The records section, compressed where the header says so.
  BytesView records() const noexcept { return bytes_.subspan(kBatchHeaderBytes); }
  bool is_crc_valid() const noexcept { return compute_batch_crc(bytes_) == header_.crc; }
  /// Errors: corrupt_message naming both checksums.  Source: DefaultRecordBatch.ensureValid.
  Result<void> ensure_valid() const;

  /// The plain records section: of an uncompressed batch its own bytes, else `scratch`, which is overwritten.
  /// Errors: corrupt_data; buffer_full when it is more than `limit_bytes`; unknown_server_error for an unknown codec.
  Result<BytesView> plain_records(Bytes& scratch, std::size_t limit_bytes) const;
  /// Over the section that plain_records() gave.
  RecordReader reader(BytesView plain) const noexcept { return {header_, plain}; }

 private:
  BatchHeader header_;
  BytesView bytes_;
};

/// Cuts a run of bytes (a fetch response, a segment's piece) into whole batches of any magic.
/// An incomplete batch at the end is where it stops; Kafka's brokers send such.
/// Source: Kafka's ByteBufferLogInputStream.
class BatchCursor {
 public:
  explicit BatchCursor(BytesView bytes) noexcept : rest_(bytes) {}
  /// The next whole batch's bytes; nothing at the end or before an incomplete one.
  /// Errors: corrupt_message for a length below the smallest or an unknown magic; unknown_server_error for a length
  /// beyond what an int32 with the overhead holds (Kafka's IllegalArgumentException).
  Result<std::optional<BytesView>> next();
  /// Bytes not given yet.
  BytesView rest() const noexcept { return rest_; }
  /// Batches of magic 0 or 1 met so far.
  std::int64_t legacy_batches() const noexcept { return legacy_batches_; }

 private:
  BytesView rest_;
  std::int64_t legacy_batches_ = 0;
};

inline std::int8_t magic_of(BytesView batch) noexcept {
  return static_cast<std::int8_t>(batch[kMagicPosition]);
}

}  // namespace barnabas::record
