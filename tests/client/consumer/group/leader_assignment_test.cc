#include "client/consumer/group/leader_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "client/core/consumer_protocol.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;

/// A topic with a partition for each list of replicas.
std::shared_ptr<const TopicMetadata> topic_with(const std::string& name,
                                                const std::vector<std::vector<std::int32_t>>& replicas,
                                                ErrorCode error = ErrorCode::none) {
  auto topic = std::make_shared<TopicMetadata>();
  topic->name = name;
  topic->error = error;
  for (const auto& brokers : replicas) {
    auto& partition = topic->partitions.emplace_back();
    partition.partition = static_cast<std::int32_t>(topic->partitions.size()) - 1;
    partition.replicas = brokers;
  }
  return topic;
}

ClusterSnapshot cluster() {
  ClusterSnapshot made;
  made.brokers[1] = Node{.id = 1, .host = "a", .port = 1, .rack = "north"};
  made.brokers[2] = Node{.id = 2, .host = "b", .port = 1, .rack = "south"};
  made.topics["t"] = topic_with("t", {{1, 2}, {2}});
  return made;
}

TEST(TopicShapes, change_with_the_number_of_partitions) {
  ClusterSnapshot before = cluster();
  ClusterSnapshot after = cluster();
  after.topics["t"] = topic_with("t", {{1, 2}, {2}, {1}});
  EXPECT_EQ(shapes_of(before, {"t"}, false, {}), shapes_of(cluster(), {"t"}, false, {}));
  EXPECT_NE(shapes_of(before, {"t"}, false, {}), shapes_of(after, {"t"}, false, {}));
  EXPECT_TRUE(shapes_of(before, {"other"}, false, {}).empty());
}

TEST(TopicShapes, change_with_the_racks_of_replicas_where_the_leader_has_a_rack) {
  const ClusterSnapshot before = cluster();
  ClusterSnapshot moved = cluster();  // to another broker in another rack
  moved.topics["t"] = topic_with("t", {{1, 2}, {1}});
  ClusterSnapshot renamed = cluster();  // the broker came back in another rack
  renamed.brokers[2].rack = "west";
  for (const ClusterSnapshot& after : {moved, renamed}) {
    EXPECT_NE(shapes_of(before, {"t"}, true, {}), shapes_of(after, {"t"}, true, {}));
    EXPECT_EQ(shapes_of(before, {"t"}, false, {}), shapes_of(after, {"t"}, false, {}));
  }
  ClusterSnapshot same = cluster();  // another order, the same racks
  same.topics["t"] = topic_with("t", {{2, 1}, {2}});
  EXPECT_EQ(shapes_of(before, {"t"}, true, {}), shapes_of(same, {"t"}, true, {}));
}

TEST(TopicShapes, of_a_topic_in_doubt_stay_as_they_were) {
  const TopicShapes before = shapes_of(cluster(), {"t"}, true, {});
  ClusterSnapshot in_doubt = cluster();
  in_doubt.topics["t"] = topic_with("t", {}, ErrorCode::leader_not_available);
  EXPECT_EQ(shapes_of(in_doubt, {"t"}, true, before), before);
  in_doubt.topics["t"] = topic_with("t", {}, ErrorCode::unknown_topic_or_partition);
  EXPECT_TRUE(shapes_of(in_doubt, {"t"}, true, before).empty()) << "it was deleted";
}

TEST(DealOut, serves_members_that_claim_partitions_which_their_topic_has_no_more) {
  ClusterMetadata known;
  for (std::int32_t i = 0; i < 2; ++i) known.topics["t"].push_back({.topic = "t", .partition = i});
  GroupSubscription group;
  for (const std::int32_t member : {0, 1}) {
    MemberSubscription& told = group["m" + std::to_string(member)];
    told.topics = {"t"};
    told.owned_partitions = {{"t", 2 * member + 4}, {"t", 2 * member + 5}};
    told.generation_id = 4;
  }
  const auto assignor = make_cooperative_sticky_assignor();
  EXPECT_ANY_THROW(assignor->assign(known, group)) << "as Kafka's does: for this it is run again";
  const auto dealt = deal_out(*assignor, RebalanceProtocol::cooperative, known, group);
  ASSERT_TRUE(dealt) << dealt.error().message();
  std::set<TopicPartition> given;
  for (const auto& [member, bytes] : *dealt) {
    const auto told = decode_assignment(bytes);
    ASSERT_TRUE(told);
    for (const TopicPartition& where : told->partitions) {
      EXPECT_TRUE(given.insert(where).second) << where.to_string();
    }
  }
  EXPECT_EQ(given, (std::set<TopicPartition>{{"t", 0}, {"t", 1}}));
}

}  // namespace
}  // namespace barnabas::client
