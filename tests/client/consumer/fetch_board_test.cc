#include "client/consumer/fetch_board.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace barnabas::client {
namespace {

using Ready = FetchReadiness;

constexpr runtime::MonotonicTime kNow{};
constexpr auto kNever = runtime::MonotonicTime::max();
constexpr std::int32_t kMaxBytes = 1000;

class FetchBoardTest : public ::testing::Test {
 protected:
  PartitionState& at(std::int32_t partition) { return *positions.find({"orders", partition}); }

  void assign(std::int32_t count) {
    std::vector<TopicPartition> all;
    for (std::int32_t i = 0; i < count; ++i) all.push_back({"orders", i});
    positions.assign(all, kNow);
    positions.take_touched();
  }

  /// What the session with a broker asks for after its next fetch was built.
  std::map<std::int32_t, std::int64_t> fetched_from(std::int32_t broker_id) {
    protocol::FetchRequest request;
    board.tell_session(broker_id, kMaxBytes);
    FetchSession& session = board.at(broker_id).session;
    session.build(request);
    std::map<std::int32_t, std::int64_t> offsets;
    session.for_each([&](const TopicPartition& where, const FetchSession::Asked& asked) {
      offsets[where.partition] = asked.fetch.fetch_offset;
    });
    return offsets;
  }
  using Offsets = std::map<std::int32_t, std::int64_t>;

