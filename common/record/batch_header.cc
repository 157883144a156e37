#include "common/record/batch_header.h"

#include <limits>
#include <type_traits>

#include "common/bytes/big_endian.h"
#include "common/bytes/crc32c.h"
#include "common/protocol/errors.h"

namespace barnabas::record {

static_assert(position::kRecordCount + sizeof(std::int32_t) == kBatchHeaderBytes,
              "docs/formats/record_batch.md says 61");

namespace {

/// The fields and their places, for who reads a header and who writes one.
template <typename Header, typename Visit>
void each_field(Header& header, const Visit& visit) {
  visit(position::kBaseOffset, header.base_offset);
  visit(position::kBatchLength, header.batch_length);
  visit(position::kLeaderEpoch, header.partition_leader_epoch);
  visit(position::kMagic, header.magic);
  visit(position::kCrc, header.crc);
  visit(position::kAttributes, header.attributes);
  visit(position::kLastOffsetDelta, header.last_offset_delta);
  visit(position::kBaseTimestamp, header.base_timestamp_ms);
  visit(position::kMaxTimestamp, header.max_timestamp_ms);
  visit(position::kProducerId, header.producer_id);
  visit(position::kProducerEpoch, header.producer_epoch);
  visit(position::kBaseSequence, header.base_sequence);
  visit(position::kRecordCount, header.record_count);
}

}  // namespace

std::int32_t increment_sequence(std::int32_t sequence, std::int32_t increment) noexcept {
  constexpr std::int64_t kSequences = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>((std::int64_t{sequence} + increment) % kSequences);
}

std::int32_t BatchHeader::last_sequence() const noexcept {
  return base_sequence == kNoSequence ? kNoSequence : increment_sequence(base_sequence, last_offset_delta);
}

Result<BatchHeader> read_batch_header(BytesView bytes) {
  if (bytes.size() > kMagicPosition) {
    const auto magic = static_cast<std::int8_t>(bytes[kMagicPosition]);
    if (magic == 0 || magic == 1) {
      return failure(
          protocol::ErrorCode::unsupported_for_message_format,
          "message set of the old format " + std::to_string(magic) + "; only record batches (magic 2) are read");
    }
    if (magic != kMagicV2) {
      return failure(protocol::ErrorCode::corrupt_message,
                     "invalid magic " + std::to_string(magic) + " in record batch");
    }
  }
  if (bytes.size() < kBatchHeaderBytes) {
    return failure(protocol::ErrorCode::corrupt_message,
                   "record batch of " + std::to_string(bytes.size()) + " bytes is smaller than its header of 61 bytes");
  }
  const std::byte* at = bytes.data();
  BatchHeader header;
  each_field(header, [at](std::size_t position, auto& field) {
    field = big_endian::load<std::remove_reference_t<decltype(field)>>(at + position);
  });
  return header;
}

void write_batch_header(MutableBytesView out, const BatchHeader& header) noexcept {
  std::byte* at = out.data();
  each_field(header, [at](std::size_t position, auto field) { big_endian::store(at + position, field); });
}

void stamp_offset_and_epoch(MutableBytesView batch, std::int64_t base_offset, std::int32_t leader_epoch) noexcept {
  big_endian::store(batch.data() + position::kBaseOffset, base_offset);
  big_endian::store(batch.data() + position::kLeaderEpoch, leader_epoch);
}

std::uint32_t compute_batch_crc(BytesView batch) noexcept {
  return crc32c(batch.subspan(position::kAttributes));
}

void stamp_producer_state(MutableBytesView batch, std::int64_t producer_id, std::int16_t producer_epoch,
                          std::int32_t base_sequence) noexcept {
  std::byte* at = batch.data();
  big_endian::store(at + position::kProducerId, producer_id);
  big_endian::store(at + position::kProducerEpoch, producer_epoch);
  big_endian::store(at + position::kBaseSequence, base_sequence);
  big_endian::store(at + position::kCrc, compute_batch_crc(batch));
}

void stamp_max_timestamp(MutableBytesView batch, TimestampType type, std::int64_t max_timestamp_ms) noexcept {
  std::byte* at = batch.data();
  const auto attributes = big_endian::load<std::int16_t>(at + position::kAttributes);
  const bool is_append_time = (attributes & BatchHeader::kTimestampTypeBit) != 0;
  const bool wants_append_time = type == TimestampType::log_append_time;
  if (is_append_time == wants_append_time &&
      big_endian::load<std::int64_t>(at + position::kMaxTimestamp) == max_timestamp_ms) {
    return;
  }
  constexpr int kKnownBits = BatchHeader::kCompressionMask | BatchHeader::kTransactionalBit | BatchHeader::kControlBit |
                             BatchHeader::kDeleteHorizonBit;
  const int edited = (attributes & kKnownBits) | (wants_append_time ? BatchHeader::kTimestampTypeBit : 0);
  big_endian::store(at + position::kAttributes, static_cast<std::int16_t>(edited));
  big_endian::store(at + position::kMaxTimestamp, max_timestamp_ms);
  big_endian::store(at + position::kCrc, compute_batch_crc(batch));
}

}  // namespace barnabas::record
