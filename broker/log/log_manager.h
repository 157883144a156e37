#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/log/partition_log.h"
#include "broker/log/topic_partition.h"
#include "common/bytes/uuid.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::log {

/// What load() asks for each partition directory that it finds.
struct LoadedTopic {
  LogConfig config;
  bool wanted = true;  ///< False: the topic is gone; the directory is deleted.
};

/// One data directory: its lock, the logs in it, their checkpoints, and the marker of a clean shutdown.
/// Order of use: open, load, then anything, shutdown. `meta.properties` and __cluster_metadata-0 are others' business.
/// Threads: any.
/// Source: Kafka's LogManager, for one directory.
class LogManager {
 public:
  /// Takes the lock file. Makes the directory when absent.
  /// Errors: Errc::locked when another broker holds it.
  static Result<std::unique_ptr<LogManager>> open(runtime::Env& env, std::string directory, LogSettings settings,
                                                  runtime::Logger logger);
  ~LogManager();

  /// Opens every partition directory; recovers them when the marker of a clean shutdown is missing, and removes the
  /// marker. `lookup` says by topic name and id what holds for it; a directory without an id asks with the zero id.
  /// Errors: of the directory. A log that cannot be opened is left alone and told by problems().
  Result<void> load(const std::function<LoadedTopic(const std::string& topic, const Uuid& topic_id)>& lookup);

  /// Makes a new log, with its partition.metadata, or gives the one that is there. Nothing is left of one that could
  /// not be made. Nothing is synced: whoever asks has it from a log of his own, and asks again after a crash.
  Result<std::shared_ptr<PartitionLog>> create(const TopicPartition& partition, const Uuid& topic_id,
                                               const LogConfig& config);
  /// Nullptr where there is none.
  std::shared_ptr<PartitionLog> find(const TopicPartition& partition) const;
  std::vector<std::pair<TopicPartition, std::shared_ptr<PartitionLog>>> logs() const;

  /// Renames the directories to <topic>-<partition>.<uuid>-delete; purge_deleted() removes them. Errors: the first one;
  /// the others go nevertheless.
  Result<void> remove(const std::vector<TopicPartition>& partitions);
  /// Takes back a log that nobody has heard of: its directory is gone when this returns.
  Result<void> discard(const TopicPartition& partition);
  /// Removes directories that were renamed for deletion and whose file.delete.delay.ms is over; those of an earlier run
  /// at once. Blocks; for a worker.
  Result<void> purge_deleted();

  /// Recovery points, log start offsets and high watermarks to their files. Blocks; for a worker, each minute or so.
  Result<void> checkpoint();
  /// Retention of all logs, due flushes. Blocks; for a worker.
  Result<void> maintain();
  /// Closes all logs, writes the checkpoints and the marker of a clean shutdown with this broker epoch.
  Result<void> shutdown(std::int64_t broker_epoch);

  const std::string& directory() const noexcept { return directory_; }
  /// A log that was written failed for good: its data cannot be trusted to reach the disk.
  bool is_offline() const;
  /// Logs that load() could not open, and why.
  const std::vector<std::string>& problems() const noexcept { return problems_; }
  /// Whether the last run ended properly; known after open.
  bool was_clean() const noexcept { return was_clean_; }
  /// Of the last run's marker.
  std::optional<std::int64_t> previous_broker_epoch() const noexcept { return previous_broker_epoch_; }

 private:
  using Checkpoints = std::map<TopicPartition, std::int64_t>;
  struct Found;

  LogManager(runtime::Env& env, std::string directory, LogSettings settings, runtime::Logger logger);
  Result<void> read_clean_marker();
  Result<void> load_one(const Found& found, const LoadedTopic& topic);
  Result<std::vector<Found>> find_partitions();
  /// The caller syncs the directory.
  Result<void> rename_for_deletion(const std::string& directory_name, std::int64_t delay_ms);
  Result<void> remove_one(const TopicPartition& partition);
  Result<void> give_id(const TopicPartition& partition, const Uuid& topic_id);
  Result<std::shared_ptr<PartitionLog>> make_log(const TopicPartition& partition, const Uuid& topic_id,
                                                 const LogConfig& config);
  Result<void> write_checkpoints(const std::vector<std::pair<TopicPartition, std::shared_ptr<PartitionLog>>>& logs);
  Result<void> write_checkpoint(const char* name, Checkpoints& written, Checkpoints now);
  Result<Checkpoints> read_checkpoint(const std::string& name) const;
  OpenOptions options_for(const TopicPartition& partition, const LogConfig& config) const;

  runtime::Env& env_;
  std::string directory_;
  LogSettings settings_;
  runtime::Logger logger_;
  std::unique_ptr<runtime::FileLock> lock_;
  bool was_clean_ = false;
  std::optional<std::int64_t> previous_broker_epoch_;
  Checkpoints recovery_points_;        // as in the file: read at the start, then checkpoint_mutex_
  Checkpoints log_starts_;             // the same
  Checkpoints high_watermarks_;        // the same
  std::vector<std::string> problems_;  // of load()

  mutable std::mutex mutex_;
  std::map<TopicPartition, std::shared_ptr<PartitionLog>> logs_;  // mutex_
  std::set<TopicPartition> without_id_;                           // mutex_; of logs_, until create() tells their ids
  std::mutex deleted_mutex_;                                      // leaf
  std::map<std::string, std::int64_t>
      deleted_;                  // deleted_mutex_; renamed directories, and when they go (wall clock, ms)
  std::mutex checkpoint_mutex_;  // one writer of the checkpoint files at a time
  bool shut_down_ = false;       // checkpoint_mutex_
};

}  // namespace barnabas::log
