#include "tests/differential/batches.h"

#include <algorithm>
#include <deque>

#include "common/record/batch_header.h"

namespace barnabas::differential {
namespace {

/// The checksum's own bytes, big endian.
void write_crc(Bytes& batch) {
  const std::uint32_t crc = record::compute_batch_crc(batch);
  for (std::size_t i = 0; i < 4; ++i) {
    batch[record::position::kCrc + i] = static_cast<std::byte>(crc >> (24 - 8 * i) & 0xff);
  }
}

}  // namespace

Bytes batch_of(const std::vector<std::string>& values, const record::BatchOptions& options) {
  record::BatchBuilder builder(options);
  std::int64_t timestamp = kFirstTimestampMs;
  for (const std::string& value : values) {
    record::RecordInput input;
    input.timestamp_ms = timestamp;
    input.key = as_bytes("key");
    input.value = as_bytes(value);
    builder.append(input);
    timestamp += 1000;
  }
  return builder.finish().value();
}

Bytes batch_of_keys(const std::vector<std::string>& keys) {
  record::BatchBuilder builder;
  for (const std::string& key : keys) {
    record::RecordInput input;
    input.timestamp_ms = kFirstTimestampMs;
    input.key = as_bytes(key);
    builder.append(input);
  }
  return builder.finish().value();
}

Bytes idempotent_batch(std::int64_t producer_id, std::int16_t epoch, std::int32_t sequence, std::size_t records) {
  record::BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  return batch_of(std::vector<std::string>(records, "value"), options);
}

Bytes patched(Bytes batch, std::size_t position, std::string_view bytes, bool seal) {
  std::ranges::copy(as_bytes(bytes), batch.begin() + static_cast<std::ptrdiff_t>(position));
  if (seal) write_crc(batch);
  return batch;
}

Bytes joined(const Bytes& first, const Bytes& second) {
  Bytes both = first;
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

protocol::RecordsRef keep(Bytes bytes) {
  static std::deque<Bytes> kept;
  return {kept.emplace_back(std::move(bytes))};
}

}  // namespace barnabas::differential
