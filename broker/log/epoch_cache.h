#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Which leader epoch began at which offset: `leader-epoch-checkpoint`. Both rise from entry to entry.
/// Threads: any; one leaf mutex.  Source: Kafka's LeaderEpochFileCache.
class EpochCache {
 public:
  struct Entry {
    std::int32_t epoch = -1;
    std::int64_t start_offset = -1;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  EpochCache(runtime::Files& files, std::string path) : files_(&files), path_(std::move(path)) {}

  /// A file that cannot be read is an error: epochs decide what is truncated.
  Result<void> load();
  /// Notes the epoch if it is new, and writes the file then.
  Result<void> assign(std::int32_t epoch, std::int64_t start_offset);
  /// Drops epochs that begin at or behind the new log end.
  Result<void> truncate_from_end(std::int64_t end_offset);
  /// Drops epochs that ended before the new log start; the one that holds it now begins there.
  Result<void> truncate_from_start(std::int64_t start_offset);
  std::optional<Entry> latest() const;
  /// The epoch that the record at this offset was written in.
  std::optional<std::int32_t> epoch_of(std::int64_t offset) const;
  /// Largest known epoch that is not above the one asked for, and where it ended; none where nothing is known of it.
  std::optional<std::pair<std::int32_t, std::int64_t>> end_offset_for(std::int32_t epoch,
                                                                      std::int64_t log_end_offset) const;
  std::vector<Entry> entries() const;

 private:
  Result<void> store(std::vector<Entry> entries);

  runtime::Files* files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // mutex_
};

}  // namespace barnabas::log
