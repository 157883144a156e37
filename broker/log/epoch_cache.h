#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/result.h"
#include "common/record/batch_header.h"
#include "common/runtime/files.h"

namespace barnabas::log {

struct EpochEntry {
  std::int32_t epoch = 0;
  std::int64_t start_offset = 0;

  friend bool operator==(const EpochEntry&, const EpochEntry&) = default;
};

/// Which leader epoch began at which offset; kept in the file leader-epoch-checkpoint (docs/formats/checkpoints.md).
/// Invariant: epochs and start offsets both rise strictly.
/// Threads: any.
/// Source: Kafka's LeaderEpochFileCache.
class EpochCache {
 public:
  /// Reads the file; an absent one is an empty cache.
  Result<void> open(runtime::Files& files, const std::string& directory);

  /// Notes that `epoch` begins here. Entries that contradict it go. The file is left to write_if_changed(): what it
  /// lacks after a crash, recovery finds in the batches behind the recovery point, which must not pass it.
  void assign(std::int32_t epoch, std::int64_t start_offset);
  /// Like assign, but only for an epoch above the latest: for recovery.
  void note(std::int32_t epoch, std::int64_t start_offset);
  Result<void> write_if_changed();
  /// Drops entries from `offset` on. The file is left to write_if_changed(): a start would drop them again.
  Result<void> truncate_from_end(std::int64_t offset);
  /// Drops what ends before `offset`; the epoch in force there starts there now.
  Result<void> truncate_from_start(std::int64_t offset);
  Result<void> clear();

  std::optional<EpochEntry> latest() const;
  std::optional<EpochEntry> earliest() const;
  /// -1 where none is known.
  std::int32_t epoch_of(std::int64_t offset) const;
  /// {epoch, end offset} for OffsetForLeaderEpoch: the largest known epoch not above the one asked for, and where the
  /// next one begins; {-1, -1} when not known.
  std::pair<std::int32_t, std::int64_t> end_offset_for(std::int32_t epoch, std::int64_t log_end) const;
  std::vector<EpochEntry> entries() const;

 private:
  void assign_locked(std::int32_t epoch, std::int64_t start_offset);
  Result<void> write_locked();

  runtime::Files* files_ = nullptr;
  mutable std::mutex mutex_;
  std::string path_;                 // mutex_
  std::vector<EpochEntry> entries_;  // mutex_
  bool changed_ = false;             // mutex_; since the file was written
};

}  // namespace barnabas::log
