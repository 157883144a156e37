#include "broker/log/producer_state.h"
#include "common/bytes/crc32c.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace barnabas::log {
namespace {

constexpr std::int16_t kVersion = 1;
constexpr std::size_t kCrcPosition = 2;
constexpr std::size_t kChecked = 6;  ///< The checksum covers all from here.
constexpr std::size_t kEntryBytes = 46;

}  // namespace

Bytes encode_producer_snapshot(const std::vector<ProducerSnapshotEntry>& entries) {
  Writer out;
  out.int16(kVersion);
  out.uint32(0);
  out.int32(static_cast<std::int32_t>(entries.size()));
  for (const ProducerSnapshotEntry& entry : entries) {
    out.int64(entry.producer_id);
    out.int16(entry.epoch);
    out.int32(entry.last_sequence);
    out.int64(entry.last_offset);
    out.int32(entry.offset_delta);
    out.int64(entry.timestamp_ms);
    out.int32(entry.coordinator_epoch);
    out.int64(entry.transaction_first_offset);
  }
  out.patch_int32(kCrcPosition, static_cast<std::int32_t>(crc32c(out.view().subspan(kChecked))));
  return out.take();
}

Result<std::vector<ProducerSnapshotEntry>> decode_producer_snapshot(BytesView bytes) {
  Reader in(bytes);
  const std::int16_t version = in.int16();
  const std::uint32_t crc = in.uint32();
  const std::int32_t count = in.int32();
  if (in.failed() || version != kVersion) return failure(Errc::corrupt_data, "producer snapshot of another version");
  if (crc != crc32c(bytes.subspan(kChecked)))
    return failure(Errc::corrupt_data, "producer snapshot with a wrong checksum");
  if (count < 0 || in.remaining() != static_cast<std::size_t>(count) * kEntryBytes) {
    return failure(Errc::corrupt_data, "producer snapshot of a wrong length");
  }
  std::vector<ProducerSnapshotEntry> entries(static_cast<std::size_t>(count));
  for (ProducerSnapshotEntry& entry : entries) {
    entry.producer_id = in.int64();
    entry.epoch = in.int16();
    entry.last_sequence = in.int32();
    entry.last_offset = in.int64();
    entry.offset_delta = in.int32();
    entry.timestamp_ms = in.int64();
    entry.coordinator_epoch = in.int32();
    entry.transaction_first_offset = in.int64();
  }
  return entries;
}

}  // namespace barnabas::log
