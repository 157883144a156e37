#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "barnabas/assignor.h"
#include "barnabas/error.h"
#include "common/bytes/bytes.h"
#include "common/bytes/writer.h"

namespace barnabas::client {
namespace {

ClusterMetadata cluster_with(const std::map<std::string, int>& topics) {
  ClusterMetadata cluster;
  for (const auto& [topic, count] : topics) {
    for (int p = 0; p < count; ++p) {
      PartitionInfo& partition = cluster.topics[topic].emplace_back();
      partition.topic = topic;
      partition.partition = p;
    }
  }
  return cluster;
}

MemberSubscription member_of(std::vector<std::string> topics) {
  MemberSubscription member;
  member.topics = std::move(topics);
  return member;
}

/// Each partition of a subscribed topic belongs to one member that subscribed to it.
void expect_complete(const ClusterMetadata& cluster, const GroupSubscription& group,
                     const GroupAssignment& assignment) {
  std::set<TopicPartition> owned;
  for (const auto& [id, given] : assignment) {
    const auto& topics = group.at(id).topics;
    for (const auto& partition : given.partitions) {
      EXPECT_TRUE(owned.insert(partition).second) << partition.to_string() << " twice";
      EXPECT_NE(std::find(topics.begin(), topics.end(), partition.topic), topics.end()) << partition.to_string();
    }
  }
  std::set<std::string> subscribed;
  for (const auto& [id, member] : group) subscribed.insert(member.topics.begin(), member.topics.end());
  std::size_t expected = 0;
  for (const auto& topic : subscribed) {
    const auto found = cluster.topics.find(topic);
    if (found != cluster.topics.end()) expected += found->second.size();
  }
  EXPECT_EQ(owned.size(), expected);
}

/// Who has what, in whatever order.
std::map<std::string, std::set<TopicPartition>> owners_of(const GroupAssignment& assignment) {
  std::map<std::string, std::set<TopicPartition>> owners;
  for (const auto& [id, given] : assignment) owners[id] = {given.partitions.begin(), given.partitions.end()};
  return owners;
}

/// A group whose members hold their own assignors, as consumers do.
struct Group {
  GroupSubscription subscriptions{};
  std::map<std::string, std::unique_ptr<Assignor>> assignors{};
  std::int32_t generation = 0;

  GroupAssignment rebalance(const ClusterMetadata& cluster) {
    for (auto& [id, member] : subscriptions) {
      auto& assignor = assignors[id];
      if (!assignor) assignor = make_sticky_assignor();
      member.user_data = assignor->subscription_user_data({member.topics.begin(), member.topics.end()});
    }
    const GroupAssignment assignment = make_sticky_assignor()->assign(cluster, subscriptions);
    ++generation;
    for (auto& [id, member] : subscriptions) {
      assignors[id]->on_assignment(assignment.at(id), {"g", generation, id, {}});
      member.generation_id = generation;
    }
    return assignment;
  }
};

TEST(StickyAssignor, two_hundred_members_share_a_thousand_partitions_of_topics_not_all_read) {
  std::map<std::string, int> topics;
  for (int t = 0; t < 20; ++t) topics["topic-" + std::to_string(t)] = 50;
  const ClusterMetadata cluster = cluster_with(topics);
  Group group;
  for (int m = 0; m < 200; ++m) {
    std::vector<std::string> mine;
    for (int t = 0; t < 20; ++t) {
      if ((m * 7 + t) % 3 != 0) mine.push_back("topic-" + std::to_string(t));
    }
    group.subscriptions["member-" + std::to_string(1000 + m)] = member_of(mine);
  }
  const GroupAssignment first = group.rebalance(cluster);
  expect_complete(cluster, group.subscriptions, first);
  for (const auto& [id, given] : first) EXPECT_EQ(given.partitions.size(), 5U);
  EXPECT_TRUE(owners_of(group.rebalance(cluster)) == owners_of(first));

  for (int m = 0; m < 20; ++m) group.subscriptions.erase("member-" + std::to_string(1000 + m * 9));
  const GroupAssignment second = group.rebalance(cluster);
  expect_complete(cluster, group.subscriptions, second);
  std::size_t kept = 0;
  for (const auto& [id, given] : second) {
    const std::set<TopicPartition> before(first.at(id).partitions.begin(), first.at(id).partitions.end());
    for (const auto& partition : given.partitions) kept += before.count(partition);
    EXPECT_GE(given.partitions.size(), 5U);
    EXPECT_LE(given.partitions.size(), 6U);
  }
  EXPECT_EQ(kept, 900U);
}

TEST(StickyAssignor, random_groups_always_get_everything_once) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t limit) { return static_cast<int>(random() % limit); };
    Group group;
    std::map<std::string, int> topics;
    for (int step = 0; step < 6; ++step) {
      for (int t = 0; t < 5; ++t) {
        if (below(3) == 0) topics["t" + std::to_string(t)] += below(6);
      }
      for (int m = 0; m < 8; ++m) {
        const std::string id = "m" + std::to_string(m);
        const int what = below(6);
        if (what == 0) group.subscriptions.erase(id), group.assignors.erase(id);
        if (what > 2) continue;
        std::vector<std::string> mine;
        for (int t = 0; t < 5; ++t) {
          if (below(2) == 0) mine.push_back("t" + std::to_string(t));
        }
        if (what > 0) group.subscriptions[id].topics = mine;
      }
      const ClusterMetadata cluster = cluster_with(topics);
      if (!group.subscriptions.empty()) expect_complete(cluster, group.subscriptions, group.rebalance(cluster));
    }
  }
}

