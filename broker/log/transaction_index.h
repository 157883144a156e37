#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// A transaction that was aborted: what a READ_COMMITTED fetch tells the consumer.
struct AbortedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;
  std::int64_t last_stable_offset = -1;

  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

/// Aborted transactions that ended in one segment; the file exists only when there is one.
/// Shape: entries of 34 bytes: version int16 (0), then the four numbers of AbortedTransaction as int64.
/// Threads: any.
/// Source: Kafka's TransactionIndex.
class TransactionIndex {
 public:
  static constexpr std::size_t kEntryBytes = 34;

  TransactionIndex(runtime::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  /// Reads the file where there is one. Errors: corrupt_data.
  Result<void> open();
  Result<void> append(const AbortedTransaction& entry);
  /// Drops entries that end at `offset` or later.
  Result<void> truncate_to(std::int64_t offset);
  Result<void> sync();
  /// Entries that touch [from, upper). `complete` becomes true where no later segment can hold one that does.
  void collect(std::int64_t from, std::int64_t upper, std::vector<AbortedTransaction>& out, bool& complete) const;
  std::vector<AbortedTransaction> entries() const;
  runtime::Files& files() const noexcept { return files_; }

 private:
  runtime::Files& files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<runtime::File> file_;      // mutex_; null while there is none
  std::vector<AbortedTransaction> entries_;  // mutex_
};

}  // namespace barnabas::log
