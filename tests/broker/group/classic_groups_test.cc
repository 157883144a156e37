#include "broker/group/classic_groups.h"

#include <gtest/gtest.h>

#include "tests/broker/group/shard_fixture.h"

namespace barnabas::group {
namespace {

using protocol::ErrorCode;
using namespace std::chrono_literals;

struct ClassicGroupsTest : ::testing::Test, ShardFixture {};

/// A delay of three seconds, as Kafka's default.
struct DelayedGroupsTest : ::testing::Test, ShardFixture {
  DelayedGroupsTest() : ShardFixture(GroupSettings{}) {}
};

TEST_F(ClassicGroupsTest, gives_out_a_member_id_before_anybody_becomes_a_member) {
  const std::string id = new_id();
  EXPECT_EQ(id.substr(0, 7), "client-");
  EXPECT_EQ(group().size(), 0U);
  const auto joined = join(join_request(id));
  EXPECT_FALSE(*joined);
  pass(0ms);
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->error_code, 0);
  EXPECT_EQ((*joined)->generation_id, 1);
  EXPECT_EQ((*joined)->leader, id);
  EXPECT_EQ((*joined)->protocol_name, "range");
  ASSERT_EQ((*joined)->members.size(), 1U);
  EXPECT_EQ((*joined)->members[0].metadata, subscription({"orders"}));
}

TEST_F(ClassicGroupsTest, takes_a_client_of_before_member_ids_at_once) {
  const auto joined = join(join_request(), 3);
  pass(0ms);
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->error_code, 0);
  EXPECT_FALSE((*joined)->member_id.empty());
}

TEST_F(ClassicGroupsTest, refuses_member_ids_that_it_did_not_give) {
  EXPECT_EQ(protocol::error_of((*join(join_request("made-up")))->error_code), ErrorCode::unknown_member_id);
  EXPECT_FALSE(has_group());
  stable_group(1);
  EXPECT_EQ(protocol::error_of((*join(join_request("made-up")))->error_code), ErrorCode::unknown_member_id);
}

TEST_F(ClassicGroupsTest, forgets_a_member_id_that_nobody_comes_back_with) {
  const auto first = stable_group(1);
  const std::string id = new_id();
  join(join_request(first[0]));  // the leader starts over, and is kept waiting for the other
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
  pass(9'999ms);
  EXPECT_TRUE(group().is_pending(id));
  pass(1ms);
  EXPECT_FALSE(group().is_pending(id));
  EXPECT_EQ(group().state(), GroupState::completing_rebalance);
}

TEST_F(ClassicGroupsTest, hands_out_the_leaders_assignment_when_it_is_in_the_log) {
  const auto ids = stable_group(3);
  EXPECT_EQ(group().generation(), 1);
  const protocol::GroupMetadataValue stored = last_group_record();
  ASSERT_EQ(stored.members.size(), 3U);
  EXPECT_EQ(stored.leader, ids[0]);
  EXPECT_EQ(stored.members[2].assignment, (Bytes{std::byte{'2'}}));
  EXPECT_EQ(stored.members[2].subscription, subscription({"orders"}));
  const auto again = sync(ids[1], 1);
  ASSERT_TRUE(*again);
  EXPECT_EQ((*again)->assignment, (Bytes{std::byte{'1'}}));
}

TEST_F(ClassicGroupsTest, goes_on_after_a_restart_as_if_nothing_had_been) {
  const auto ids = stable_group(3);
  restart();
  EXPECT_EQ(group().state(), GroupState::stable);
  for (const std::string& id : ids) EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
  EXPECT_EQ(group().to_record(), last_group_record());
  pass(9s);
  for (const std::string& id : {ids[0], ids[1]}) EXPECT_EQ(heartbeat(id, 1), ErrorCode::none);
  pass(2s);  // the third one's session
  EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(heartbeat(ids[2], 1), ErrorCode::unknown_member_id);
}

TEST_F(ClassicGroupsTest, notices_a_dead_member_at_the_end_of_its_session_and_goes_on_without_it) {
  const auto ids = stable_group(2);
  pass(9'999ms);
  EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::none);
  pass(1ms);
  EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::rebalance_in_progress);
  const auto joined = join(join_request(ids[0]));
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->generation_id, 2);
  EXPECT_EQ((*joined)->members.size(), 1U);
}

