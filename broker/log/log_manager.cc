#include "broker/log/log_manager.h"

#include <nlohmann/json.hpp>

#include "broker/log/checkpoint_file.h"
#include "broker/log/partition_metadata.h"

namespace barnabas::log {
namespace {

constexpr const char* kLockFile = ".lock";
constexpr const char* kCleanShutdownFile = ".kafka_cleanshutdown";
constexpr const char* kRecoveryPointFile = "recovery-point-offset-checkpoint";
constexpr const char* kLogStartFile = "log-start-offset-checkpoint";
constexpr const char* kHighWatermarkFile = "replication-offset-checkpoint";
constexpr const char* kDeleteSuffix = "-delete";
constexpr const char* kFutureSuffix = "-future";
constexpr const char* kStraySuffix = "-stray";
constexpr const char* kMetadataTopic = "__cluster_metadata";
constexpr std::size_t kMaxDirectoryName = 255;
constexpr std::size_t kUuidHexDigits = 32;

std::int64_t value_or(const std::map<TopicPartition, std::int64_t>& offsets, const TopicPartition& partition) {
  const auto found = offsets.find(partition);
  return found == offsets.end() ? 0 : found->second;
}

std::string random_hex(runtime::Random& random) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  while (text.size() < kUuidHexDigits) text += digits[random.below(digits.size())];
  return text;
}

}  // namespace

struct LogManager::Found {
  TopicPartition partition;
  Uuid topic_id;
};

LogManager::LogManager(runtime::Env& env, std::string directory, LogSettings settings, runtime::Logger logger)
    : env_(env), directory_(std::move(directory)), settings_(settings), logger_(std::move(logger)) {}

LogManager::~LogManager() = default;

Result<std::unique_ptr<LogManager>> LogManager::open(runtime::Env& env, std::string directory, LogSettings settings,
                                                     runtime::Logger logger) {
  std::unique_ptr<LogManager> manager(new LogManager(env, std::move(directory), settings, std::move(logger)));
  if (auto made = env.files().make_directories(manager->directory_); !made) return failure(made.error());
  auto lock = env.files().lock(manager->directory_ + '/' + kLockFile);
  if (!lock) return failure(lock.error());
  manager->lock_ = std::move(*lock);
  if (auto read = manager->read_clean_marker(); !read) return failure(read.error());
  for (auto [offsets, name] :
       {std::pair(&manager->recovery_points_, kRecoveryPointFile), std::pair(&manager->log_starts_, kLogStartFile),
        std::pair(&manager->high_watermarks_, kHighWatermarkFile)}) {
    auto read = manager->read_checkpoint(name);
    if (!read) return failure(read.error());
    *offsets = std::move(*read);
  }
  return manager;
}

Result<void> LogManager::read_clean_marker() {
  const std::string path = directory_ + '/' + kCleanShutdownFile;
  if (!env_.files().exists(path)) return {};
  const auto bytes = env_.files().read(path);
  if (!bytes) return failure(bytes.error());
  was_clean_ = true;
  // Kafka before 3.6 wrote an empty file; what it says is a help, not a need.
  const auto json = nlohmann::json::parse(as_text(*bytes), nullptr, false);
  if (json.is_object() && json.contains("brokerEpoch") && json["brokerEpoch"].is_number_integer()) {
    previous_broker_epoch_ = json["brokerEpoch"].get<std::int64_t>();
  }
  return {};
}

Result<LogManager::Checkpoints> LogManager::read_checkpoint(const std::string& name) const {
  auto offsets = read_offset_checkpoint(env_.files(), directory_ + '/' + name);
  if (offsets || offsets.error().code != make_error_code(Errc::corrupt_data)) return offsets;
  // Each says only where to begin: without it recovery reads more, and nothing is lost.
  logger_.warn("{}; it is taken as empty", offsets.error().message());
  return Checkpoints{};
}

Result<std::vector<LogManager::Found>> LogManager::find_partitions() {
  const auto entries = env_.files().list(directory_);
  if (!entries) return failure(entries.error());
  std::vector<Found> found;
  for (const auto& entry : *entries) {
    if (entry.is_directory && entry.name.ends_with(kDeleteSuffix)) deleted_.emplace(entry.name, 0);
    const bool skipped = entry.name.ends_with(kDeleteSuffix) || entry.name.ends_with(kFutureSuffix) ||
                         entry.name.ends_with(kStraySuffix);
    if (!entry.is_directory || skipped) continue;
    auto partition = TopicPartition::parse(entry.name);
    if (!partition || partition->topic == kMetadataTopic) continue;
    Found one{std::move(*partition), Uuid{}};
    const auto id = read_partition_metadata(env_.files(), directory_ + '/' + entry.name);
    if (id) one.topic_id = *id;
    if (!id && id.error().code != make_error_code(Errc::not_found)) {
      problems_.push_back(id.error().message());
      continue;
    }
    found.push_back(std::move(one));
  }
  return found;
}

