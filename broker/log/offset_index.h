#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Where in a segment's file some of its offsets are.
/// Shape: entries of 8 bytes, big endian: offset minus the base offset, position (docs/formats/offset_index.md). Kafka
/// preallocates the file and pads it with zeros; such padding is taken for the end.
/// The entries of an active segment are held in memory and written out by persist(); of a sealed one they are looked up
/// in the file.
/// Threads: any.
/// Source: Kafka's OffsetIndex.
class OffsetIndex {
 public:
  static constexpr std::size_t kEntryBytes = 8;
  struct Entry {
    std::int64_t offset = 0;
    std::uint32_t position = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  OffsetIndex(std::int64_t base_offset, std::int64_t max_bytes);
  /// Opens, or makes, the file and reads its entries. Errors: corrupt_data when it cannot be this segment's index.
  Result<void> open(runtime::Files& files, const std::string& path);
  /// Empties the file: what recovery starts with.
  Result<void> reset();

  /// Ignored when the offset is not above the last one.
  void append(std::int64_t offset, std::uint32_t position);
  /// The entry with the largest offset not above `target`; {base offset, 0} where there is none.
  Result<Entry> lookup(std::int64_t target) const;
  Entry last() const;
  std::size_t size() const;
  bool is_full() const;
  std::vector<Entry> entries() const;  ///< Of an active index.

  /// Drops entries of `offset` and above.
  Result<void> truncate_to(std::int64_t offset);
  /// Writes what is not in the file yet, and cuts padding off.
  Result<void> persist(bool sync);
  /// persist, then forgets the entries in memory.
  Result<void> seal(bool sync);

 private:
  Result<void> persist_locked(bool sync);
  Result<Entry> read_entry(std::size_t index) const;
  Result<void> load_locked();

  const std::int64_t base_offset_;
  const std::size_t max_entries_;
  mutable std::mutex mutex_;
  std::shared_ptr<runtime::File> file_;  // mutex_ for changes
  std::vector<Entry> entries_;           // mutex_; of an active segment
  std::size_t count_ = 0;                // mutex_
  std::size_t persisted_ = 0;            // mutex_; entries that the file holds
  bool padded_ = false;                  // mutex_; the file is longer than its entries
  bool sealed_ = false;                  // mutex_
  Entry last_;                           // mutex_
};

}  // namespace barnabas::log
