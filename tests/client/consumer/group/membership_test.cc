#include "client/consumer/group/membership.h"

#include <gtest/gtest.h>

#include "common/runtime/virtual_env.h"

namespace barnabas::client {
namespace {

using namespace std::chrono_literals;
using protocol::ErrorCode;
using Do = Membership::Do;
using State = Membership::State;

/// The machine, a clock, and a coordinator that answers as it is told.
class MembershipTest : public ::testing::Test {
 protected:
  explicit MembershipTest(std::optional<std::string> instance_id = std::nullopt)
      : machine_({"g", std::move(instance_id), 10s, 3s, 60s}, Backoff(100ms, 1000ms, env_.random())) {
    around_.now = runtime::MonotonicTime{} + 1h;
    around_.polled_at = around_.now;
    around_.coordinator_known = true;
  }

  Do next() {
    action_ = machine_.next(around_);
    return action_.what;
  }
  void pass(runtime::Duration time, bool polls = true) {
    around_.now += time;
    if (polls) around_.polled_at = around_.now;
  }
  void answer_join(ErrorCode error, const Generation& generation = {}, bool leader = false) {
    machine_.on_join(machine_.attempt(), Membership::JoinAnswer{error, generation, leader}, around_.now);
  }
  void answer_sync(ErrorCode error) { machine_.on_sync(machine_.attempt(), error, around_.now); }
  void answer_heartbeat(ErrorCode error) { machine_.on_heartbeat(machine_.attempt(), error, around_.now); }
  /// From a rebalance's start to its end.
  void rebalance(int generation, bool leader = false) {
    ASSERT_EQ(next(), Do::prepare);
    machine_.on_turn_ended();
    ASSERT_EQ(next(), Do::join);
    answer_join(ErrorCode::none, {generation, "m", "range"}, leader);
    ASSERT_EQ(next(), Do::sync);
    answer_sync(ErrorCode::none);
    ASSERT_EQ(next(), Do::complete);
    machine_.on_turn_ended();
    ASSERT_EQ(next(), Do::nothing);
    ASSERT_EQ(machine_.state(), State::stable);
  }
  void join_first(int generation = 1) {
    machine_.start();
    rebalance(generation);
  }

  runtime::VirtualEnv env_{1};
  Membership machine_;
  Membership::Surroundings around_;
  Membership::Action action_;
};

class StaticMembershipTest : public MembershipTest {
 protected:
  StaticMembershipTest() : MembershipTest("host-1") {}
};

TEST_F(MembershipTest, does_nothing_before_it_is_wanted) {
  EXPECT_EQ(next(), Do::nothing);
  EXPECT_EQ(action_.until, runtime::MonotonicTime::max());
  EXPECT_TRUE(machine_.stop().member_id.empty());
}

TEST_F(MembershipTest, looks_for_the_coordinator_before_all_else_and_backs_off_where_there_is_none) {
  around_.coordinator_known = false;
  machine_.start();
  EXPECT_EQ(next(), Do::find_coordinator);
  EXPECT_EQ(next(), Do::nothing) << "one question at a time";
  machine_.on_coordinator_asked(failure(make_error_code(ErrorCode::coordinator_not_available)), around_.now);
  EXPECT_EQ(next(), Do::nothing);
  EXPECT_GT(action_.until, around_.now);
  EXPECT_FALSE(machine_.take_failure()) << "that passes";
  around_.now = action_.until;
  EXPECT_EQ(next(), Do::find_coordinator);
  machine_.on_coordinator_asked(failure(make_error_code(ErrorCode::group_authorization_failed)), around_.now);
  EXPECT_EQ(machine_.take_failure()->code, ErrorCode::group_authorization_failed);
  EXPECT_FALSE(machine_.take_failure()) << "told once";
}

TEST_F(MembershipTest, joins_again_at_once_with_the_member_id_that_it_is_given) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  EXPECT_TRUE(action_.who.member_id.empty());
  answer_join(ErrorCode::member_id_required, {-1, "m-7", ""});
  ASSERT_EQ(next(), Do::join) << "no second preparation, no back-off";
  EXPECT_EQ(action_.who.member_id, "m-7");
  answer_join(ErrorCode::none, {1, "m-7", "range"});
  EXPECT_EQ(next(), Do::sync);
  EXPECT_EQ(machine_.state(), State::syncing);
}

TEST_F(MembershipTest, sends_heartbeats_while_it_syncs_and_is_stable_but_not_while_it_joins) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  pass(9s);
  EXPECT_EQ(next(), Do::nothing);
  answer_join(ErrorCode::none, {1, "m", "range"});
  ASSERT_EQ(next(), Do::sync);
  EXPECT_EQ(next(), Do::nothing);
  EXPECT_EQ(action_.until, around_.now + 3s);
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  EXPECT_EQ(next(), Do::nothing) << "one at a time";
  answer_heartbeat(ErrorCode::none);
  answer_sync(ErrorCode::none);
  ASSERT_EQ(next(), Do::complete);
  pass(3s);
  EXPECT_EQ(next(), Do::heartbeat) << "also while poll is waited for";
}

