#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "barnabas/assignor.h"

namespace barnabas::client {

/// One partition of a topic of a GroupView: ordered as Kafka orders by topic name, then number.
struct PartitionRef {
  int topic = 0;  ///< Its place in GroupView::topics.
  std::int32_t partition = 0;

  friend bool operator==(const PartitionRef&, const PartitionRef&) = default;
  friend auto operator<=>(const PartitionRef&, const PartitionRef&) = default;
};

/// A topic that exists and that somebody subscribed to.
struct GroupTopic {
  const std::string* name = nullptr;
  std::int32_t java_hash = 0;
  std::vector<std::int32_t> partitions{};  ///< Their numbers, ascending; never empty.
  std::vector<std::vector<int>> racks{};   ///< Of each of these, where replicas stand: sorted, each once.
  int first = 0;               ///< All partitions of all topics are counted through; this is partitions[0]'s.
  std::vector<int> members{};  ///< Who subscribed, by place.
};

struct GroupMember {
  const std::string* id = nullptr;
  const MemberSubscription* subscription = nullptr;
  std::vector<int> topics{};  ///< Those that exist, as subscribed to, each once.
  int rack = -1;              ///< -1: it has none.
};

/// What all assignors start with: members and topics by number, in the orders that Kafka's results depend on.
/// Lives no longer than what it was made of. Threads: none of its own.
class GroupView {
 public:
  GroupView(const ClusterMetadata& cluster, const GroupSubscription& group);

  std::vector<GroupMember> members;  ///< Ascending by id.
  std::vector<GroupTopic> topics;    ///< Ascending by name.
  int partition_count = 0;           ///< Of all topics.
  bool has_member_racks = false;
  std::vector<int> members_as_java_walks;
  std::vector<int> topics_as_java_walks;

  bool subscribes(int member, int topic) const { return subscribed_[index(member, topic)]; }
  /// As Kafka orders members where it deals out in turn: static ones by instance id (KIP-345), then the others by id.
  std::vector<int> members_in_turn() const;
  /// -1 where no subscribed topic is called so.
  int topic_named(std::string_view name) const;
  /// The number that counts through all topics; none for a partition that does not exist.
  std::optional<int> number_of(PartitionRef partition) const;
  PartitionRef partition_of(int number) const;
  const std::vector<int>& racks_of(int number) const;
  bool has_replica_in(int rack, int number) const;
  TopicPartition named(PartitionRef partition) const {
    return {*topics[at(partition.topic)].name, partition.partition};
  }
  /// By member id, from lists by member number.
  GroupAssignment named(const std::vector<std::vector<PartitionRef>>& assignment) const;

  static std::size_t at(int place) noexcept { return static_cast<std::size_t>(place); }

 private:
  void read_topics(const ClusterMetadata& cluster, const GroupSubscription& group);
  void read_members(const GroupSubscription& group);
  void read_racks(const ClusterMetadata& cluster);
  std::size_t index(int member, int topic) const { return at(member) * topics.size() + at(topic); }

  std::unordered_map<std::string_view, int> topic_places_;
  std::vector<bool> subscribed_;
  std::vector<int> topic_of_;  // by number
};

/// Kafka's useRackAwareAssignment (KIP-881): members and replicas share a rack, and not every partition has replicas in
/// all the racks that these `topics` (places) have any in.
bool should_match_racks(const GroupView& view, const std::vector<int>& members, const std::vector<int>& topics);

}  // namespace barnabas::client
