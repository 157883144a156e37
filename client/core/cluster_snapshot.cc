#include "client/core/cluster_snapshot.h"

namespace barnabas::client {

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