TEST_F(MembershipTest, a_heartbeat_that_tells_of_a_rebalance_leads_to_prepare_and_heartbeats_go_on_until_the_join) {
  join_first();
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::rebalance_in_progress);
  ASSERT_EQ(next(), Do::prepare);
  EXPECT_EQ(machine_.generation().id, 1) << "what is owned can still be committed";
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::rebalance_in_progress);
  EXPECT_EQ(next(), Do::nothing);
  machine_.on_turn_ended();
  EXPECT_EQ(next(), Do::join);
  EXPECT_EQ(action_.who.id, 1);
}

TEST_F(MembershipTest, leaves_when_poll_stays_away_and_joins_again_under_a_new_name_when_it_is_back) {
  join_first();
  for (int i = 0; i < 19; ++i) {
    pass(3s, false);
    ASSERT_EQ(next(), Do::heartbeat);
    answer_heartbeat(ErrorCode::none);
  }
  EXPECT_EQ(next(), Do::nothing);
  EXPECT_EQ(action_.until, around_.polled_at + 60s);
  pass(3s, false);
  ASSERT_EQ(next(), Do::leave);
  EXPECT_EQ(action_.who.member_id, "m");
  EXPECT_EQ(machine_.generation().id, Generation::kNone) << "the listener hears that the partitions are lost";
  EXPECT_NE(machine_.explain(around_).find("max.poll.interval.ms"), std::string::npos) << machine_.explain(around_);
  ASSERT_EQ(next(), Do::prepare);
  pass(1s);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  EXPECT_TRUE(action_.who.member_id.empty());
}

TEST_F(StaticMembershipTest, stays_away_without_a_word_when_poll_does) {
  join_first();
  pass(60s, false);
  ASSERT_EQ(next(), Do::leave);
  EXPECT_TRUE(action_.who.member_id.empty()) << "nobody is sent off: session.timeout.ms decides";
  EXPECT_TRUE(machine_.stop().member_id.empty());
}

TEST_F(StaticMembershipTest, being_fenced_is_for_good) {
  join_first();
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::fenced_instance_id);
  ASSERT_TRUE(machine_.fatal());
  EXPECT_NE(machine_.fatal()->message().find("host-1"), std::string::npos);
  EXPECT_EQ(next(), Do::nothing);
  pass(1h);
  EXPECT_EQ(next(), Do::nothing);
  machine_.stop();
  machine_.start();
  EXPECT_EQ(next(), Do::prepare) << "a new subscription is a new try";
}

TEST_F(MembershipTest, an_unknown_member_starts_anew_and_an_old_generation_keeps_its_name) {
  join_first();
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::illegal_generation);
  EXPECT_EQ(machine_.generation(), (Generation{Generation::kNone, "m", ""}));
  rebalance(2);
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::unknown_member_id);
  EXPECT_EQ(machine_.generation(), Generation{});
  EXPECT_EQ(next(), Do::prepare);
}

TEST_F(MembershipTest, forgets_a_coordinator_that_is_silent_for_the_session) {
  join_first();
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  pass(7s);
  EXPECT_EQ(next(), Do::forget_coordinator);
  around_.coordinator_known = false;
  machine_.on_heartbeat(machine_.attempt(), failure(Errc::timed_out), around_.now);
  EXPECT_EQ(next(), Do::find_coordinator);
  machine_.on_coordinator_asked({}, around_.now);
  around_.coordinator_known = true;
  EXPECT_EQ(next(), Do::heartbeat) << "at once: it may still be in time";
  EXPECT_FALSE(machine_.take_failure());
}

