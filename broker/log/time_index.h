#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/bytes/result.h"
#include "common/record/batch_header.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Which offsets of a segment have which largest timestamp so far.
/// Shape: entries of 12 bytes, big endian: timestamp, offset minus the base offset (docs/formats/time_index.md). An
/// entry says that no record before its offset has a larger timestamp. Padding, memory and file are as of OffsetIndex.
/// Threads: any.
/// Source: Kafka's TimeIndex.
class TimeIndex {
 public:
  static constexpr std::size_t kEntryBytes = 12;
  struct Entry {
    std::int64_t timestamp_ms = record::kNoTimestamp;
    std::int64_t offset = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  TimeIndex(std::int64_t base_offset, std::int64_t max_bytes);
  /// Opens, or makes, the file and reads its entries. Errors: corrupt_data when it cannot be this segment's index.
  Result<void> open(runtime::Files& files, const std::string& path);
  Result<void> reset();

  /// Ignored when the timestamp is not above the last one, or the index is full (and `even_if_full` is not said).
  void maybe_append(std::int64_t timestamp_ms, std::int64_t offset, bool even_if_full = false);
  /// The entry with the largest timestamp not above `target`; {-1, base offset} where there is none.
  Result<Entry> lookup(std::int64_t target_ms) const;
  Entry last() const;
  std::size_t size() const;
  bool is_full() const;
  std::vector<Entry> entries() const;  ///< Of an active index.

  /// Drops entries of `offset` and above.
  Result<void> truncate_to(std::int64_t offset);
  Result<void> persist(bool sync);
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