TEST_F(ClassicGroupsTest, drops_who_does_not_join_again_within_the_rebalance_timeout) {
  const auto ids = stable_group(2);
  const auto joined = join(join_request(ids[0]));
  for (int i = 0; i < 59; ++i) {
    pass(1s);
    EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::rebalance_in_progress);
  }
  EXPECT_FALSE(*joined);
  pass(1s);
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->members.size(), 1U);
  EXPECT_EQ(heartbeat(ids[1], 1), ErrorCode::unknown_member_id);
}

TEST_F(ClassicGroupsTest, drops_who_does_not_fetch_its_assignment) {
  const auto ids = stable_group(2);
  const auto leader = join(join_request(ids[0]));
  const auto follower = join(join_request(ids[1]));
  ASSERT_TRUE(*leader && *follower);
  sync(ids[0], 2, {{ids[0], "a"}, {ids[1], "b"}});
  EXPECT_EQ(group().state(), GroupState::stable);
  for (int i = 0; i < 60; ++i) {
    pass(1s);
    heartbeat(ids[0], 2);
    heartbeat(ids[1], 2);  // it lives, but never asks
  }
  EXPECT_EQ(group().member(ids[1]), nullptr);
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
}

TEST_F(ClassicGroupsTest, lets_a_leaving_member_go_at_once_and_empties_the_group_in_the_log) {
  const auto ids = stable_group(2);
  EXPECT_EQ(leave({{ids[1], std::nullopt}}).members.at(0).error_code, 0);
  EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::rebalance_in_progress);
  const auto response = leave({{ids[0], std::nullopt}, {"made-up", std::nullopt}});
  EXPECT_EQ(response.members.at(0).error_code, 0);
  EXPECT_EQ(protocol::error_of(response.members.at(1).error_code), ErrorCode::unknown_member_id);
  EXPECT_EQ(group().state(), GroupState::empty);
  EXPECT_EQ(last_group_record().generation, 2);
  EXPECT_TRUE(last_group_record().members.empty());
  EXPECT_EQ(last_group_record().protocol_type, "consumer");
}

TEST_F(ClassicGroupsTest, refuses_stale_generations_and_strange_protocols) {
  const auto ids = stable_group(1);
  EXPECT_EQ(heartbeat(ids[0], 0), ErrorCode::illegal_generation);
  EXPECT_EQ(protocol::error_of((*sync(ids[0], 7))->error_code), ErrorCode::illegal_generation);
  auto other = join_request("", {"sticky"});
  EXPECT_EQ(protocol::error_of((*join(other))->error_code), ErrorCode::inconsistent_group_protocol);
  other = join_request();
  other.protocol_type = "connect";
  EXPECT_EQ(protocol::error_of((*join(other))->error_code), ErrorCode::inconsistent_group_protocol);
  other = join_request("", {});
  other.group_id = "another";
  EXPECT_EQ(protocol::error_of((*join(other))->error_code), ErrorCode::inconsistent_group_protocol);
}

TEST_F(DelayedGroupsTest, chooses_the_protocol_that_most_prefer_among_those_that_all_know) {
  std::vector<std::string> ids;
  const std::vector<std::vector<std::string>> preferences{
      {"range", "sticky", "own"}, {"sticky", "range"}, {"sticky", "range", "other"}};
  std::vector<Seen<JoinResponse>> joined;
  for (const auto& preference : preferences) ids.push_back(new_id(join_request("", preference)));
  for (std::size_t i = 0; i < ids.size(); ++i) joined.push_back(join(join_request(ids[i], preferences[i])));
  pass(10s);
  for (const auto& one : joined) {
    ASSERT_TRUE(*one);
    EXPECT_EQ((*one)->protocol_name, "sticky");
  }
}

TEST_F(DelayedGroupsTest, waits_for_the_first_members_and_longer_while_they_come) {
  const auto first = join(join_request(new_id()));
  pass(2s);
  EXPECT_FALSE(*first);
  const auto second = join(join_request(new_id()));
  pass(2s);  // four seconds after the first
  EXPECT_FALSE(*first);
  pass(2s);
  ASSERT_TRUE(*first && *second);
  EXPECT_EQ((*first)->generation_id, 1);
  EXPECT_EQ((*first)->members.size(), 2U);
}

TEST_F(DelayedGroupsTest, does_not_wait_longer_than_the_rebalance_timeout) {
  auto request = join_request(new_id());
  request.rebalance_timeout_ms = 7'000;
  const auto first = join(request);
  for (int i = 0; i < 6; ++i) {
    pass(1s);
    request.member_id = new_id();
    join(request);
    EXPECT_FALSE(*first) << i;
  }
  pass(1s);
  EXPECT_TRUE(*first);
}