  Positions positions{ResetPolicy{}};
  FetchBoard board;
};

TEST_F(FetchBoardTest, a_fetch_is_worth_it_when_there_is_more_or_nothing_that_poll_makes_room_for) {
  assign(2);
  EXPECT_FALSE(board.at(1).worth_a_fetch());
  board.stand(at(0), 1, Ready::at_end, kNever);
  EXPECT_TRUE(board.at(1).worth_a_fetch());
  board.stand(at(1), 1, Ready::full, kNever);
  EXPECT_FALSE(board.at(1).worth_a_fetch()) << "it would wait, and keep the full one waiting";
  board.stand(at(0), 1, Ready::more, kNever);
  EXPECT_TRUE(board.at(1).worth_a_fetch());
  board.stand(at(0), -1, Ready::none, kNever);
  EXPECT_FALSE(board.at(1).worth_a_fetch());
}

TEST_F(FetchBoardTest, a_session_is_told_what_became_ready_and_what_no_longer_is) {
  assign(3);
  for (std::int32_t i = 0; i < 3; ++i) {
    positions.seek(at(i), {10 + i, -1});
    board.stand(at(i), 1, Ready::more, kNever);
  }
  EXPECT_EQ(fetched_from(1), (Offsets{{0, 10}, {1, 11}, {2, 12}}));
  positions.seek(at(1), {50, -1});
  board.stand(at(1), 1, Ready::at_end, kNever);
  board.stand(at(2), 1, Ready::full, kNever);
  EXPECT_EQ(fetched_from(1), (Offsets{{0, 10}, {1, 50}}));
  EXPECT_EQ(at(2).asked_broker, -1);
}

TEST_F(FetchBoardTest, a_partition_whose_leader_moved_leaves_the_old_ones_session) {
  assign(2);
  board.stand(at(0), 1, Ready::more, kNever);
  board.stand(at(1), 1, Ready::more, kNever);
  EXPECT_EQ(fetched_from(1).size(), 2U);
  board.stand(at(0), 2, Ready::more, kNever);
  EXPECT_EQ(fetched_from(1), (Offsets{{1, -1}}));
  EXPECT_EQ(fetched_from(2), (Offsets{{0, -1}}));
  board.stand(at(0), 1, Ready::more, kNever);
  board.stand(at(0), 2, Ready::more, kNever);
  board.stand(at(0), 1, Ready::more, kNever);
  EXPECT_EQ(fetched_from(1).size(), 2U) << "it came back before anybody was told";
  EXPECT_TRUE(fetched_from(2).empty());
  EXPECT_EQ(board.at(1).ready(), 2);
  EXPECT_EQ(board.at(2).ready(), 0);
}

TEST_F(FetchBoardTest, what_is_no_longer_assigned_leaves_without_a_trace) {
  assign(3);
  for (std::int32_t i = 0; i < 3; ++i) board.stand(at(i), 1, Ready::more, kNow + std::chrono::seconds(i));
  EXPECT_EQ(fetched_from(1).size(), 3U);
  for (std::int32_t i = 0; i < 3; ++i) board.stand(at(i), 1, Ready::full, kNow + std::chrono::seconds(i));
  const auto before = positions.removals();
  positions.assign({{"orders", 2}}, kNow);
  EXPECT_NE(positions.removals(), before);
  board.rebuild(positions);
  EXPECT_EQ(board.next_wake(), kNever);
  const auto touched = positions.take_touched();
  ASSERT_EQ(touched.size(), 1U);
  board.stand(*touched.front(), 1, Ready::more, kNever);
  EXPECT_EQ(fetched_from(1), (Offsets{{2, -1}}));
}

TEST_F(FetchBoardTest, wakes_each_when_its_time_has_come) {
  using std::chrono::milliseconds;
  assign(3);
  board.stand(at(0), -1, Ready::none, kNow + milliseconds(20));
  board.stand(at(1), 1, Ready::more, kNow + milliseconds(10));
  board.stand(at(2), 1, Ready::none, kNow + milliseconds(10));
  board.stand(at(2), 1, Ready::none, kNever);
  EXPECT_EQ(board.next_wake(), kNow + milliseconds(10));
  board.wake(kNow + milliseconds(10), positions);
  EXPECT_EQ(positions.take_touched(), (std::vector<PartitionState*>{&at(1)}));
  EXPECT_EQ(board.next_wake(), kNow + milliseconds(20));
}

TEST_F(FetchBoardTest, those_to_be_asked_for_alone_come_in_order) {
  assign(3);
  for (const std::int32_t i : {2, 1}) {
    at(i).alone = true;
    board.stand(at(i), 1, Ready::more, kNever);
  }
  EXPECT_EQ(board.at(1).alone.begin()->second, &at(1));
  at(1).alone = false;
  board.stand(at(1), 1, Ready::more, kNever);
  EXPECT_EQ(board.at(1).alone.begin()->second, &at(2));
  board.stand(at(2), 1, Ready::full, kNever);
  EXPECT_TRUE(board.at(1).alone.empty());
}

TEST_F(FetchBoardTest, sessions_always_hold_what_is_ready_whatever_happened_before) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    positions = Positions{ResetPolicy{}};
    board = FetchBoard{};
    assign(8);
    for (int step = 0; step < 300; ++step) {
      if (random() % 40 == 0) {  // another assignment
        std::vector<TopicPartition> some;
        for (std::int32_t i = 0; i < 8; ++i) {
          if (random() % 4 != 0) some.push_back({"orders", i});
        }
        const auto before = positions.removals();
        positions.assign(some, kNow);
        if (positions.removals() != before) board.rebuild(positions);
        for (PartitionState* state : positions.take_touched()) {
          board.stand(*state, static_cast<std::int32_t>(random() % 3), Ready::none, kNever);
        }
      }
      PartitionState* state = positions.find({"orders", static_cast<std::int32_t>(random() % 8)});
      if (state != nullptr) {
        board.stand(*state, static_cast<std::int32_t>(random() % 4) - 1, static_cast<Ready>(random() % 4), kNever);
      }
      const auto broker_id = static_cast<std::int32_t>(random() % 3);
      if (random() % 3 != 0) continue;
      Offsets expected;
      int full = 0;
      for (const auto& [where, known] : positions.all()) {
        if (known.standing.broker != broker_id) continue;
        const bool is_ready = known.standing.readiness == Ready::more || known.standing.readiness == Ready::at_end;
        if (is_ready) expected[where.partition] = known.next_fetch.offset;
        full += known.standing.readiness == Ready::full ? 1 : 0;
      }
      ASSERT_EQ(fetched_from(broker_id), expected) << "step " << step;
      ASSERT_EQ(board.at(broker_id).ready(), static_cast<int>(expected.size()));
      ASSERT_EQ(board.at(broker_id).full, full);
    }
  }
}

}  // namespace
}  // namespace barnabas::client
