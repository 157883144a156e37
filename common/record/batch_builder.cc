#include "common/record/batch_builder.h"

#include <algorithm>
#include <cstring>

#include "common/bytes/big_endian.h"
#include "common/record/compress/compressor.h"
#include "common/record/wire.h"

namespace barnabas::record {
namespace {

inline std::size_t field_bytes(const std::optional<BytesView>& field) noexcept {
  if (!field) return 1;  // the varint of -1
  return wire::varint_bytes(static_cast<std::int64_t>(field->size())) + field->size();
}

inline std::byte* store_field(std::byte* at, const std::optional<BytesView>& field) noexcept {
  if (!field) return wire::store_varint(at, -1);
  at = wire::store_varint(at, static_cast<std::int64_t>(field->size()));
  if (!field->empty()) std::memcpy(at, field->data(), field->size());
  return at + field->size();
}

/// Bytes behind a record's length field.
inline std::size_t body_bytes(std::int64_t timestamp_delta, std::int32_t offset_delta,
                              const RecordInput& record) noexcept {
  std::size_t size = 1 + wire::varint_bytes(timestamp_delta) + wire::varint_bytes(offset_delta);
  size += field_bytes(record.key) + field_bytes(record.value);
  size += wire::varint_bytes(static_cast<std::int64_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) size += field_bytes(as_bytes(header.key)) + field_bytes(header.value);
  return size;
}

inline void store_body(std::byte* at, std::int64_t timestamp_delta, std::int32_t offset_delta,
                       const RecordInput& record) {
  *at++ = std::byte{0};  // attributes: none are defined
  at = wire::store_varint(at, timestamp_delta);
  at = wire::store_varint(at, offset_delta);
  at = store_field(at, record.key);
  at = store_field(at, record.value);
  at = wire::store_varint(at, static_cast<std::int64_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    at = store_field(at, as_bytes(header.key));
    at = store_field(at, header.value);
  }
}

std::int64_t difference(std::int64_t left, std::int64_t right) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

}  // namespace

std::size_t record_bytes(std::int64_t timestamp_delta, std::int32_t offset_delta, const RecordInput& record) noexcept {
  const std::size_t body = body_bytes(timestamp_delta, offset_delta, record);
  return wire::varint_bytes(static_cast<std::int64_t>(body)) + body;
}

std::size_t single_batch_bytes_bound(const RecordInput& record) noexcept {
  return kBatchHeaderBytes + record_bytes(0, 0, record);
}

BatchBuilder::BatchBuilder(BatchOptions options, Bytes buffer) : options_(options), buffer_(std::move(buffer)) {
  buffer_.resize(buffer_.capacity());
  if (options_.delete_horizon_ms) base_timestamp_ms_ = *options_.delete_horizon_ms;
}

std::size_t BatchBuilder::plain_bytes_with(const RecordInput& record) const noexcept {
  const bool first = count_ == 0 && !options_.delete_horizon_ms;
  return used_ + record_bytes(first ? 0 : difference(record.timestamp_ms, base_timestamp_ms_), next_delta(), record);
}

bool BatchBuilder::append_at(std::int32_t offset_delta, const RecordInput& record, std::size_t limit_bytes) {
  if (count_ == 0 && !options_.delete_horizon_ms) base_timestamp_ms_ = record.timestamp_ms;
  const std::int64_t timestamp_delta = difference(record.timestamp_ms, base_timestamp_ms_);
  const std::size_t body = body_bytes(timestamp_delta, offset_delta, record);
  const std::size_t total = wire::varint_bytes(static_cast<std::int64_t>(body)) + body;
  if (total > limit_bytes || used_ > limit_bytes - total) return false;
  max_timestamp_ms_ = count_ == 0 ? record.timestamp_ms : std::max(max_timestamp_ms_, record.timestamp_ms);
  if (used_ + total > buffer_.size()) buffer_.resize(std::max(used_ + total, buffer_.size() * 2));
  std::byte* at = wire::store_varint(buffer_.data() + used_, static_cast<std::int64_t>(body));
  store_body(at, timestamp_delta, offset_delta, record);
  used_ += total;
  last_delta_ = offset_delta;
  ++count_;
  return true;
}

void BatchBuilder::set_producer_state(std::int64_t producer_id, std::int16_t producer_epoch,
                                      std::int32_t base_sequence) noexcept {
  options_.producer_id = producer_id;
  options_.producer_epoch = producer_epoch;
  options_.base_sequence = base_sequence;
}

BatchHeader BatchBuilder::header(std::size_t size_bytes) const noexcept {
  BatchHeader header;
  header.base_offset = options_.base_offset;
  header.batch_length = static_cast<std::int32_t>(size_bytes - kLogOverheadBytes);
  header.partition_leader_epoch = options_.partition_leader_epoch;
  const bool append_time = options_.timestamp_type == TimestampType::log_append_time;
  int attributes = static_cast<int>(options_.compression);
  if (append_time) attributes |= BatchHeader::kTimestampTypeBit;
  if (options_.transactional) attributes |= BatchHeader::kTransactionalBit;
  if (options_.control) attributes |= BatchHeader::kControlBit;
  if (options_.delete_horizon_ms) attributes |= BatchHeader::kDeleteHorizonBit;
  header.attributes = static_cast<std::int16_t>(attributes);
  header.last_offset_delta = last_delta_;
  header.base_timestamp_ms = base_timestamp_ms_;
  header.max_timestamp_ms = append_time ? options_.log_append_time_ms : max_timestamp_ms_;
  header.producer_id = options_.producer_id;
  header.producer_epoch = options_.producer_epoch;
  header.base_sequence = options_.base_sequence;
  header.record_count = count_;
  return header;
}

Result<Bytes> BatchBuilder::finish() {
  buffer_.resize(used_);
  Bytes batch;
  if (options_.compression == CompressionType::none || count_ == 0) {
    batch = std::move(buffer_);
  } else {
    batch.resize(kBatchHeaderBytes);
    const int level = options_.level.value_or(default_level(options_.compression));
    auto done = compress(options_.compression, level, BytesView(buffer_).subspan(kBatchHeaderBytes), batch);
    if (!done) return failure(done.error());
  }
  write_head(batch);
  return batch;
}

Result<Bytes> BatchBuilder::finish(Compressor& compressor, Bytes& output) {
  if (count_ == 0) return finish();
  buffer_.resize(used_);
  output.resize(kBatchHeaderBytes);
  if (auto done = compressor.compress(BytesView(buffer_).subspan(kBatchHeaderBytes), output); !done) {
    return failure(done.error());
  }
  Bytes batch(output.begin(), output.end());
  write_head(batch);
  return batch;
}

void BatchBuilder::write_head(Bytes& batch) const {
  write_batch_header(batch, header(batch.size()));
  big_endian::store(batch.data() + position::kCrc, compute_batch_crc(batch));
}

}  // namespace barnabas::record
