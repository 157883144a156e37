#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/log/index_file.h"

namespace barnabas::log {

/// A batch whose last offset is `offset` begins at `position` of the segment's file.
struct OffsetIndexEntry {
  std::int64_t offset = 0;
  std::uint32_t position = 0;

  friend bool operator==(const OffsetIndexEntry&, const OffsetIndexEntry&) = default;
};

/// Entries of 8 bytes, big endian: offset minus the base offset, position (docs/formats/offset_index.md).
struct OffsetIndexLayout {
  using Entry = OffsetIndexEntry;
  static constexpr std::size_t kEntryBytes = 8;

  static void encode(Writer& out, const Entry& entry, std::int64_t base_offset) {
    out.int32(static_cast<std::int32_t>(entry.offset - base_offset));
    out.uint32(entry.position);
  }
  static Entry decode(Reader& in, std::int64_t base_offset) {
    const std::int64_t offset = base_offset + in.int32();
    return {offset, in.uint32()};
  }
  static std::int64_t key(const Entry& entry) { return entry.offset; }
  static std::int64_t offset(const Entry& entry) { return entry.offset; }
  /// The first batch of a segment has no entry, so a position is never 0.
  static bool is_padding(const Entry& entry, std::int64_t) { return entry.position == 0; }
  static bool follows(const Entry& previous, const Entry& next) {
    return next.offset > previous.offset && next.position > previous.position;
  }
};

/// Where in a segment's file some of its offsets are.
/// Threads: any.
/// Source: Kafka's OffsetIndex.
class OffsetIndex : public IndexFile<OffsetIndexLayout> {
 public:
  OffsetIndex(std::int64_t base_offset, std::int64_t max_bytes)
      : IndexFile(base_offset), base_(base_offset), max_entries_(static_cast<std::size_t>(max_bytes) / kEntryBytes) {}

  /// The entry with the largest offset not above `target`; {base offset, 0} where there is none.
  Result<Entry> position_before(std::int64_t target) const;
  bool is_full() const { return size() >= max_entries_; }

 private:
  const std::int64_t base_;
  const std::size_t max_entries_;
};

}  // namespace barnabas::log
