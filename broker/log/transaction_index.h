#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// A transaction that was aborted, as a read_committed reader needs to know it.
struct AbortedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;         ///< Of the abort marker.
  std::int64_t last_stable_offset = -1;  ///< When the marker was written.
  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

/// `<base offset>.txnindex`: the aborted transactions whose marker lies in the segment, in order. Absent while there is
/// none. Threads: the log's, under its mutex.  Source: Kafka's TransactionIndex.
class TransactionIndex {
 public:
  static constexpr std::size_t kEntryBytes = 34;

  TransactionIndex(runtime::Files& files, std::string path) : files_(&files), path_(std::move(path)) {}

  Result<void> append(const AbortedTransaction& aborted);
  /// Those that overlap [from, upper_bound).
  Result<std::vector<AbortedTransaction>> overlapping(std::int64_t from, std::int64_t upper_bound) const;
  /// Drops those whose marker lies at or behind `offset`.
  Result<void> truncate_to(std::int64_t offset);
  const std::string& path() const noexcept { return path_; }

 private:
  Result<std::vector<AbortedTransaction>> all() const;

  runtime::Files* files_;
  std::string path_;
};

}  // namespace barnabas::log
