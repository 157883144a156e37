#include "client/core/cluster_snapshot.h"

#include <fmt/format.h>

namespace barnabas::client {

std::string why_missing(const ClusterSnapshot& cluster, std::string_view topic, std::int32_t partition) {
  const TopicMetadata* known = cluster.topic(topic);
  if (known == nullptr || known->error == protocol::ErrorCode::unknown_topic_or_partition) {
    return cluster.brokers.empty() ? "no broker of the cluster has answered yet"
                                   : "the topic is not known to the cluster";
  }
  if (known->error != protocol::ErrorCode::none) return std::string(protocol::to_string(known->error));
  const PartitionMetadata* found = known->find(partition);
  if (found == nullptr) return fmt::format("the topic has {} partitions only", known->partition_count());
  return found->leader < 0 ? "the partition has no leader" : "";
}

std::vector<PartitionInfo> partition_infos(const TopicMetadata& topic) {
  std::vector<PartitionInfo> infos;
  infos.reserve(topic.partitions.size());
  for (const PartitionMetadata& partition : topic.partitions) {
    infos.push_back({.topic = topic.name,
                     .partition = partition.partition,
                     .leader = partition.leader,
                     .leader_epoch = partition.leader_epoch,
                     .replicas = partition.replicas,
                     .in_sync_replicas = partition.in_sync_replicas,
                     .offline_replicas = partition.offline_replicas});
  }
  return infos;
}

}  // namespace barnabas::client