TEST(StickyAssignor, reads_claims_of_the_first_version_and_ignores_what_it_cannot_read) {
  Writer old_claim;  // version 0: no generation
  old_claim.int32(1);
  old_claim.string("t");
  old_claim.int32(2);
  old_claim.int32(2);
  old_claim.int32(3);
  GroupSubscription group;
  group["a"] = member_of({"t"});
  group["a"].user_data = old_claim.take();
  group["b"] = member_of({"t"});
  group["b"].user_data = Bytes(7, std::byte{0x7f});
  const GroupAssignment assignment = make_sticky_assignor()->assign(cluster_with({{"t", 4}}), group);
  EXPECT_EQ(assignment.at("a").partitions, (std::vector<TopicPartition>{{"t", 2}, {"t", 3}}));
  EXPECT_EQ(assignment.at("b").partitions, (std::vector<TopicPartition>{{"t", 0}, {"t", 1}}));
}

TEST(StickyAssignor, claims_cut_anywhere_do_no_harm) {
  auto assignor = make_sticky_assignor();
  assignor->on_assignment({{{"t", 0}, {"t", 1}, {"u", 0}}, {}}, {"g", 3, "a", {}});
  const Bytes whole = assignor->subscription_user_data({"t", "u"}).value();
  const ClusterMetadata cluster = cluster_with({{"t", 3}, {"u", 1}});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    GroupSubscription group;
    group["a"] = member_of({"t", "u"});
    group["a"].user_data = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    group["b"] = member_of({"t"});
    expect_complete(cluster, group, assignor->assign(cluster, group));
  }
}

TEST(StickyAssignor, a_claim_on_a_partition_that_is_not_there_says_so_where_kafka_fails) {
  GroupSubscription group;
  for (const char* id : {"a", "b"}) {
    group[id] = member_of({"t"});
    group[id].generation_id = 4;
  }
  group["a"].owned_partitions = {{"t", 0}, {"t", 9}};
  group["b"].owned_partitions = {{"t", 1}};
  const ClusterMetadata cluster = cluster_with({{"t", 3}, {"u", 1}});
  const auto assignor = make_cooperative_sticky_assignor();
  try {
    assignor->assign(cluster, group);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_NE(error.context().find("t-2"), std::string::npos) << error.context();
  }
  group["b"].topics.push_back("u");  // no more the same subscriptions: the claim is ignored
  const GroupAssignment assignment = assignor->assign(cluster, group);
  expect_complete(cluster, group, assignment);
  EXPECT_EQ(assignment.at("a").partitions.front(), (TopicPartition{"t", 0}));
}

