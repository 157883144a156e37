#include "client/consumer/positions.h"

#include <gtest/gtest.h>

#include "common/protocol/errors.h"

namespace barnabas::client {
namespace {

using Phase = PartitionState::Phase;
using Kind = ResetPolicy::Kind;

const TopicPartition kOrders{"orders", 0};
constexpr runtime::MonotonicTime kNow{};

class PositionsTest : public ::testing::Test {
 protected:
  PartitionState& assign(ResetPolicy policy = {Kind::earliest, {}}) {
    positions = Positions(policy);
    positions.assign({kOrders}, kNow);
    return *positions.find(kOrders);
  }
  CompletedFetch nothing_fetched() { return {{0, nullptr, nullptr, {}, {}}, {}}; }

  Positions positions{ResetPolicy{}};
};

TEST_F(PositionsTest, a_new_partition_waits_for_its_reset_and_starts_where_the_leader_says) {
  auto& state = assign();
  EXPECT_EQ(state.phase, Phase::awaiting_reset);
  EXPECT_EQ(state.reset.kind, Kind::earliest);
  positions.on_reset(kOrders, state.generation, {5, 2});
  EXPECT_EQ(state.phase, Phase::fetching);
  EXPECT_EQ(state.position, (Position{5, 2}));
  EXPECT_EQ(state.next_fetch, (Position{5, 2}));
}

TEST_F(PositionsTest, a_partition_that_stays_assigned_keeps_its_position) {
  positions.seek(assign(), {7, -1});
  positions.assign({kOrders, {"orders", 1}}, kNow);
  EXPECT_EQ(positions.find(kOrders)->position.offset, 7);
  EXPECT_EQ(positions.find({"orders", 1})->phase, Phase::awaiting_reset);
  EXPECT_EQ(positions.find(kOrders)->topic, positions.find({"orders", 1})->topic) << "one name for all partitions";
  positions.assign({{"orders", 1}}, kNow);
  EXPECT_EQ(positions.find(kOrders), nullptr);
}

TEST_F(PositionsTest, an_answer_from_before_a_seek_is_dropped) {
  auto& state = assign();
  const auto asked = state.generation;
  positions.seek(state, {42, -1});
  positions.on_reset(kOrders, asked, {0, -1});
  EXPECT_EQ(state.position.offset, 42);
}

TEST_F(PositionsTest, a_partition_assigned_again_does_not_take_answers_for_the_old_one) {
  const auto asked = assign().generation;
  positions.assign({}, kNow);
  positions.assign({kOrders}, kNow);
  positions.on_reset(kOrders, asked, {3, -1});
  EXPECT_EQ(positions.find(kOrders)->phase, Phase::awaiting_reset);
}

TEST_F(PositionsTest, seek_drops_what_was_fetched) {
  auto& state = assign();
  positions.seek(state, {0, -1});
  positions.on_fetched(state, nothing_fetched(), {10, 1}, kNow);
  EXPECT_EQ(state.next_fetch.offset, 10);
  positions.seek(state, {3, -1});
  EXPECT_TRUE(state.fetched.empty());
  EXPECT_EQ(state.next_fetch.offset, 3);
}

TEST_F(PositionsTest, an_offset_out_of_range_is_reset_by_policy) {
  auto& state = assign();
  positions.seek(state, {99, -1});
  positions.on_out_of_range(state, 99);
  EXPECT_EQ(state.phase, Phase::awaiting_reset);
  EXPECT_EQ(state.reset.kind, Kind::earliest);
  EXPECT_FALSE(state.stuck);
}

TEST_F(PositionsTest, without_a_policy_an_offset_out_of_range_stays_an_error_until_the_user_seeks) {
  auto& state = assign({Kind::none, {}});
  EXPECT_TRUE(state.stuck) << "no position was set yet";
  positions.seek(state, {99, -1});
  EXPECT_FALSE(state.stuck);
  positions.on_out_of_range(state, 99);
  ASSERT_TRUE(state.stuck);
  EXPECT_EQ(state.stuck->code, make_error_code(protocol::ErrorCode::offset_out_of_range));
  EXPECT_NE(state.stuck->subject.find("orders-0"), std::string::npos);
  EXPECT_NE(state.stuck->subject.find("99"), std::string::npos);
  positions.seek(state, {0, -1});
  EXPECT_FALSE(state.stuck);
}

TEST_F(PositionsTest, out_of_range_ahead_of_what_poll_has_not_taken_yet_waits) {
  auto& state = assign();
  positions.seek(state, {0, -1});
  positions.on_fetched(state, nothing_fetched(), {10, 1}, kNow);
  positions.on_out_of_range(state, 10);
  EXPECT_EQ(state.phase, Phase::fetching);
  EXPECT_EQ(state.fetched.size(), 1U);
}

TEST_F(PositionsTest, a_new_leader_epoch_makes_a_read_position_be_validated) {
  auto& state = assign();
  positions.seek(state, {10, 1});
  positions.on_leader_epoch(state, 1);
  EXPECT_EQ(state.phase, Phase::fetching);
  positions.on_leader_epoch(state, 2);
  ASSERT_EQ(state.phase, Phase::awaiting_validation);
  positions.on_validated(kOrders, state.generation, 2, 10);
  EXPECT_EQ(state.phase, Phase::fetching);
  positions.on_leader_epoch(state, 2);
  EXPECT_EQ(state.phase, Phase::fetching) << "epoch 2 was asked already";
}

TEST_F(PositionsTest, a_position_without_an_epoch_needs_no_validation) {
  auto& state = assign();
  positions.seek(state, {10, -1});
  positions.on_leader_epoch(state, 7);
  EXPECT_EQ(state.phase, Phase::fetching);
}

TEST_F(PositionsTest, a_truncated_log_moves_the_position_back_to_where_it_agrees) {
  auto& state = assign();
  positions.seek(state, {10, 1});
  positions.on_leader_epoch(state, 2);
  positions.on_validated(kOrders, state.generation, 2, 6);
  EXPECT_EQ(state.position.offset, 6);
  EXPECT_EQ(state.phase, Phase::fetching);
}

TEST_F(PositionsTest, without_a_policy_a_truncated_log_is_an_error) {
  auto& state = assign({Kind::none, {}});
  positions.seek(state, {10, 1});
  positions.on_leader_epoch(state, 2);
  positions.on_validated(kOrders, state.generation, 2, 6);
  ASSERT_TRUE(state.stuck);
  EXPECT_NE(state.stuck->subject.find("truncated at 6"), std::string::npos);
}

TEST_F(PositionsTest, what_was_fetched_ahead_of_a_truncation_is_dropped_and_the_position_asked_for_itself) {
  auto& state = assign();
  positions.seek(state, {5, 1});
  positions.on_fetched(state, nothing_fetched(), {10, 1}, kNow);
  positions.on_leader_epoch(state, 2);
  positions.on_validated(kOrders, state.generation, 2, 6);
  EXPECT_EQ(state.phase, Phase::awaiting_validation);
  EXPECT_EQ(state.next_fetch.offset, 5);
  EXPECT_TRUE(state.fetched.empty());
  positions.on_validated(kOrders, state.generation, 2, 6);
  EXPECT_EQ(state.phase, Phase::fetching);
  EXPECT_EQ(state.position.offset, 5);
}

}  // namespace
}  // namespace barnabas::client