TEST_F(ClassicGroupsTest, keeps_a_rejoining_followers_generation_and_starts_over_for_the_leader) {
  const auto ids = stable_group(2);
  const auto follower = join(join_request(ids[1]));
  ASSERT_TRUE(*follower);
  EXPECT_EQ((*follower)->generation_id, 1);
  EXPECT_EQ(group().state(), GroupState::stable);
  auto changed = join_request(ids[1]);
  changed.protocols[0].metadata = subscription({"orders", "refunds"});
  EXPECT_FALSE(*join(changed));
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
  const auto leader = join(join_request(ids[0]));
  ASSERT_TRUE(*leader);
  EXPECT_EQ((*leader)->generation_id, 2);
}

TEST_F(ClassicGroupsTest, takes_no_more_members_than_group_max_size) {
  settings.max_size = 2;
  stable_group(2);
  EXPECT_EQ(protocol::error_of((*join(join_request()))->error_code), ErrorCode::group_max_size_reached);
  settings.max_size = 1;
  restart();
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
}

TEST_F(ClassicGroupsTest, tells_everybody_when_the_assignment_could_not_be_stored) {
  const auto ids = stable_group(2);
  join(join_request(ids[0]));
  join(join_request(ids[1]));
  const auto follower = sync(ids[1], 2);
  append_error = ErrorCode::kafka_storage_error;
  const std::size_t stored = log.size();
  const auto leader = sync(ids[0], 2, {{ids[0], "a"}, {ids[1], "b"}});
  ASSERT_TRUE(*leader && *follower);
  EXPECT_EQ(protocol::error_of((*leader)->error_code), ErrorCode::not_coordinator);
  EXPECT_EQ(protocol::error_of((*follower)->error_code), ErrorCode::not_coordinator);
  EXPECT_TRUE((*follower)->assignment.empty());
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
  EXPECT_EQ(log.size(), stored);
}

TEST_F(ClassicGroupsTest, has_no_group_that_could_not_be_written_down) {
  append_error = ErrorCode::not_enough_replicas;
  const auto joined = join(join_request(), 3);
  ASSERT_TRUE(*joined);
  EXPECT_EQ(protocol::error_of((*joined)->error_code), ErrorCode::coordinator_not_available);
  EXPECT_FALSE(has_group());
}

/// A stable group of one static member; its id.
std::string static_group(ShardFixture& fixture, std::int16_t version = 9) {
  auto request = ShardFixture::join_request();
  request.group_instance_id = "till-1";
  const auto joined = fixture.join(request, version);
  fixture.pass(0ms);
  EXPECT_TRUE(*joined && (*joined)->error_code == 0);
  const std::string id = (*joined)->member_id;
  EXPECT_EQ(id.substr(0, 7), "till-1-");
  fixture.sync(id, 1, {{id, "mine"}});
  EXPECT_EQ(fixture.group().state(), GroupState::stable);
  return id;
}