TEST_F(MembershipTest, a_move_of_the_coordinator_while_joining_or_syncing_is_survived_in_silence) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  for (const ErrorCode error :
       {ErrorCode::not_coordinator, ErrorCode::coordinator_load_in_progress, ErrorCode::coordinator_not_available}) {
    ASSERT_EQ(next(), Do::join);
    answer_join(error);
    EXPECT_EQ(next(), Do::nothing);
    around_.now = action_.until;
  }
  ASSERT_EQ(next(), Do::join);
  answer_join(ErrorCode::none, {4, "m", "range"});
  ASSERT_EQ(next(), Do::sync);
  answer_sync(ErrorCode::not_coordinator);
  EXPECT_EQ(next(), Do::nothing);
  around_.now = action_.until;
  EXPECT_EQ(next(), Do::join);
  EXPECT_FALSE(machine_.take_failure());
}

TEST_F(MembershipTest, a_rebalance_while_syncing_joins_again_without_giving_up_more) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  answer_join(ErrorCode::none, {1, "m", "range"});
  ASSERT_EQ(next(), Do::sync);
  answer_sync(ErrorCode::rebalance_in_progress);
  EXPECT_EQ(next(), Do::join);
}

TEST_F(MembershipTest, what_no_retry_helps_is_told_and_tried_again_all_the_same) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  for (const ErrorCode error : {ErrorCode::inconsistent_group_protocol, ErrorCode::invalid_session_timeout,
                                ErrorCode::group_max_size_reached, ErrorCode::invalid_group_id}) {
    ASSERT_EQ(next(), Do::join);
    answer_join(error);
    const auto told = machine_.take_failure();
    ASSERT_TRUE(told);
    EXPECT_EQ(told->code, error);
    ASSERT_EQ(next(), Do::nothing);
    around_.now = action_.until;
  }
}

TEST_F(MembershipTest, nonsense_from_the_coordinator_is_an_error_and_no_endless_loop) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  answer_join(ErrorCode::none, {-5, "", "range"});
  EXPECT_EQ(machine_.take_failure()->code, Errc::corrupt_data);
  int joins = 0;
  for (int i = 0; i < 50; ++i) {
    if (next() != Do::join) continue;
    ++joins;
    answer_join(ErrorCode::member_id_required, {-1, "m", ""});
  }
  EXPECT_LE(joins, 5) << "without time passing";
}

TEST_F(MembershipTest, an_answer_that_comes_too_late_changes_nothing) {
  machine_.start();
  ASSERT_EQ(next(), Do::prepare);
  machine_.on_turn_ended();
  ASSERT_EQ(next(), Do::join);
  const auto attempt = machine_.attempt();
  machine_.stop();
  machine_.on_join(attempt, Membership::JoinAnswer{ErrorCode::none, {9, "m", "range"}, false}, around_.now);
  EXPECT_EQ(machine_.generation(), Generation{});
  EXPECT_EQ(next(), Do::nothing);
}

TEST_F(MembershipTest, a_membership_lost_in_the_middle_of_a_turn_leads_to_another_turn) {
  join_first();
  machine_.request_rejoin("the test wants it");
  ASSERT_EQ(next(), Do::prepare);
  pass(3s);
  ASSERT_EQ(next(), Do::heartbeat);
  answer_heartbeat(ErrorCode::unknown_member_id);
  EXPECT_EQ(next(), Do::nothing) << "the turn is under way";
  machine_.on_turn_ended();
  EXPECT_EQ(next(), Do::prepare);
}

TEST_F(MembershipTest, a_refused_commit_tells_what_became_of_the_membership) {
  join_first();
  const Generation member = machine_.generation();
  machine_.on_commit(Generation{member.id - 1, "m", "range"}, ErrorCode::illegal_generation);
  EXPECT_EQ(machine_.generation(), member) << "of an older generation";
  machine_.on_commit(member, ErrorCode::rebalance_in_progress);
  EXPECT_TRUE(machine_.needs_rejoin());
  machine_.on_commit(member, ErrorCode::unknown_member_id);
  EXPECT_EQ(machine_.generation(), Generation{});
}

}  // namespace
}  // namespace barnabas::client
