#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "barnabas/export.h"
#include "barnabas/group_metadata.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
inline namespace v0 {

/// How members of a group let go of partitions while it rebalances (KIP-429).
enum class RebalanceProtocol : std::uint8_t {
  eager = 0,        ///< All are given up before the group meets; the leader may deal them out anew at will.
  cooperative = 1,  ///< All are kept; what has to move is given up first, and given to its new owner in the next round.
};

/// What one member tells the group's leader. `user_data` belongs to the assignor, and is for it alone to read.
struct MemberSubscription {
  std::vector<std::string> topics{};
  std::optional<std::vector<std::byte>> user_data{};
  std::vector<TopicPartition> owned_partitions{};  ///< What it reads now (KIP-429); empty with the eager protocol.
  std::optional<std::int32_t> generation_id{};     ///< The generation it owns them in (KIP-792); none: it has none.
  std::optional<std::string> rack_id{};            ///< Its client.rack (KIP-881).
  std::optional<std::string>
      group_instance_id{};  ///< Of a static member (KIP-345). Not in its bytes: the broker says it.

  friend bool operator==(const MemberSubscription&, const MemberSubscription&) = default;
};

/// What one member is to read, in the order it was given; `user_data` is the assignor's own note to it.
struct MemberAssignment {
  std::vector<TopicPartition> partitions{};
  std::optional<std::vector<std::byte>> user_data{};

  friend bool operator==(const MemberAssignment&, const MemberAssignment&) = default;
};

/// By member id: all members of a group, and what each of them gets.
using GroupSubscription = std::map<std::string, MemberSubscription>;
using GroupAssignment = std::map<std::string, MemberAssignment>;

/// What the leader knows of the topics that somebody subscribed to, and of the brokers. A topic that does not exist is
/// not in `topics`.
struct BARNABAS_API ClusterMetadata {
  std::map<std::string, std::vector<PartitionInfo>> topics{};
  std::map<std::int32_t, Node> brokers{};

  /// Where a broker stands; null where it is not known or says nothing.
  const std::string* rack_of(std::int32_t broker) const noexcept;
};

/// Who of a group reads what: Kafka's ConsumerPartitionAssignor. Each member has its own instance; the one that the
/// coordinator made the leader runs `assign` for all.
/// Write your own as a small class: `name` and `assign` are all it needs, and all members of a group must have an
/// assignor of that name.
/// Errors: what `assign` throws fails the rebalance, and is reported as its cause.
/// Threads: the consumer's reactor, one call at a time; so none may block.
class BARNABAS_API Assignor {
 public:
  virtual ~Assignor();

  /// By which the group's members agree on one of theirs ("range").
  virtual std::string name() const = 0;

  /// Which protocols it serves. A consumer takes the highest that all its assignors share (KIP-429).
  virtual std::vector<RebalanceProtocol> supported_protocols() const { return {RebalanceProtocol::eager}; }

  /// What this member tells the leader's assignor whenever it joins; `topics` is what it subscribes to now.
  virtual std::optional<std::vector<std::byte>> subscription_user_data(const std::set<std::string>& topics);

  /// One entry for each member of `group`, empty for those that get nothing. No partition may be given to two.
  virtual GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) = 0;

  /// What this member was given, before its rebalance listener hears of it.
  virtual void on_assignment(const MemberAssignment& assignment, const ConsumerGroupMetadata& group);

 protected:
  Assignor() = default;
  Assignor(const Assignor&) = default;
  Assignor& operator=(const Assignor&) = default;
};

/// "range": each topic's partitions in one piece a member, in order of instance id, then member id; topics with as many
/// partitions and the same members fall alike. Rack-aware (KIP-881).
BARNABAS_API std::unique_ptr<Assignor> make_range_assignor();

/// "roundrobin": all partitions of all topics one by one to the members in that order. Knows no racks, as Kafka's.
BARNABAS_API std::unique_ptr<Assignor> make_round_robin_assignor();

/// "sticky": balanced, and as little moves as may be (KIP-54, KIP-341). Rack-aware (KIP-881). Eager: each
/// member tells in its user data what it had.
BARNABAS_API std::unique_ptr<Assignor> make_sticky_assignor();

/// "cooperative-sticky": the same, and who keeps a partition never stops reading it (KIP-429). A partition that changes
/// hands is held back for one round. Serves the eager protocol as well, so that a group can be moved to it.
BARNABAS_API std::unique_ptr<Assignor> make_cooperative_sticky_assignor();

}  // namespace v0
}  // namespace barnabas