TEST_F(ClassicGroupsTest, gives_a_static_members_place_to_its_next_incarnation_without_a_rebalance) {
  const std::string old_id = static_group(*this);
  auto request = join_request();
  request.group_instance_id = "till-1";
  const auto joined = join(request);
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->error_code, 0);
  EXPECT_EQ((*joined)->generation_id, 1);
  EXPECT_TRUE((*joined)->skip_assignment);
  EXPECT_EQ((*joined)->members.size(), 1U);
  const std::string id = (*joined)->member_id;
  EXPECT_NE(id, old_id);
  EXPECT_EQ((*joined)->leader, id);
  EXPECT_EQ((*sync(id, 1))->assignment.size(), 4U);
  EXPECT_EQ(heartbeat(id, 1, "till-1"), ErrorCode::none);
  EXPECT_EQ(heartbeat(old_id, 1, "till-1"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(last_group_record().members.at(0).member_id, id);
  restart();
  EXPECT_EQ(heartbeat(id, 1, "till-1"), ErrorCode::none);
}

TEST_F(ClassicGroupsTest, hides_the_leadership_from_clients_that_would_assign_anew) {
  const std::string old_id = static_group(*this);
  auto request = join_request();
  request.group_instance_id = "till-1";
  const auto joined = join(request, 8);
  ASSERT_TRUE(*joined);
  EXPECT_EQ((*joined)->leader, old_id);
  EXPECT_TRUE((*joined)->members.empty());
}

TEST_F(ClassicGroupsTest, keeps_the_old_incarnation_where_the_new_one_could_not_be_stored) {
  const std::string old_id = static_group(*this);
  append_error = ErrorCode::not_leader_or_follower;
  auto request = join_request();
  request.group_instance_id = "till-1";
  request.session_timeout_ms = 20'000;
  const auto joined = join(request);
  ASSERT_TRUE(*joined);
  EXPECT_EQ(protocol::error_of((*joined)->error_code), ErrorCode::not_coordinator);
  EXPECT_EQ(heartbeat(old_id, 1, "till-1"), ErrorCode::none);
  EXPECT_EQ(group().to_record(), last_group_record());
}

TEST_F(ClassicGroupsTest, waits_for_a_static_members_session_though_it_gives_a_rebalance_no_time) {
  auto request = join_request();
  request.group_instance_id = "till-1";
  request.rebalance_timeout_ms = 0;
  join(request);
  const std::string dynamic = new_id();
  join(join_request(dynamic));
  pass(0ms);
  ASSERT_EQ(group().size(), 2U);
  leave({{dynamic, std::nullopt}});
  int steps = 0;
  for (bool more = true; more && steps < 100; ++steps) {
    run([&more](GroupShard& timed, Step& step) { more = timed.on_time(step); });
  }
  ASSERT_LT(steps, 100);  // it ends, and is not due again and again
  EXPECT_EQ(group().state(), GroupState::preparing_rebalance);
  pass(11s);
  EXPECT_EQ(group().state(), GroupState::empty);
}

TEST_F(ClassicGroupsTest, removes_a_static_member_by_its_instance_id) {
  static_group(*this);
  EXPECT_EQ(protocol::error_of(leave({{"", "till-2"}}).members.at(0).error_code), ErrorCode::unknown_member_id);
  EXPECT_EQ(leave({{"", "till-1"}}).members.at(0).error_code, 0);
  EXPECT_EQ(group().state(), GroupState::empty);
}

TEST_F(ClassicGroupsTest, leaves_groups_of_other_protocols_alone) {
  ForeignRecord foreign;
  foreign.kind = 3;
  foreign.group = "billing";
  foreign.key = "key";
  shard->replay(0, -1, foreign, wall_ms);
  EXPECT_EQ(protocol::error_of((*join(join_request()))->error_code), ErrorCode::inconsistent_group_protocol);
  foreign.is_tombstone = true;
  shard->replay(1, -1, foreign, wall_ms);
  EXPECT_EQ(protocol::error_of((*join(join_request()))->error_code), ErrorCode::member_id_required);
}

TEST_F(ClassicGroupsTest, describes_and_lists_what_is_there) {
  const auto ids = stable_group(2);
  const auto described = shard->groups().describe("billing", 6);
  EXPECT_EQ(described.group_state, "Stable");
  EXPECT_EQ(described.protocol_data, "range");
  ASSERT_EQ(described.members.size(), 2U);
  EXPECT_EQ(described.members[1].member_id, ids[1]);
  EXPECT_EQ(described.members[1].client_host, "/127.0.0.1");
  EXPECT_EQ(described.members[1].member_assignment, (Bytes{std::byte{'1'}}));
  EXPECT_EQ(protocol::error_of(shard->groups().describe("none", 6).error_code), ErrorCode::group_id_not_found);
  EXPECT_EQ(shard->groups().describe("none", 5).group_state, "Dead");
  EXPECT_EQ(shard->groups().describe("none", 5).error_code, 0);
  std::vector<protocol::ListGroupsResponse::ListedGroup> listed;
  shard->groups().list({"stable"}, listed);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].group_type, "classic");
  shard->groups().list({"empty"}, listed);
  EXPECT_EQ(listed.size(), 1U);
}

TEST_F(DelayedGroupsTest, settles_two_hundred_members_in_one_round) {
  std::vector<Seen<JoinResponse>> joined;
  for (int i = 0; i < 200; ++i) joined.push_back(join(join_request(new_id())));
  pass(6s);
  for (const auto& one : joined) {
    ASSERT_TRUE(*one);
    EXPECT_EQ((*one)->generation_id, 1);
  }
  EXPECT_EQ(group().size(), 200U);
}

}  // namespace
}  // namespace barnabas::group
