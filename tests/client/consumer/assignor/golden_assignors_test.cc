#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "barnabas/assignor.h"
#include "barnabas/error.h"
#include "client/core/consumer_protocol.h"
#include "tests/support/golden.h"

namespace barnabas::client {
namespace {

using nlohmann::json;
using testing::from_base64;
using testing::to_base64;

std::unique_ptr<Assignor> make(const std::string& name) {
  if (name == "range") return make_range_assignor();
  if (name == "roundrobin") return make_round_robin_assignor();
  if (name == "sticky") return make_sticky_assignor();
  return make_cooperative_sticky_assignor();
}

/// As the vectors' generator lays partitions out: p on broker p % n, and where brokers have racks on the next one, too.
ClusterMetadata cluster_of(const json& line) {
  ClusterMetadata cluster;
  const bool has_racks = line.contains("brokerRacks");
  const int brokers = has_racks ? static_cast<int>(line["brokerRacks"].size()) : 3;
  for (int i = 0; i < brokers; ++i) {
    Node& node = cluster.brokers[i];
    node.id = i;
    if (has_racks) node.rack = line["brokerRacks"][static_cast<std::size_t>(i)].get<std::string>();
  }
  for (const auto& [topic, count] : line["topics"].items()) {
    for (int p = 0; p < count.get<int>(); ++p) {
      PartitionInfo& partition = cluster.topics[topic].emplace_back();
      partition.topic = topic;
      partition.partition = p;
      partition.leader = p % brokers;
      partition.replicas = {p % brokers};
      if (has_racks) partition.replicas.push_back((p + 1) % brokers);
    }
  }
  return cluster;
}

std::vector<TopicPartition> partitions_of(const json& names) {
  std::vector<TopicPartition> partitions;
  for (const auto& name : names) {
    const std::string text = name.get<std::string>();
    const std::size_t dash = text.rfind('-');
    partitions.push_back({text.substr(0, dash), std::stoi(text.substr(dash + 1))});
  }
  return partitions;
}

std::string text_of(const std::vector<TopicPartition>& partitions) {
  std::string text;
  for (const auto& partition : partitions) text += partition.to_string() + " ";
  return text;
}

/// What the member would send, checked against what Kafka's sent.
MemberSubscription subscription_of(const json& member, Assignor& assignor) {
  MemberSubscription subscription;
  std::set<std::string> topics;
  for (const auto& topic : member["topics"]) {
    subscription.topics.push_back(topic.get<std::string>());
    topics.insert(subscription.topics.back());
  }
  subscription.user_data = assignor.subscription_user_data(topics);
  subscription.owned_partitions = partitions_of(member["ownedPartitions"]);
  if (member["generationId"].get<int>() >= 0) subscription.generation_id = member["generationId"].get<int>();
  if (member.contains("rackId") && !member["rackId"].is_null()) subscription.rack_id = member["rackId"];
  if (member.contains("groupInstanceId") && !member["groupInstanceId"].is_null()) {
    subscription.group_instance_id = member["groupInstanceId"];
  }
  EXPECT_EQ(to_base64(encode_subscription(subscription).value()), member["subscriptionBase64"].get<std::string>());
  return subscription;
}

class GoldenAssignors : public ::testing::TestWithParam<const char*> {
 protected:
  using Chain = std::map<std::string, std::unique_ptr<Assignor>>;  // by member

  void check(const json& line, Chain& chain) {
    SCOPED_TRACE(line["case"].get<std::string>() + " step " + std::to_string(line["step"].get<int>()));
    const bool claims_given = line["note"] == "claims given directly";
    GroupSubscription group;
    for (const auto& member : line["members"]) {
      auto& assignor = chain[member["memberId"]];
      if (!assignor) assignor = make(GetParam());
      if (claims_given) {
        assignor->on_assignment({partitions_of(member["ownedPartitions"]), {}},
                                {"g", member["generationId"].get<int>(), member["memberId"], {}});
      }
      group[member["memberId"]] = subscription_of(member, *assignor);
    }
    if (line.contains("error")) {
      EXPECT_THROW(make(GetParam())->assign(cluster_of(line), group), Error);
      return;
    }
    const GroupAssignment assignment = make(GetParam())->assign(cluster_of(line), group);
    ASSERT_EQ(assignment.size(), group.size());
    for (const auto& [member, given] : assignment) {
      EXPECT_EQ(text_of(given.partitions), text_of(partitions_of(line["assignment"][member]))) << member;
      if (claims_given) continue;
      EXPECT_EQ(to_base64(encode_assignment(given).value()), line["assignmentBase64"][member].get<std::string>());
      chain[member]->on_assignment(given, {"g", line["step"].get<int>() + 1, member, {}});
    }
    if (!claims_given) {
      EXPECT_EQ(unassigned(line, assignment), line["unassigned"].get<std::size_t>());
    }
  }

  static std::size_t unassigned(const json& line, const GroupAssignment& assignment) {
    std::set<std::string> topics;
    for (const auto& member : line["members"]) topics.insert(member["topics"].begin(), member["topics"].end());
    std::size_t count = 0;
    for (const auto& topic : topics) count += line["topics"].value(topic, std::size_t{0});
    for (const auto& [member, given] : assignment) count -= given.partitions.size();
    return count;
  }
};

TEST_P(GoldenAssignors, give_what_kafka_gives_in_every_chain_of_rebalances) {
  for (const char* file : {"assignors.jsonl", "assignors-random.jsonl"}) {
    std::map<std::string, Chain> chains;  // by case
    int lines = 0;
    for (const auto& line : testing::golden_lines(file)) {
      if (line["assignor"] != GetParam()) continue;
      check(line, chains[line["case"]]);
      ++lines;
    }
    EXPECT_GE(lines, 44) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenAssignors, ::testing::Values("range", "roundrobin", "sticky", "cooperative-sticky"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace barnabas::client
