#include "broker/partition/replica_manager.h"

#include <algorithm>
#include <mutex>

namespace barnabas::partition {

using metadata::MetadataImage;
using protocol::ErrorCode;

Result<std::unique_ptr<ReplicaManager>> ReplicaManager::open(runtime::Env& env, ReplicaManagerOptions options,
                                                             runtime::Logger logger) {
  auto logs = log::LogManager::open(env, options.directory, options.log_settings, logger.named("log"));
  if (!logs) return failure(logs.error());
  return std::unique_ptr<ReplicaManager>(new ReplicaManager(std::move(options), std::move(*logs), std::move(logger)));
}

ReplicaManager::ReplicaManager(ReplicaManagerOptions options, std::unique_ptr<log::LogManager> logs,
                               runtime::Logger logger)
    : options_(std::move(options)), logs_(std::move(logs)), logger_(std::move(logger)) {}

ReplicaManager::~ReplicaManager() = default;

void ReplicaManager::note_problem(const std::string& what) {
  logger_.error("{}", what);
  const std::unique_lock lock(mutex_);
  problems_.push_back(what);
}

std::vector<std::string> ReplicaManager::problems() const {
  const std::shared_lock lock(mutex_);
  return problems_;
}

log::LogConfig ReplicaManager::config_of(const std::string& topic, const MetadataImage& image) const {
  return options_.topic_config(image.topic_configs(topic), image);
}

bool ReplicaManager::leads_here(const metadata::PartitionImage& partition) const {
  return partition.leader == options_.node_id;
}

void ReplicaManager::load_logs(const MetadataImage& image) {
  const auto lookup = [&](const std::string& name, const Uuid& id) {
    const auto topic = image.topic(name);
    const bool same = topic && (id.is_zero() || topic->id == id);
    return log::LoadedTopic{same ? config_of(name, image) : log::LogConfig{}, same};
  };
  if (auto loaded = logs_->load(lookup); !loaded) note_problem(loaded.error().message());
  for (const std::string& problem : logs_->problems()) note_problem(problem);
  loaded_ = true;
}

void ReplicaManager::on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) {
  if (!loaded_) load_logs(*image);
  // Deletions first: a topic may be made anew under its old name.
  for (const auto& topic : delta.deleted_topics) delete_topic(topic->id);
  for (const auto* topics : {&delta.created_topics, &delta.changed_topics}) {
    for (const Uuid& id : *topics) {
      if (const auto topic = image->topic(id)) apply_topic(*topic, *image);
    }
  }
  bool all_topics = false;
  for (const metadata::ConfigResource& resource : delta.changed_configs) {
    if (resource.type == metadata::ConfigResourceType::topic) apply_config(resource.name, *image);
    all_topics = all_topics || resource.type == metadata::ConfigResourceType::broker;
  }
  if (!all_topics) return;
  for (const auto& [name, topic] : image->topics()) apply_config(name, *image);
}

bool ReplicaManager::has_replica_here(const metadata::PartitionImage& partition) const {
  const auto& replicas = partition.replicas;
  return std::find(replicas.begin(), replicas.end(), options_.node_id) != replicas.end();
}

Result<void> ReplicaManager::prepare(const metadata::MetadataDelta& delta, const metadata::ImagePtr& coming) {
  for (const Uuid& id : delta.created_topics) {
    const auto topic = coming->topic(id);
    if (!topic) continue;
    const log::LogConfig config = config_of(topic->name, *coming);
    for (const auto& [index, partition] : topic->partitions) {
      if (!has_replica_here(partition)) continue;
      const auto made = logs_->create({topic->name, index}, id, config);
      if (!made) return failure(made.error());
    }
  }
  return {};
}

void ReplicaManager::take_back(const metadata::MetadataDelta& delta, const metadata::ImagePtr& coming) {
  for (const Uuid& id : delta.created_topics) {
    const auto topic = coming->topic(id);
    if (!topic) continue;
    for (const auto& [index, partition] : topic->partitions) {
      const auto discarded = logs_->discard({topic->name, index});
      if (!discarded) logger_.error("{}", discarded.error().message());
    }
  }
}

