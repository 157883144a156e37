#include "broker/group/group_offsets.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/broker/group/shard_fixture.h"

namespace barnabas::group {
namespace {

using protocol::ErrorCode;
using namespace std::chrono_literals;

struct GroupOffsetsTest : ::testing::Test, ShardFixture {
  GroupOffsetsTest()
      : ShardFixture(GroupSettings{.initial_rebalance_delay_ms = 0, .offsets_retention_ms = 3'600'000}) {}

  protocol::DeleteGroupsResponse remove(const std::vector<std::string>& ids) {
    protocol::DeleteGroupsResponse response;
    run([&](GroupShard& deleted, Step& step) {
      deleted.delete_groups(step, ids, [&response](protocol::DeleteGroupsResponse r) { response = std::move(r); });
    });
    return response;
  }
  protocol::OffsetDeleteResponse remove_offset(const std::string& topic) {
    protocol::OffsetDeleteRequest request;
    request.group_id = "billing";
    request.topics.emplace_back();
    request.topics.back().name = topic;
    request.topics.back().partitions.emplace_back();
    protocol::OffsetDeleteResponse response;
    run([&](GroupShard& deleted, Step& step) {
      deleted.offsets().remove(step, request,
                               [&response](protocol::OffsetDeleteResponse r) { response = std::move(r); });
    });
    return response;
  }
};

TEST_F(GroupOffsetsTest, remember_what_was_committed_over_a_restart) {
  EXPECT_EQ(commit({.offset = 42, .metadata = "why"}), ErrorCode::none);
  EXPECT_EQ(commit({.partition = 1, .offset = 7}), ErrorCode::none);
  EXPECT_EQ(commit({.offset = 43, .metadata = "later"}), ErrorCode::none);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(fetch().committed_offset, 43);
    EXPECT_EQ(fetch().metadata, "later");
    EXPECT_EQ(fetch("orders", 1).committed_offset, 7);
    EXPECT_EQ(fetch("orders", 2).committed_offset, -1);
    restart();
  }
  EXPECT_EQ(group().state(), GroupState::empty);
  EXPECT_FALSE(group().protocol_type());
}

TEST_F(GroupOffsetsTest, change_nothing_when_the_commit_could_not_be_stored) {
  EXPECT_EQ(commit({.offset = 1}), ErrorCode::none);
  append_error = ErrorCode::not_enough_replicas;
  EXPECT_EQ(commit({.offset = 2}), ErrorCode::coordinator_not_available);
  EXPECT_EQ(fetch().committed_offset, 1);
}

TEST_F(GroupOffsetsTest, take_commits_of_members_of_this_generation_only) {
  const auto ids = stable_group(2);
  EXPECT_EQ(commit({.offset = 1}, ids[0], 1), ErrorCode::none);
  EXPECT_EQ(commit({.offset = 2}, ids[0], 0), ErrorCode::illegal_generation);
  EXPECT_EQ(commit({.offset = 2}, "made-up", 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(commit({.offset = 2}), ErrorCode::unknown_member_id);
  EXPECT_EQ(fetch().committed_offset, 1);
  join(join_request(ids[0]));  // a rebalance begins: who is in it may still commit
  EXPECT_EQ(commit({.offset = 3}, ids[1], 1), ErrorCode::none);
  join(join_request(ids[1]));
  EXPECT_EQ(commit({.offset = 4}, ids[1], 2), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(fetch().committed_offset, 3);
}

TEST_F(GroupOffsetsTest, refuse_a_generation_of_a_group_that_is_not_there) {
  EXPECT_EQ(commit({.offset = 1}, "m", 1, 8), ErrorCode::illegal_generation);
  EXPECT_EQ(commit({.offset = 1}, "m", 1, 9), ErrorCode::group_id_not_found);
  EXPECT_FALSE(has_group());
}

TEST_F(GroupOffsetsTest, count_as_a_sign_of_life) {
  const auto ids = stable_group(1);
  for (int i = 0; i < 5; ++i) {
    pass(9s);
    EXPECT_EQ(commit({.offset = i}, ids[0], 1), ErrorCode::none);
  }
  EXPECT_EQ(heartbeat(ids[0], 1), ErrorCode::none);
}

TEST_F(GroupOffsetsTest, have_metadata_up_to_the_limit) {
  EXPECT_EQ(commit({.offset = 1, .metadata = std::string(4096, 'x')}), ErrorCode::none);
  EXPECT_EQ(commit({.offset = 2, .metadata = std::string(4097, 'x')}), ErrorCode::offset_metadata_too_large);
  EXPECT_EQ(fetch().committed_offset, 1);
}

TEST_F(GroupOffsetsTest, expire_when_the_group_has_been_empty_for_the_retention_and_take_the_group_along) {
  const auto ids = stable_group(1);
  commit({.offset = 1}, ids[0], 1);
  commit({.topic = "elsewhere", .offset = 1}, ids[0], 1);
  for (int i = 0; i < 600; ++i) {  // while the group lives, what it reads stays
    pass(9s);
    heartbeat(ids[0], 1);
  }
  EXPECT_EQ(fetch().committed_offset, 1);
  EXPECT_EQ(fetch("elsewhere").committed_offset, -1);
  leave({{ids[0], std::nullopt}});
  pass(59min);
  EXPECT_EQ(fetch().committed_offset, 1);
  pass(11min);
  EXPECT_EQ(fetch().committed_offset, -1);
  EXPECT_FALSE(has_group());
  restart();
  EXPECT_FALSE(has_group());
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupOffsetsTest, expire_by_their_own_retention_where_the_commit_had_one) {
  EXPECT_EQ(commit({.offset = 1}, "", -1, 4, 86'400'000), ErrorCode::none);
  pass(std::chrono::hours(23));
  EXPECT_EQ(fetch().committed_offset, 1);
  pass(std::chrono::hours(2));
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupOffsetsTest, stay_where_their_own_retention_ends_beyond_all_time) {
  EXPECT_EQ(commit({.offset = 1}, "", -1, 4, std::numeric_limits<std::int64_t>::max()), ErrorCode::none);
  pass(std::chrono::hours(24 * 30));
  EXPECT_EQ(fetch().committed_offset, 1);
}

TEST_F(GroupOffsetsTest, expire_where_the_log_says_that_they_were_committed_before_all_time) {
  protocol::OffsetCommitValue value;
  value.offset = 1;
  value.commit_timestamp = std::numeric_limits<std::int64_t>::min();
  log.push_back(written(OffsetRecord{"billing", "orders", 0, value}));
  restart();
  EXPECT_EQ(fetch().committed_offset, 1);
  pass(11min);
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupOffsetsTest, go_with_their_group_and_stay_gone) {
  commit({.offset = 1});
  const auto response = remove({"billing", "none"});
  EXPECT_EQ(response.results.at(0).error_code, 0);
  EXPECT_EQ(protocol::error_of(response.results.at(1).error_code), ErrorCode::group_id_not_found);
  EXPECT_FALSE(has_group());
  restart();
  EXPECT_FALSE(has_group());
  EXPECT_EQ(fetch().committed_offset, -1);
  stable_group(1);
  EXPECT_EQ(protocol::error_of(remove({"billing"}).results.at(0).error_code), ErrorCode::non_empty_group);
}

TEST_F(GroupOffsetsTest, are_deleted_one_by_one_unless_the_group_reads_the_topic) {
  EXPECT_EQ(protocol::error_of(remove_offset("orders").error_code), ErrorCode::group_id_not_found);
  const auto ids = stable_group(1);
  commit({.offset = 1}, ids[0], 1);
  commit({.topic = "elsewhere", .offset = 1}, ids[0], 1);
  EXPECT_EQ(protocol::error_of(remove_offset("orders").topics.at(0).partitions.at(0).error_code),
            ErrorCode::group_subscribed_to_topic);
  EXPECT_EQ(remove_offset("elsewhere").topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(fetch().committed_offset, 1);
  EXPECT_EQ(fetch("elsewhere").committed_offset, -1);
}

TEST_F(GroupOffsetsTest, go_with_their_topic) {
  commit({.offset = 1});
  commit({.topic = "elsewhere", .offset = 2});
  run([](GroupShard& told, Step& step) { told.on_topics_deleted(step, {"orders", "none"}); });
  EXPECT_EQ(fetch().committed_offset, -1);
  EXPECT_EQ(fetch("elsewhere").committed_offset, 2);
}

/// What a transactional producer wrote, as a Kafka broker would have: read at a start.
struct TransactionsTest : GroupOffsetsTest {
  void write(std::int64_t producer_id, std::int64_t offset, std::int64_t record_offset) {
    OffsetRecord record{"billing", "orders", 0, protocol::OffsetCommitValue{}};
    record.value->offset = offset;
    shard->replay(record_offset, producer_id, record, wall_ms);
  }
};

TEST_F(TransactionsTest, hide_their_offsets_until_they_commit) {
  write(-1, 10, 0);
  write(77, 20, 1);
  EXPECT_EQ(fetch().committed_offset, 10);
  const auto unstable = fetch("orders", 0, true);
  EXPECT_EQ(protocol::error_of(unstable.error_code), ErrorCode::unstable_offset_commit);
  EXPECT_EQ(unstable.committed_offset, -1);
  shard->replay_end_of_transaction(77, true);
  EXPECT_EQ(fetch("orders", 0, true).committed_offset, 20);
}

TEST_F(TransactionsTest, leave_nothing_when_they_abort) {
  write(-1, 10, 0);
  write(77, 20, 1);
  shard->replay_end_of_transaction(77, false);
  EXPECT_EQ(fetch("orders", 0, true).committed_offset, 10);
}

TEST_F(TransactionsTest, do_not_undo_a_commit_that_came_after_theirs) {
  write(77, 20, 1);
  write(-1, 30, 2);
  shard->replay_end_of_transaction(77, true);
  EXPECT_EQ(fetch().committed_offset, 30);
}

TEST_F(TransactionsTest, keep_the_group_from_being_forgotten) {
  write(77, 20, 1);
  pass(std::chrono::hours(24 * 30));
  EXPECT_TRUE(has_group());
  shard->replay_end_of_transaction(77, false);
  pass(std::chrono::hours(24 * 30));
  EXPECT_FALSE(has_group());
}

}  // namespace
}  // namespace barnabas::group