OpenOptions LogManager::options_for(const TopicPartition& partition, const LogConfig& config) const {
  OpenOptions options;
  options.topic_partition = partition.to_string();
  options.directory = directory_ + '/' + options.topic_partition;
  options.config = config;
  options.settings = settings_;
  options.owns_directory = true;
  return options;
}

Result<void> LogManager::load(const std::function<LoadedTopic(const std::string&, const Uuid&)>& lookup) {
  const auto found = find_partitions();
  if (!found) return failure(found.error());
  // From here on a crash is unclean, whatever the marker said.
  const std::string marker = directory_ + '/' + kCleanShutdownFile;
  if (env_.files().exists(marker)) {
    if (auto removed = env_.files().remove(marker); !removed) return removed;
    if (auto synced = env_.files().sync_directory(directory_); !synced) return synced;
  }
  for (const Found& one : *found) {
    if (auto loaded = load_one(one, lookup(one.partition.topic, one.topic_id)); !loaded) {
      problems_.push_back(loaded.error().message());
    }
  }
  for (const std::string& problem : problems_) logger_.error("{}", problem);
  return {};
}

Result<void> LogManager::load_one(const Found& found, const LoadedTopic& topic) {
  if (!topic.wanted) {
    logger_.info("{} belongs to no topic any more: deleting it", found.partition.to_string());
    if (auto renamed = rename_for_deletion(found.partition.to_string(), topic.config.file_delete_delay_ms); !renamed)
      return renamed;
    return env_.files().sync_directory(directory_);
  }
  OpenOptions options = options_for(found.partition, topic.config);
  options.clean_shutdown = was_clean_;
  options.recovery_point = value_or(recovery_points_, found.partition);
  options.log_start_offset = value_or(log_starts_, found.partition);
  options.high_watermark = value_or(high_watermarks_, found.partition);
  auto log = PartitionLog::open(env_, std::move(options));
  if (!log) return failure(log.error());
  const std::lock_guard lock(mutex_);
  logs_[found.partition] = std::move(*log);
  if (found.topic_id.is_zero()) without_id_.insert(found.partition);
  return {};
}

Result<std::shared_ptr<PartitionLog>> LogManager::create(const TopicPartition& partition, const Uuid& topic_id,
                                                         const LogConfig& config) {
  const std::lock_guard lock(mutex_);
  if (const auto found = logs_.find(partition); found != logs_.end()) {
    if (auto given = give_id(partition, topic_id); !given) return failure(given.error());
    return found->second;
  }
  const std::string directory = directory_ + '/' + partition.to_string();
  bool is_new = !env_.files().exists(directory);
  if (!is_new) {
    const auto id = read_partition_metadata(env_.files(), directory);
    if (!id && id.error().code != make_error_code(Errc::not_found)) return failure(id.error());
    // A topic of this name was deleted while its log could not be opened: its records are not this one's.
    is_new = id && *id != topic_id;
    if (is_new) {
      if (auto renamed = rename_for_deletion(partition.to_string(), config.file_delete_delay_ms); !renamed)
        return failure(renamed.error());
      if (auto synced = env_.files().sync_directory(directory_); !synced) return failure(synced.error());
    }
  }
  auto log = make_log(partition, topic_id, config);
  if (log) {
    logs_[partition] = *log;
  } else if (is_new) {
    // Half a log would stand in the way of the next attempt.
    const auto removed = env_.files().remove_all(directory);
    if (!removed) logger_.error("{}", removed.error().message());
  }
  return log;
}

Result<std::shared_ptr<PartitionLog>> LogManager::make_log(const TopicPartition& partition, const Uuid& topic_id,
                                                           const LogConfig& config) {
  OpenOptions options = options_for(partition, config);
  const std::string directory = options.directory;
  auto log = PartitionLog::open(env_, std::move(options));
  if (!log) return failure(log.error());
  if (auto written = write_partition_metadata(env_.files(), directory, topic_id); !written)
    return failure(written.error());
  return std::shared_ptr<PartitionLog>(std::move(*log));
}

/// A log that a crash left without its id, or that is older than ids, gets the one of the topic that it belongs to.
Result<void> LogManager::give_id(const TopicPartition& partition, const Uuid& topic_id) {
  if (without_id_.count(partition) == 0) return {};
  const std::string directory = directory_ + '/' + partition.to_string();
  if (auto written = write_partition_metadata(env_.files(), directory, topic_id); !written) return written;
  if (auto synced = sync_partition_metadata(env_.files(), directory); !synced) return synced;
  if (auto synced = env_.files().sync_directory(directory); !synced) return synced;
  without_id_.erase(partition);
  return {};
}

Result<void> LogManager::discard(const TopicPartition& partition) {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(partition);
  if (found == logs_.end()) return {};
  found->second->retire();
  logs_.erase(found);
  return env_.files().remove_all(directory_ + '/' + partition.to_string());
}

std::shared_ptr<PartitionLog> LogManager::find(const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(partition);
  return found == logs_.end() ? nullptr : found->second;
}

