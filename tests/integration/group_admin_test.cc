#include <gtest/gtest.h>

#include <algorithm>

#include "tests/integration/cluster.h"

namespace barnabas::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kGroupIdNotFound = 69;
constexpr int kNonEmptyGroup = 68;
constexpr int kUnknownMemberId = 25;
constexpr int kSubscribedToTopic = 86;

std::string topic_with_records(const Cluster& cluster, std::int32_t partitions, int each) {
  std::string topic = cluster.make_topic(partitions);
  Producer producer{cluster.config()};
  for (std::int32_t p = 0; p < partitions; ++p) {
    for (int i = 0; i < each; ++i) producer.send({.topic = topic, .partition = p, .value = "x"});
  }
  producer.flush();
  return topic;
}

/// A consumer that has its partitions and has read all of them.
Consumer member_of(const Cluster& cluster, const std::string& group, const std::string& topic, std::size_t records) {
  Consumer consumer{cluster.config({{"group.id", group},
                                    {"client.id", "reader"},
                                    {"enable.auto.commit", "false"},
                                    {"auto.offset.reset", "earliest"}})};
  consumer.subscribe({topic});
  for (std::size_t seen = 0; seen < records;) {
    const std::size_t count = consumer.poll(30s).size();
    if (count == 0) throw std::runtime_error("nothing came for half a minute");
    seen += count;
  }
  return consumer;
}

TEST(GroupAdmin, describes_a_group_while_it_works_and_after_it_has_left) {
  const Cluster cluster;
  const std::string topic = topic_with_records(cluster, 2, 5);
  const std::string group = unique_name("group");
  Admin admin{cluster.config()};
  Consumer consumer = member_of(cluster, group, topic, 10);
  consumer.commit_sync();
  GroupDescription described = admin.describe_groups({group}).at(0);
  EXPECT_FALSE(described.error) << described.error.context;
  EXPECT_EQ(described.state, GroupState::stable);
  EXPECT_EQ(described.protocol_type, "consumer");
  EXPECT_EQ(described.assignor, "range");
  EXPECT_GE(described.coordinator_id, 0);
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].client_id, "reader");
  EXPECT_EQ(described.members[0].assignment, (std::vector<TopicPartition>{{topic, 0}, {topic, 1}}));
  const auto is_it = [&](const GroupListing& listing) { return listing.group_id == group; };
  const auto stable = admin.list_groups({.states = {GroupState::stable}});
  EXPECT_EQ(std::count_if(stable.begin(), stable.end(), is_it), 1);
  const auto empty = admin.list_groups({.states = {GroupState::empty}});
  EXPECT_EQ(std::count_if(empty.begin(), empty.end(), is_it), 0);

  consumer.close();
  described = admin.describe_groups({group}).at(0);
  EXPECT_EQ(described.state, GroupState::empty);
  EXPECT_TRUE(described.members.empty());
  const Offsets offsets = admin.list_group_offsets(group);
  ASSERT_EQ(offsets.size(), 2u);
  EXPECT_EQ(offsets.at({topic, 1}).offset, 5);
}

TEST(GroupAdmin, shows_a_member_without_a_client_id_by_the_name_of_its_group) {
  const Cluster cluster;
  const std::string topic = topic_with_records(cluster, 1, 1);
  const std::string group = unique_name("group");
  Consumer consumer{cluster.config({{"group.id", group}, {"auto.offset.reset", "earliest"}})};
  consumer.subscribe({topic});
  ASSERT_EQ(consumer.poll(30s).size(), 1u);
  const GroupDescription described = Admin{cluster.config()}.describe_groups({group}).at(0);
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].client_id.rfind("consumer-" + group + "-", 0), 0u) << described.members[0].client_id;
}

TEST(GroupAdmin, moves_offsets_of_a_group_without_members_only) {
  const Cluster cluster;
  const std::string topic = topic_with_records(cluster, 1, 8);
  const std::string group = unique_name("group");
  Admin admin{cluster.config()};
  const TopicPartition partition{topic, 0};
  {
    Consumer consumer = member_of(cluster, group, topic, 8);
    const auto refused = admin.alter_group_offsets(group, {{partition, {.offset = 3}}});
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].error.code, kafka_error(kUnknownMemberId));
    EXPECT_NE(refused[0].error.context.find("has members"), std::string::npos) << refused[0].error.context;
    consumer.close();
  }
  const auto moved = admin.alter_group_offsets(group, {{partition, {.offset = 3, .metadata = "by hand"}}});
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_FALSE(moved[0].error) << moved[0].error.context;
  EXPECT_EQ(admin.list_group_offsets(group).at(partition).metadata, "by hand");
  Consumer consumer{cluster.config({{"group.id", group}})};
  consumer.subscribe({topic});
  const Records records = consumer.poll(30s);
  ASSERT_FALSE(records.empty());
  EXPECT_EQ((*records.begin()).offset(), 3);
}

TEST(GroupAdmin, deletes_groups_and_offsets_that_nobody_uses) {
  const Cluster cluster;
  const std::string topic = topic_with_records(cluster, 2, 1);
  const std::string group = unique_name("group");
  Admin admin{cluster.config()};
  Consumer consumer = member_of(cluster, group, topic, 2);
  consumer.commit_sync();
  EXPECT_EQ(admin.delete_groups({group}).at(0).error.code, kafka_error(kNonEmptyGroup));
  EXPECT_EQ(admin.delete_group_offsets(group, {{topic, 0}}).at(0).error.code, kafka_error(kSubscribedToTopic));
  consumer.close();
  EXPECT_FALSE(admin.delete_group_offsets(group, {{topic, 0}}).at(0).error);
  EXPECT_EQ(admin.list_group_offsets(group).size(), 1u);
  const auto deleted = admin.delete_groups({group, unique_name("nobody")});
  ASSERT_EQ(deleted.size(), 2u);
  EXPECT_FALSE(deleted[0].error) << deleted[0].error.context;
  EXPECT_EQ(deleted[1].error.code, kafka_error(kGroupIdNotFound));
  EXPECT_TRUE(admin.list_group_offsets(group).empty());
}

}  // namespace
}  // namespace barnabas::testing
