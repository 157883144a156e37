#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "client/consumer/assignor/java_order.h"

namespace barnabas::client {

/// What was moved from whom to whom so far in one balancing. Where a partition of a topic went from a to b, and another
/// of that topic should go from b to a, the first goes back instead: both stay where they were.
/// Source: Kafka's AbstractStickyAssignor.PartitionMovements.  Partitions and members are numbers.
class PartitionMovements {
 public:
  void move(int topic, int partition, std::int32_t java_hash, int from, int to);
  /// Which partition to move where `partition` should go from one to the other: itself, or one that goes back.
  int actual(int topic, int partition, int from, int to) const;

 private:
  using Pair = std::pair<int, int>;  // from, to
  void add(int topic, int partition, std::int32_t java_hash, Pair pair);
  Pair remove(int topic, int partition);

  std::map<int, std::map<Pair, JavaHashOrder>> by_topic_;
  std::map<int, Pair> by_partition_;
};

}  // namespace barnabas::client
