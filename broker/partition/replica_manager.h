#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/log/log_manager.h"
#include "broker/metadata/delta.h"
#include "broker/partition/partition.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::partition {

struct ReplicaManagerOptions {
  std::int32_t node_id = 1;
  std::string directory;  ///< The data directory.
  log::LogSettings log_settings;
  /// A topic's settings by its overrides: config::effective_topic_config with the broker's layers, as LogConfig.
  std::function<log::LogConfig(const std::map<std::string, std::string>& overrides,
                               const metadata::MetadataImage& image)>
      topic_config;
  MoveListener on_move;  ///< Purgatory::notify, say. May be empty.
};

/// The partitions of this broker. It follows the metadata image: a topic is there, with its logs and leaderships, when
/// on_metadata returns; so it is usable the moment CreateTopics answers.
/// Order of use: open (takes the lock), on_metadata with the first image (loads and recovers all logs), then changes.
/// Threads: on_metadata on one thread; everything else on any.
/// Source: Kafka's ReplicaManager and BrokerMetadataPublisher.
class ReplicaManager final : public metadata::MetadataListener {
 public:
  static Result<std::unique_ptr<ReplicaManager>> open(runtime::Env& env, ReplicaManagerOptions options,
                                                      runtime::Logger logger);
  ~ReplicaManager() override;

  void on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) override;
  /// Makes the logs of new topics. Errors: a log that cannot be made, a full disk above all.
  Result<void> prepare(const metadata::MetadataDelta& delta, const metadata::ImagePtr& coming) override;
  void take_back(const metadata::MetadataDelta& delta, const metadata::ImagePtr& coming) override;

  /// Nullptr where this broker has no such partition.
  PartitionPtr find(const Uuid& topic_id, std::int32_t index) const;
  PartitionPtr find(std::string_view topic, std::int32_t index) const;
  std::vector<PartitionPtr> partitions() const;

  /// What a listener of metadata does, one by one; for tests and tools as well.
  Result<PartitionPtr> create_partition(const PartitionId& id, const log::LogConfig& config, std::int32_t leader_epoch,
                                        std::int32_t in_sync_replicas = 1);
  void delete_topic(const Uuid& topic_id);
  void update_config(const std::string& topic, const log::LogConfig& config);

  /// Retention, due flushes, removal of deleted directories. Blocks; on a worker, each few minutes (and soon after
  /// deletes).
  Result<void> maintain();
  /// Blocks; on a worker, each minute.
  Result<void> checkpoint();
  /// Answers everything with NOT_LEADER_OR_FOLLOWER from now on, closes all logs, writes the clean-shutdown marker.
  Result<void> shutdown(std::int64_t broker_epoch);

  log::LogManager& logs() noexcept { return *logs_; }
  /// What went wrong while the metadata was applied (a log that could not be made or recovered); empty when all is
  /// well.
  std::vector<std::string> problems() const;

 private:
  ReplicaManager(ReplicaManagerOptions options, std::unique_ptr<log::LogManager> logs, runtime::Logger logger);
  void load_logs(const metadata::MetadataImage& image);
  void apply_topic(const metadata::TopicImage& topic, const metadata::MetadataImage& image);
  void apply_config(const std::string& topic, const metadata::MetadataImage& image);
  log::LogConfig config_of(const std::string& topic, const metadata::MetadataImage& image) const;
  void note_problem(const std::string& what);
  bool has_replica_here(const metadata::PartitionImage& partition) const;
  bool leads_here(const metadata::PartitionImage& partition) const;

  struct Topic {
    std::string name;
    std::map<std::int32_t, PartitionPtr> partitions;
  };

  const ReplicaManagerOptions options_;
  const std::unique_ptr<log::LogManager> logs_;
  const runtime::Logger logger_;
  bool loaded_ = false;  // the metadata's thread

  mutable std::shared_mutex mutex_;
  std::unordered_map<Uuid, Topic> topics_;                // mutex_
  std::map<std::string, Uuid, std::less<>> ids_by_name_;  // mutex_
  std::vector<std::string> problems_;                     // mutex_
};

}  // namespace barnabas::partition