std::vector<std::pair<TopicPartition, std::shared_ptr<PartitionLog>>> LogManager::logs() const {
  const std::lock_guard lock(mutex_);
  return {logs_.begin(), logs_.end()};
}

Result<void> LogManager::rename_for_deletion(const std::string& name, std::int64_t delay_ms) {
  const std::string suffix = '.' + random_hex(env_.random()) + kDeleteSuffix;
  const std::string renamed = name.substr(0, kMaxDirectoryName - suffix.size()) + suffix;
  if (auto done = env_.files().rename(directory_ + '/' + name, directory_ + '/' + renamed); !done) return done;
  const std::lock_guard lock(deleted_mutex_);
  deleted_.emplace(renamed, env_.clock().wall_ms() + delay_ms);
  return {};
}

Result<void> LogManager::remove_one(const TopicPartition& partition) {
  std::shared_ptr<PartitionLog> log;
  {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find(partition);
    if (found == logs_.end()) return failure(Errc::not_found, partition.to_string());
    log = std::move(found->second);
    logs_.erase(found);
    without_id_.erase(partition);
  }
  log->retire();
  return rename_for_deletion(partition.to_string(), log->config().file_delete_delay_ms);
}

Result<void> LogManager::remove(const std::vector<TopicPartition>& partitions) {
  Result<void> first;
  for (const TopicPartition& partition : partitions) {
    auto removed = remove_one(partition);
    if (!removed && first) first = std::move(removed);
  }
  auto synced = env_.files().sync_directory(directory_);
  return first ? synced : first;
}

Result<void> LogManager::purge_deleted() {
  const std::int64_t now = env_.clock().wall_ms();
  std::vector<std::string> due;
  {
    const std::lock_guard lock(deleted_mutex_);
    for (const auto& [name, due_ms] : deleted_) {
      if (due_ms <= now) due.push_back(name);
    }
  }
  for (const std::string& name : due) {
    if (auto removed = env_.files().remove_all(directory_ + '/' + name); !removed) return removed;
    const std::lock_guard lock(deleted_mutex_);
    deleted_.erase(name);
  }
  return {};
}

Result<void> LogManager::write_checkpoints(
    const std::vector<std::pair<TopicPartition, std::shared_ptr<PartitionLog>>>& logs) {
  Checkpoints recovery_points;
  Checkpoints log_starts;
  Checkpoints high_watermarks;
  for (const auto& [partition, log] : logs) {
    recovery_points[partition] = log->recovery_point();
    high_watermarks[partition] = log->high_watermark();
    if (log->log_start_offset() > log->first_segment_offset()) log_starts[partition] = log->log_start_offset();
  }
  if (auto done = write_checkpoint(kRecoveryPointFile, recovery_points_, std::move(recovery_points)); !done)
    return done;
  if (auto done = write_checkpoint(kLogStartFile, log_starts_, std::move(log_starts)); !done) return done;
  return write_checkpoint(kHighWatermarkFile, high_watermarks_, std::move(high_watermarks));
}

/// A file that says it already is left alone: each one costs two syncs.
Result<void> LogManager::write_checkpoint(const char* name, Checkpoints& written, Checkpoints now) {
  if (written == now) return {};
  if (auto done = write_offset_checkpoint(env_.files(), directory_ + '/' + name, now); !done) return done;
  written = std::move(now);
  return {};
}

Result<void> LogManager::checkpoint() {
  const std::lock_guard lock(checkpoint_mutex_);
  return shut_down_ ? Result<void>{} : write_checkpoints(logs());
}

Result<void> LogManager::maintain() {
  Result<void> first;
  for (const auto& [partition, log] : logs()) {
    if (log->is_offline()) continue;
    Result<void> done = log->flush_if_due();
    if (const auto deleted = log->apply_retention(); !deleted) done = failure(deleted.error());
    if (!done) logger_.error("{}", done.error().message());
    if (!done && first) first = done;
  }
  return first;
}

Result<void> LogManager::shutdown(std::int64_t broker_epoch) {
  const std::lock_guard lock(checkpoint_mutex_);
  if (shut_down_) return {};
  shut_down_ = true;
  const auto all = logs();
  Result<void> first;
  for (const auto& [partition, log] : all) {
    auto closed = log->close();
    if (!closed) logger_.error("{}", closed.error().message());
    if (!closed && first) first = closed;
  }
  if (auto written = write_checkpoints(all); !written) return written;
  // Only a directory whose every log is closed, and was opened, is clean.
  if (!first || !problems_.empty()) return first;
  const nlohmann::ordered_json marker{{"version", 0}, {"brokerEpoch", broker_epoch}};
  return env_.files().write_atomically(directory_ + '/' + kCleanShutdownFile, as_bytes(marker.dump()));
}

bool LogManager::is_offline() const {
  for (const auto& [partition, log] : logs()) {
    if (log->is_offline()) return true;
  }
  return false;
}

}  // namespace barnabas::log