TEST(CooperativeStickyAssignor, what_changes_hands_is_given_up_in_one_round_and_taken_in_the_next) {
  const ClusterMetadata cluster = cluster_with({{"t", 6}, {"u", 4}});
  for (const bool same_subscriptions : {true, false}) {
    SCOPED_TRACE(same_subscriptions);
    const auto assignor = make_cooperative_sticky_assignor();
    GroupSubscription group;
    group["a"] = member_of({"t", "u"});
    group["b"] = member_of(same_subscriptions ? std::vector<std::string>{"t", "u"} : std::vector<std::string>{"t"});
    const auto round = [&](std::int32_t generation) {
      GroupAssignment assignment = assignor->assign(cluster, group);
      for (auto& [id, member] : group) {
        member.owned_partitions = assignment.at(id).partitions;
        member.generation_id = generation;
      }
      return assignment;
    };
    expect_complete(cluster, group, round(1));
    group["c"] = member_of({"t", "u"});
    const GroupSubscription before = group;
    const GroupAssignment giving_up = round(2);
    EXPECT_TRUE(giving_up.at("c").partitions.empty());
    for (const auto& [id, given] : giving_up) {  // nobody gets what it did not have
      const auto& owned = before.at(id).owned_partitions;
      for (const auto& partition : given.partitions) EXPECT_EQ(std::count(owned.begin(), owned.end(), partition), 1);
    }
    const GroupAssignment taken = round(3);
    expect_complete(cluster, group, taken);
    EXPECT_EQ(taken.at("c").partitions.size(), 3U);
    EXPECT_TRUE(owners_of(round(4)) == owners_of(taken));
  }
}

TEST(Assignors, say_what_they_are) {
  EXPECT_EQ(make_range_assignor()->name(), "range");
  EXPECT_EQ(make_round_robin_assignor()->name(), "roundrobin");
  EXPECT_EQ(make_sticky_assignor()->name(), "sticky");
  EXPECT_EQ(make_cooperative_sticky_assignor()->name(), "cooperative-sticky");
  const std::vector<RebalanceProtocol> eager{RebalanceProtocol::eager};
  EXPECT_EQ(make_range_assignor()->supported_protocols(), eager);
  EXPECT_EQ(make_sticky_assignor()->supported_protocols(), eager);
  EXPECT_EQ(make_cooperative_sticky_assignor()->supported_protocols(),
            (std::vector<RebalanceProtocol>{RebalanceProtocol::cooperative, RebalanceProtocol::eager}));
  EXPECT_FALSE(make_range_assignor()->subscription_user_data({"t"}));
  EXPECT_FALSE(make_sticky_assignor()->subscription_user_data({"t"}));
}

TEST(Assignors, an_empty_group_and_members_without_topics_get_nothing) {
  const ClusterMetadata cluster = cluster_with({{"t", 2}});
  for (const auto& assignor : {make_range_assignor().release(), make_round_robin_assignor().release(),
                               make_sticky_assignor().release(), make_cooperative_sticky_assignor().release()}) {
    const std::unique_ptr<Assignor> owned(assignor);
    EXPECT_TRUE(owned->assign(cluster, {}).empty());
    GroupSubscription group;
    group["idle"] = member_of({});
    group["works"] = member_of({"t"});
    const GroupAssignment assignment = owned->assign(cluster, group);
    EXPECT_TRUE(assignment.at("idle").partitions.empty()) << owned->name();
    EXPECT_EQ(assignment.at("works").partitions.size(), 2U) << owned->name();
  }
}

/// All that a user's own takes.
class FirstTakesAll final : public Assignor {
 public:
  std::string name() const override { return "first"; }
  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    GroupAssignment assignment;
    for (const auto& [id, member] : group) assignment[id];
    for (const auto& [topic, partitions] : cluster.topics) {
      for (const auto& p : partitions) assignment.begin()->second.partitions.push_back({topic, p.partition});
    }
    return assignment;
  }
};

TEST(Assignors, a_users_own_is_a_small_class) {
  FirstTakesAll own;
  Assignor& assignor = own;
  GroupSubscription group{{"a", member_of({"t"})}, {"b", member_of({"t"})}};
  EXPECT_EQ(assignor.assign(cluster_with({{"t", 2}}), group).at("a").partitions.size(), 2U);
  EXPECT_EQ(assignor.supported_protocols(), std::vector<RebalanceProtocol>{RebalanceProtocol::eager});
  EXPECT_FALSE(assignor.subscription_user_data({"t"}));
  assignor.on_assignment({}, {});
}

}  // namespace
}  // namespace barnabas::client
