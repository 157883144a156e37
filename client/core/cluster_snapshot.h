#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "barnabas/topic_partition.h"
#include "common/bytes/uuid.h"
#include "common/protocol/errors.h"

namespace barnabas::client {

struct PartitionMetadata {
  std::int32_t partition = 0;
  std::int32_t leader = -1;  ///< Broker id; -1: none now.
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync_replicas;
  std::vector<std::int32_t> offline_replicas;
  protocol::ErrorCode error = protocol::ErrorCode::none;
};

struct TopicMetadata {
  std::string name;
  Uuid id;  ///< Zero with brokers before 2.8.
  bool is_internal = false;
  std::vector<PartitionMetadata> partitions;  ///< Index = number, without gaps.
  protocol::ErrorCode error = protocol::ErrorCode::none;

  std::int32_t partition_count() const noexcept { return static_cast<std::int32_t>(partitions.size()); }
  /// nullptr when there is no such partition.
  const PartitionMetadata* find(std::int32_t partition) const noexcept {
    const auto index = static_cast<std::size_t>(partition);
    return partition >= 0 && index < partitions.size() ? &partitions[index] : nullptr;
  }
};

/// What the client knew of the cluster at one moment: never changes, shared by all who hold it.
/// Threads: any.
struct ClusterSnapshot {
  std::uint64_t version = 0;  ///< Grows with each change.
  std::string cluster_id;
  std::int32_t controller_id = -1;
  std::map<std::int32_t, Node> brokers;
  std::map<std::string, std::shared_ptr<const TopicMetadata>, std::less<>> topics;
  std::unordered_map<Uuid, std::string> names_by_id;

  /// nullptr when unknown.
  const TopicMetadata* topic(std::string_view name) const {
    const auto found = topics.find(name);
    return found == topics.end() ? nullptr : found->second.get();
  }
  const PartitionMetadata* partition(std::string_view name, std::int32_t number) const {
    const TopicMetadata* found = topic(name);
    return found == nullptr ? nullptr : found->find(number);
  }
  const Node* broker(std::int32_t id) const {
    const auto found = brokers.find(id);
    return found == brokers.end() ? nullptr : &found->second;
  }
};

/// Why a partition that is asked for cannot be found in the cluster, in words; empty when it has a leader.
std::string why_missing(const ClusterSnapshot& cluster, std::string_view topic, std::int32_t partition);

/// For partitions_for().
std::vector<PartitionInfo> partition_infos(const TopicMetadata& topic);

}  // namespace barnabas::client