void ReplicaManager::apply_topic(const metadata::TopicImage& topic, const MetadataImage& image) {
  const log::LogConfig config = config_of(topic.name, image);
  for (const auto& [index, registered] : topic.partitions) {
    if (!has_replica_here(registered)) continue;
    const PartitionId id{topic.id, topic.name, index};
    if (leads_here(registered)) {
      const auto made =
          create_partition(id, config, registered.leader_epoch, static_cast<std::int32_t>(registered.isr.size()));
      if (!made) note_problem(made.error().message());
    } else if (const auto found = find(topic.id, index)) {
      found->become_follower(registered.leader_epoch);
    }
  }
}

Result<PartitionPtr> ReplicaManager::create_partition(const PartitionId& id, const log::LogConfig& config,
                                                      std::int32_t leader_epoch, std::int32_t in_sync_replicas) {
  PartitionPtr partition = find(id.topic_id, id.index);
  const bool is_new = partition == nullptr;
  if (is_new) {
    auto log = logs_->create({id.topic, id.index}, id.topic_id, config);
    if (!log) return failure(log.error());
    partition = std::make_shared<Partition>(id, std::move(*log), options_.on_move);
  }
  if (auto led = partition->become_leader(leader_epoch, in_sync_replicas); !led) return failure(led.error());
  if (!is_new) return partition;
  const std::unique_lock lock(mutex_);
  Topic& topic = topics_[id.topic_id];
  topic.name = id.topic;
  topic.partitions[id.index] = partition;
  ids_by_name_[id.topic] = id.topic_id;
  return partition;
}

void ReplicaManager::delete_topic(const Uuid& topic_id) {
  Topic gone;
  {
    const std::unique_lock lock(mutex_);
    const auto found = topics_.find(topic_id);
    if (found == topics_.end()) return;
    gone = std::move(found->second);
    topics_.erase(found);
    const auto named = ids_by_name_.find(gone.name);
    if (named != ids_by_name_.end() && named->second == topic_id) ids_by_name_.erase(named);
  }
  std::vector<log::TopicPartition> logs;
  for (const auto& [index, partition] : gone.partitions) {
    partition->retire(ErrorCode::unknown_topic_or_partition);
    logs.push_back({gone.name, index});
  }
  if (auto removed = logs_->remove(logs); !removed) note_problem(removed.error().message());
}

void ReplicaManager::update_config(const std::string& topic, const log::LogConfig& config) {
  const std::shared_lock lock(mutex_);
  const auto id = ids_by_name_.find(topic);
  if (id == ids_by_name_.end()) return;
  for (const auto& [index, partition] : topics_.at(id->second).partitions) partition->log().set_config(config);
}

void ReplicaManager::apply_config(const std::string& topic, const MetadataImage& image) {
  update_config(topic, config_of(topic, image));
}

PartitionPtr ReplicaManager::find(const Uuid& topic_id, std::int32_t index) const {
  const std::shared_lock lock(mutex_);
  const auto topic = topics_.find(topic_id);
  if (topic == topics_.end()) return nullptr;
  const auto partition = topic->second.partitions.find(index);
  return partition == topic->second.partitions.end() ? nullptr : partition->second;
}

PartitionPtr ReplicaManager::find(std::string_view topic, std::int32_t index) const {
  const std::shared_lock lock(mutex_);
  const auto id = ids_by_name_.find(topic);
  if (id == ids_by_name_.end()) return nullptr;
  const auto& partitions = topics_.at(id->second).partitions;
  const auto partition = partitions.find(index);
  return partition == partitions.end() ? nullptr : partition->second;
}

std::vector<PartitionPtr> ReplicaManager::partitions() const {
  const std::shared_lock lock(mutex_);
  std::vector<PartitionPtr> all;
  for (const auto& [name, id] : ids_by_name_) {
    for (const auto& [index, partition] : topics_.at(id).partitions) all.push_back(partition);
  }
  return all;
}

Result<void> ReplicaManager::maintain() {
  auto kept = logs_->maintain();
  auto purged = logs_->purge_deleted();
  return kept ? purged : kept;
}

Result<void> ReplicaManager::checkpoint() {
  return logs_->checkpoint();
}

Result<void> ReplicaManager::shutdown(std::int64_t broker_epoch) {
  for (const auto& partition : partitions()) partition->retire(ErrorCode::not_leader_or_follower);
  return logs_->shutdown(broker_epoch);
}

}  // namespace barnabas::partition
