#include "client/consumer/group/leader_assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>

#include "barnabas/consumer.h"
#include "client/core/consumer_protocol.h"

namespace barnabas::client {
namespace {

/// Kafka leaves its own assignor out here: that one holds back what moves by its nature.
constexpr std::string_view kCooperativeSticky = "cooperative-sticky";
constexpr std::string_view kSticky = "sticky";

Result<void> check_disjoint(const GroupAssignment& assignment, const GroupSubscription& group,
                            const std::string& assignor) {
  std::map<TopicPartition, std::string> owners;
  for (const auto& [member, given] : assignment) {
    if (group.count(member) == 0) {
      return failure(ConsumerErrc::listener_failed, fmt::format("assignor {}: '{}' is no member", assignor, member));
    }
    for (const TopicPartition& where : given.partitions) {
      const auto [entry, is_new] = owners.emplace(where, member);
      if (is_new) continue;
      return failure(ConsumerErrc::listener_failed, fmt::format("assignor {}: {} is given to {} and to {}", assignor,
                                                                where.to_string(), entry->second, member));
    }
  }
  return {};
}

Result<void> check_cooperative(const GroupAssignment& assignment, const GroupSubscription& group,
                               const std::string& assignor) {
  std::map<TopicPartition, std::string> owners;
  for (const auto& [member, subscription] : group) {
    for (const TopicPartition& where : subscription.owned_partitions) owners.emplace(where, member);
  }
  for (const auto& [member, given] : assignment) {
    for (const TopicPartition& where : given.partitions) {
      const auto owner = owners.find(where);
      if (owner == owners.end() || owner->second == member) continue;
      return failure(ConsumerErrc::listener_failed,
                     fmt::format("assignor {}: {} goes to {} while {} still owns it; with the cooperative protocol it "
                                 "has to be given up first",
                                 assignor, where.to_string(), member, owner->second));
    }
  }
  return {};
}

/// Where sticky is eager, its members have given up all: then what they remember may go too. With cooperative-sticky,
/// what they still own may not.
GroupSubscription without_claims_on_what_is_gone(const ClusterMetadata& cluster, GroupSubscription group,
                                                 const std::string& assignor) {
  for (auto& [member, subscription] : group) {
    if (assignor == kSticky) subscription.user_data.reset();
    std::erase_if(subscription.owned_partitions, [&](const TopicPartition& where) {
      const auto topic = cluster.topics.find(where.topic);
      return topic == cluster.topics.end() || where.partition < 0 ||
             static_cast<std::size_t>(where.partition) >= topic->second.size();
    });
  }
  return group;
}

Result<GroupAssignment> run(Assignor& assignor, const ClusterMetadata& cluster, const GroupSubscription& group) {
  try {
    return assignor.assign(cluster, group);
  } catch (const std::exception& error) {
    return failure(ConsumerErrc::listener_failed, fmt::format("assignor {}: {}", assignor.name(), error.what()));
  } catch (...) {
    return failure(ConsumerErrc::listener_failed, fmt::format("assignor {}: an unknown exception", assignor.name()));
  }
}

}  // namespace

Result<GroupSubscription> read_members(const std::vector<MemberMetadata>& members) {
  GroupSubscription group;
  for (const MemberMetadata& member : members) {
    auto subscription = decode_subscription(member.metadata);
    if (!subscription) {
      return failure(subscription.error().code,
                     fmt::format("the subscription of member {}: {}", member.member_id, subscription.error().subject));
    }
    subscription->group_instance_id = member.instance_id;
    group.insert_or_assign(member.member_id, std::move(*subscription));
  }
  return group;
}

std::set<std::string> topics_of(const GroupSubscription& group) {
  std::set<std::string> topics;
  for (const auto& [member, subscription] : group) {
    topics.insert(subscription.topics.begin(), subscription.topics.end());
  }
  return topics;
}

TopicShapes shapes_of(const ClusterSnapshot& cluster, const std::set<std::string>& topics, bool with_racks,
                      const TopicShapes& before) {
  TopicShapes shapes;
  for (const std::string& name : topics) {
    const TopicMetadata* topic = cluster.topic(name);
    if (topic == nullptr) continue;
    const bool in_doubt = topic->partitions.empty() && protocol::is_retriable(topic->error) &&
                          topic->error != protocol::ErrorCode::unknown_topic_or_partition;
    const auto known = before.find(name);
    if (in_doubt && known != before.end()) shapes.insert(*known);
    if (topic->partitions.empty()) continue;
    auto& partitions = shapes[name];
    for (const PartitionMetadata& partition : topic->partitions) {
      auto& racks = partitions.emplace_back();
      if (!with_racks) continue;
      for (const std::int32_t replica : partition.replicas) {
        const Node* broker = cluster.broker(replica);
        racks.insert(broker == nullptr ? "" : broker->rack.value_or(""));
      }
    }
  }
  return shapes;
}

ClusterMetadata cluster_for_assignor(const ClusterSnapshot& cluster, const std::set<std::string>& topics) {
  ClusterMetadata made;
  made.brokers = cluster.brokers;
  for (const std::string& name : topics) {
    const TopicMetadata* topic = cluster.topic(name);
    if (topic == nullptr || topic->partitions.empty()) continue;
    made.topics.emplace(name, partition_infos(*topic));
  }
  return made;
}

Result<std::vector<std::pair<std::string, Bytes>>> deal_out(Assignor& assignor, RebalanceProtocol protocol,
                                                            const ClusterMetadata& cluster,
                                                            const GroupSubscription& group) {
  const std::string name = assignor.name();
  auto assignment = run(assignor, cluster, group);
  const bool is_sticky = name == kSticky || name == kCooperativeSticky;
  if (!assignment && is_sticky)
    assignment = run(assignor, cluster, without_claims_on_what_is_gone(cluster, group, name));
  if (!assignment) return failure(assignment.error());
  auto checked = check_disjoint(*assignment, group, name);
  if (checked && protocol == RebalanceProtocol::cooperative && name != kCooperativeSticky) {
    checked = check_cooperative(*assignment, group, name);
  }
  if (!checked) return failure(checked.error());
  std::vector<std::pair<std::string, Bytes>> encoded;
  for (const auto& [member, subscription] : group) {
    auto bytes = encode_assignment((*assignment)[member]);
    if (!bytes) return failure(bytes.error());
    encoded.emplace_back(member, std::move(*bytes));
  }
  return encoded;
}

Result<RebalanceProtocol> shared_protocol(const std::vector<std::shared_ptr<Assignor>>& assignors) {
  std::set<RebalanceProtocol> shared{RebalanceProtocol::eager, RebalanceProtocol::cooperative};
  std::set<std::string> names;
  for (const auto& assignor : assignors) {
    const auto supported = assignor->supported_protocols();
    std::erase_if(shared, [&](RebalanceProtocol one) {
      return std::find(supported.begin(), supported.end(), one) == supported.end();
    });
    if (!names.insert(assignor->name()).second) {
      return failure(Errc::invalid_config, "partition.assignment.strategy: two assignors '" + assignor->name() + "'");
    }
  }
  if (assignors.empty()) return failure(Errc::invalid_config, "partition.assignment.strategy is empty");
  if (shared.empty()) {
    return failure(Errc::invalid_config,
                   "partition.assignment.strategy: the assignors have no rebalance protocol (eager, cooperative) in "
                   "common");
  }
  return *shared.rbegin();
}

}  // namespace barnabas::client
