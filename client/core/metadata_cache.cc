#include "client/core/metadata_cache.h"

#include <algorithm>
#include <utility>

#include "common/protocol/errors.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using Topic = protocol::MetadataResponse::MetadataResponseTopic;
using Partition = protocol::MetadataResponse::MetadataResponsePartition;

PartitionMetadata to_partition(const Partition& partition) {
  PartitionMetadata result;
  result.partition = partition.partition_index;
  result.leader = partition.leader_id;
  result.leader_epoch = partition.leader_epoch;
  result.replicas = partition.replica_nodes;
  result.in_sync_replicas = partition.isr_nodes;
  result.offline_replicas = partition.offline_replicas;
  result.error = static_cast<ErrorCode>(partition.error_code);
  return result;
}

/// A topic's partitions by number. One that the answer leaves out has no leader.
std::vector<PartitionMetadata> to_partitions(const std::vector<Partition>& partitions) {
  std::vector<PartitionMetadata> result(partitions.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].partition = static_cast<std::int32_t>(i);
    result[i].error = ErrorCode::leader_not_available;
  }
  for (const Partition& partition : partitions) {
    const auto index = static_cast<std::size_t>(partition.partition_index);
    if (partition.partition_index >= 0 && index < result.size()) result[index] = to_partition(partition);
  }
  return result;
}

bool is_settled(const TopicMetadata& topic) {
  if (topic.error != ErrorCode::none) return !protocol::is_retriable(topic.error);
  return std::all_of(topic.partitions.begin(), topic.partitions.end(),
                     [](const PartitionMetadata& partition) { return partition.leader >= 0; });
}

}  // namespace

MetadataCache::MetadataCache(Options options)
    : options_(options), snapshot_(std::make_shared<const ClusterSnapshot>()), all_topics_(options.all_topics) {}

std::shared_ptr<const ClusterSnapshot> MetadataCache::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

bool MetadataCache::want_topic(const std::string& name, runtime::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = wanted_.insert_or_assign(name, now);
  if (is_new && !all_topics_.load(std::memory_order_acquire)) {
    request_update();
    new_topics_.store(true, std::memory_order_release);
  }
  return is_new;
}

runtime::MonotonicTime MetadataCache::next_update(runtime::MonotonicTime now) const {
  if (update_requested_.load(std::memory_order_acquire) || last_success_ == runtime::MonotonicTime::min()) return now;
  return last_success_ + options_.max_age;
}

protocol::MetadataRequest MetadataCache::request(std::int16_t version, runtime::MonotonicTime now) {
  static_cast<void>(version);  // all fields set here exist from the lowest version we speak
  update_requested_.store(false, std::memory_order_release);
  new_topics_.store(false, std::memory_order_release);
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = options_.allow_auto_topic_creation;
  if (all_topics_.load(std::memory_order_acquire)) {
    request.topics = std::nullopt;
    return request;
  }
  auto& topics = request.topics.emplace();
  const std::lock_guard lock(mutex_);
  if (options_.max_idle.count() > 0) {
    std::erase_if(wanted_, [&](const auto& entry) { return entry.second + options_.max_idle <= now; });
  }
  for (const auto& [name, asked] : wanted_) topics.emplace_back().name = name;
  return request;
}

std::shared_ptr<const TopicMetadata> MetadataCache::merge_topic(const Topic& topic,
                                                                const ClusterSnapshot& before) const {
  auto merged = std::make_shared<TopicMetadata>();
  merged->name = topic.name.value_or(std::string());
  merged->id = topic.topic_id;
  merged->is_internal = topic.is_internal;
  merged->error = static_cast<ErrorCode>(topic.error_code);
  merged->partitions = to_partitions(topic.partitions);
  const TopicMetadata* known = before.topic(merged->name);
  if (known == nullptr || known->id != merged->id) return merged;
  for (PartitionMetadata& partition : merged->partitions) {
    const PartitionMetadata* old = known->find(partition.partition);
    const bool is_older = old != nullptr && partition.leader_epoch >= 0 && partition.leader_epoch < old->leader_epoch;
    if (is_older) partition = *old;
  }
  return merged;
}

void MetadataCache::on_response(const protocol::MetadataResponse& response, runtime::MonotonicTime now) {
  const auto before = snapshot();
  auto next = std::make_shared<ClusterSnapshot>();
  next->cluster_id = response.cluster_id.value_or(before->cluster_id);
  next->controller_id = response.controller_id;
  for (const auto& broker : response.brokers) {
    next->brokers[broker.node_id] =
        Node{broker.node_id, broker.host, static_cast<std::uint16_t>(broker.port), broker.rack};
  }
  bool settled = true;
  for (const auto& topic : response.topics) {
    if (!topic.name) continue;
    auto merged = merge_topic(topic, *before);
    settled = settled && is_settled(*merged);
    next->topics[merged->name] = std::move(merged);
  }
  last_success_ = now;
  publish(std::move(next));
  if (!settled) request_update();
}

void MetadataCache::on_failure(runtime::MonotonicTime now) {
  static_cast<void>(now);
  new_topics_.store(false, std::memory_order_release);
  request_update();
}

bool MetadataCache::update_leader(const std::string& topic, std::int32_t partition, std::int32_t leader,
                                  std::int32_t leader_epoch, const std::vector<Node>& nodes) {
  const auto before = snapshot();
  const PartitionMetadata* known = before->partition(topic, partition);
  if (known == nullptr || leader < 0 || leader_epoch <= known->leader_epoch) return false;
  auto next = std::make_shared<ClusterSnapshot>(*before);
  for (const Node& node : nodes) next->brokers[node.id] = node;
  if (next->broker(leader) == nullptr) return false;
  auto changed = std::make_shared<TopicMetadata>(*before->topic(topic));
  PartitionMetadata& entry = changed->partitions[static_cast<std::size_t>(partition)];
  entry.leader = leader;
  entry.leader_epoch = leader_epoch;
  entry.error = ErrorCode::none;
  next->topics[topic] = std::move(changed);
  publish(std::move(next));
  return true;
}

void MetadataCache::forget_brokers() {
  auto next = std::make_shared<ClusterSnapshot>(*snapshot());
  next->brokers.clear();
  next->controller_id = -1;
  publish(std::move(next));
  request_update();
}

void MetadataCache::publish(std::shared_ptr<ClusterSnapshot> snapshot) {
  snapshot->names_by_id.clear();
  for (const auto& [name, topic] : snapshot->topics) {
    if (topic->id != Uuid::zero()) snapshot->names_by_id[topic->id] = name;
  }
  const std::lock_guard lock(mutex_);
  snapshot->version = snapshot_->version + 1;
  snapshot_ = std::move(snapshot);
  version_.store(snapshot_->version, std::memory_order_release);
}

}  // namespace barnabas::client
