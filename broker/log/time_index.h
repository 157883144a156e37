#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/log/index_file.h"
#include "common/record/batch_header.h"

namespace barnabas::log {

/// Up to `offset` no record of the segment has a larger timestamp.
struct TimeIndexEntry {
  std::int64_t timestamp_ms = record::kNoTimestamp;
  std::int64_t offset = 0;

  friend bool operator==(const TimeIndexEntry&, const TimeIndexEntry&) = default;
};

/// Entries of 12 bytes, big endian: timestamp, offset minus the base offset (docs/formats/time_index.md).
struct TimeIndexLayout {
  using Entry = TimeIndexEntry;
  static constexpr std::size_t kEntryBytes = 12;

  static void encode(Writer& out, const Entry& entry, std::int64_t base_offset) {
    out.int64(entry.timestamp_ms);
    out.int32(static_cast<std::int32_t>(entry.offset - base_offset));
  }
  static Entry decode(Reader& in, std::int64_t base_offset) {
    const std::int64_t timestamp_ms = in.int64();
    return {timestamp_ms, base_offset + in.int32()};
  }
  static std::int64_t key(const Entry& entry) { return entry.timestamp_ms; }
  static std::int64_t offset(const Entry& entry) { return entry.offset; }
  static bool is_padding(const Entry& entry, std::int64_t base_offset) {
    return entry.timestamp_ms == 0 && entry.offset == base_offset;
  }
  static bool follows(const Entry& previous, const Entry& next) {
    return next.timestamp_ms > previous.timestamp_ms && next.offset >= previous.offset;
  }
};

/// Which offsets of a segment have the largest timestamp so far.
/// Threads: any.
/// Source: Kafka's TimeIndex.
class TimeIndex : public IndexFile<TimeIndexLayout> {
 public:
  TimeIndex(std::int64_t base_offset, std::int64_t max_bytes)
      : IndexFile(base_offset), base_(base_offset), max_entries_(static_cast<std::size_t>(max_bytes) / kEntryBytes) {}

  /// The entry with the largest timestamp not above `target`; {-1, base offset} where there is none.
  Result<Entry> entry_before(std::int64_t target_ms) const;
  /// One slot stays free for the entry that ends the segment.
  bool is_full() const { return size() + 1 >= max_entries_; }

 private:
  const std::int64_t base_;
  const std::size_t max_entries_;
};

}  // namespace barnabas::log
