#include "client/consumer/assignor/partition_movements.h"

namespace barnabas::client {

void PartitionMovements::move(int topic, int partition, std::int32_t java_hash, int from, int to) {
  if (by_partition_.count(partition) == 0) {
    add(topic, partition, java_hash, {from, to});
    return;
  }
  const Pair before = remove(topic, partition);
  if (before.first != to) add(topic, partition, java_hash, {before.first, to});
}

int PartitionMovements::actual(int topic, int partition, int from, int to) const {
  const auto movements = by_topic_.find(topic);
  if (movements == by_topic_.end()) return partition;
  const auto moved = by_partition_.find(partition);
  if (moved != by_partition_.end()) from = moved->second.first;
  const auto reverse = movements->second.find({to, from});
  return reverse == movements->second.end() ? partition : reverse->second.first();
}

void PartitionMovements::add(int topic, int partition, std::int32_t java_hash, Pair pair) {
  by_partition_[partition] = pair;
  by_topic_[topic][pair].put(partition, java_hash);
}

PartitionMovements::Pair PartitionMovements::remove(int topic, int partition) {
  const auto moved = by_partition_.find(partition);
  const Pair pair = moved->second;
  by_partition_.erase(moved);
  const auto movements = by_topic_.find(topic);
  const auto partitions = movements->second.find(pair);
  partitions->second.erase(partition);
  if (partitions->second.empty()) movements->second.erase(partitions);
  if (movements->second.empty()) by_topic_.erase(movements);
  return pair;
}

}  // namespace barnabas::client
