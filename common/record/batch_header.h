#pragma once

#include <cstdint>
#include <optional>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/record/compress/codec.h"

namespace barnabas::record {

inline constexpr std::size_t kLogOverheadBytes = 12;  ///< Base offset and batch length: what the length does not count.
inline constexpr std::size_t kBatchHeaderBytes = 61;  ///< Up to the first record (docs/formats/record_batch.md).
inline constexpr std::size_t kMagicPosition = 16;     ///< The same in all three formats.
inline constexpr std::size_t kSmallestBatchLength = 14;  ///< Of a magic 0 message; less is corrupt in any format.
inline constexpr std::int8_t kMagicV2 = 2;
inline constexpr std::int64_t kNoTimestamp = -1;
inline constexpr std::int64_t kNoProducerId = -1;
inline constexpr std::int16_t kNoProducerEpoch = -1;
inline constexpr std::int32_t kNoSequence = -1;
inline constexpr std::int32_t kNoLeaderEpoch = -1;

/// Byte positions of the header's fields.
namespace position {
inline constexpr std::size_t kBaseOffset = 0;
inline constexpr std::size_t kBatchLength = 8;
inline constexpr std::size_t kLeaderEpoch = 12;
inline constexpr std::size_t kMagic = kMagicPosition;
inline constexpr std::size_t kCrc = 17;
inline constexpr std::size_t kAttributes = 21;  ///< The checksum covers all from here.
inline constexpr std::size_t kLastOffsetDelta = 23;
inline constexpr std::size_t kBaseTimestamp = 27;
inline constexpr std::size_t kMaxTimestamp = 35;
inline constexpr std::size_t kProducerId = 43;
inline constexpr std::size_t kProducerEpoch = 51;
inline constexpr std::size_t kBaseSequence = 53;
inline constexpr std::size_t kRecordCount = 57;
}  // namespace position

enum class TimestampType : std::uint8_t { create_time = 0, log_append_time = 1 };

/// The header of a magic 2 record batch, as it stands in the bytes (nothing is checked but that it is there).
/// Source: Kafka's DefaultRecordBatch.
struct BatchHeader {
  std::int64_t base_offset = 0;
  std::int32_t batch_length = 0;  ///< Bytes behind this field.
  std::int32_t partition_leader_epoch = kNoLeaderEpoch;
  std::int8_t magic = kMagicV2;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp_ms = kNoTimestamp;  ///< Holds the delete horizon where has_delete_horizon().
  std::int64_t max_timestamp_ms = kNoTimestamp;
  std::int64_t producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  std::int32_t record_count = 0;  ///< 0: only the header is left of a compacted batch.

  static constexpr std::int16_t kCompressionMask = 0x07;
  static constexpr std::int16_t kTimestampTypeBit = 0x08;
  static constexpr std::int16_t kTransactionalBit = 0x10;
  static constexpr std::int16_t kControlBit = 0x20;
  static constexpr std::int16_t kDeleteHorizonBit = 0x40;

  std::size_t size_bytes() const noexcept { return kLogOverheadBytes + static_cast<std::size_t>(batch_length); }
  std::int64_t last_offset() const noexcept { return offset_at(last_offset_delta); }
  std::int64_t next_offset() const noexcept { return offset_at(std::int64_t{last_offset_delta} + 1); }
  /// Wraps like Java's sum where a hostile base offset asks for it.
  std::int64_t offset_at(std::int64_t delta) const noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base_offset) + static_cast<std::uint64_t>(delta));
  }
  /// 5 to 7 mean nothing: ask is_known_compression() before compression().
  int compression_id() const noexcept { return attributes & kCompressionMask; }
  bool is_known_compression() const noexcept { return compression_id() <= static_cast<int>(CompressionType::zstd); }
  CompressionType compression() const noexcept { return static_cast<CompressionType>(compression_id()); }
  bool is_compressed() const noexcept { return compression_id() != 0; }
  TimestampType timestamp_type() const noexcept {
    return (attributes & kTimestampTypeBit) != 0 ? TimestampType::log_append_time : TimestampType::create_time;
  }
  bool is_transactional() const noexcept { return (attributes & kTransactionalBit) != 0; }
  bool is_control() const noexcept { return (attributes & kControlBit) != 0; }
  bool has_delete_horizon() const noexcept { return (attributes & kDeleteHorizonBit) != 0; }
  bool has_producer_id() const noexcept { return producer_id > kNoProducerId; }
  /// kNoSequence where the batch has none; wraps to 0 after the largest int32.
  std::int32_t last_sequence() const noexcept;
};

/// sequence + increment, as Kafka wraps it: after 2147483647 comes 0.
std::int32_t increment_sequence(std::int32_t sequence, std::int32_t increment) noexcept;

/// The header at the front of `bytes`.
/// Errors: corrupt_message when fewer than kBatchHeaderBytes are there or the magic is above 2,
/// unsupported_for_message_format for magic 0 and 1.
Result<BatchHeader> read_batch_header(BytesView bytes);

/// Writes all 61 bytes; `out` has at least that many.
void write_batch_header(MutableBytesView out, const BatchHeader& header) noexcept;

/// Writes the fields that lie outside the checksum, in place.
void stamp_offset_and_epoch(MutableBytesView batch, std::int64_t base_offset, std::int32_t leader_epoch) noexcept;

/// CRC-32C of the whole batch from the attributes on, as the header should hold it.
std::uint32_t compute_batch_crc(BytesView batch) noexcept;

/// Puts another producer id, epoch and base sequence into a finished batch and its checksum right.
void stamp_producer_state(MutableBytesView batch, std::int64_t producer_id, std::int16_t producer_epoch,
                          std::int32_t base_sequence) noexcept;

/// Sets timestamp type and largest timestamp (checksum included); leaves a batch alone that says so already.
void stamp_max_timestamp(MutableBytesView batch, TimestampType type, std::int64_t max_timestamp_ms) noexcept;

}  // namespace barnabas::record
