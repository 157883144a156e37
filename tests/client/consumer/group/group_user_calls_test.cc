#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <atomic>
#include <memory>
#include <stdexcept>

#include "barnabas/consumer_async.h"
#include "tests/client/consumer/group/group_fixture.h"
#include "tests/support/group_impostor.h"

// The application's own functions: when they are called, and what becomes of what they throw.
namespace barnabas {
namespace {

void expect_failed(const Thrown& thrown, const std::string& where, const std::string& what) {
  EXPECT_EQ(thrown.code, ConsumerErrc::listener_failed) << thrown.text;
  EXPECT_NE(thrown.text.find(where), std::string::npos) << thrown.text;
  EXPECT_NE(thrown.text.find(what), std::string::npos) << thrown.text;
}

TEST_F(GroupTest, what_on_revoked_throws_comes_out_of_poll_and_of_close_and_partitions_go_all_the_same) {
  RebalanceListener listener;
  listener.on_revoked = [](const Partitions&) { throw std::runtime_error("the disk is full"); };
  Consumer first(config());
  Consumer second(config());
  first.subscribe({topic_}, listener);
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  second.subscribe({topic_});
  expect_failed(poll_until_it_throws(first, {&second}), "on_revoked", "the disk is full");
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  expect_failed(thrown_by([&] { first.close(); }), "on_revoked", "the disk is full");
  EXPECT_FALSE(thrown_by([&] { first.close(); }).code) << "it is said once";
  EXPECT_EQ(thrown_by([&] { first.poll(1ms); }).code, Errc::closed);
  EXPECT_TRUE(share({&second}, {4})) << second.explain();
}

TEST_F(GroupTest, what_on_lost_throws_comes_out_of_poll_and_the_consumer_joins_again) {
  RebalanceListener listener;
  listener.on_lost = [](const Partitions&) { throw std::runtime_error("nothing to drop"); };
  Consumer consumer(config());
  consumer.subscribe({topic_}, listener);
  ASSERT_TRUE(share({&consumer}, {4})) << consumer.explain();
  ASSERT_TRUE(testing::remove_member(bootstrap_, group_, consumer.group_metadata().member_id));
  expect_failed(poll_until_it_throws(consumer), "on_lost", "nothing to drop");
  EXPECT_TRUE(share({&consumer}, {4})) << consumer.explain();
}

asio::awaitable<void> refuse(std::string why) {
  if (!why.empty()) throw std::runtime_error(why);
  co_return;
}

TEST_F(GroupTest, what_a_coroutine_listener_throws_comes_out_of_poll_of_unsubscribe_and_of_close) {
  Consumer consumer(config());
  CoroutineListener listener;
  listener.on_assigned = [](Partitions) { return refuse("no room in the cache"); };
  listener.on_revoked = [](Partitions) { return refuse("nobody to hand over to"); };
  const auto subscribed = coroutine_listener(client::executor_of(consumer.impl()), listener);
  consumer.subscribe({topic_}, subscribed);
  expect_failed(poll_until_it_throws(consumer), "on_assigned", "no room in the cache");
  expect_failed(thrown_by([&] { consumer.unsubscribe(); }), "on_revoked", "nobody to hand over to");
  EXPECT_TRUE(consumer.assignment().empty());
  consumer.subscribe({topic_}, subscribed);
  expect_failed(poll_until_it_throws(consumer), "on_assigned", "no room in the cache");
  expect_failed(thrown_by([&] { consumer.close(); }), "on_revoked", "nobody to hand over to");
}

TEST_F(GroupTest, what_a_commit_callback_throws_comes_out_of_poll_and_of_close) {
  Consumer consumer(config({{"enable.auto.commit", "false"}}));
  consumer.assign({at(0)});
  const auto fails = [](const CommitResult&) { throw std::runtime_error("the ledger is shut"); };
  consumer.commit_async({{at(0), {1, -1, ""}}}, fails);
  expect_failed(poll_until_it_throws(consumer), "commit callback", "the ledger is shut");
  consumer.commit_async({{at(0), {2, -1, ""}}}, fails);
  expect_failed(thrown_by([&] { consumer.close(); }), "commit callback", "the ledger is shut");
}

TEST_F(GroupTest, close_waits_for_the_commits_that_nobody_waited_for_and_makes_their_calls) {
  Consumer consumer(config({{"enable.auto.commit", "false"}}));
  consumer.assign({at(0)});
  std::vector<std::int64_t> committed;
  for (std::int64_t offset = 1; offset <= 20; ++offset) {
    consumer.commit_async({{at(0), {offset, -1, ""}}}, [&](const CommitResult& result) {
      EXPECT_TRUE(result.ok()) << result.context;
      committed.push_back(result.offsets.at(at(0)).offset);
    });
  }
  consumer.close();
  ASSERT_EQ(committed.size(), 20U);
  EXPECT_EQ(admin_->list_group_offsets(group_).at(at(0)).offset, 20);
}

/// Range, until it is told to fail: once, in either of its functions.
class Moody final : public Assignor {
 public:
  std::string name() const override { return "moody"; }
  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    if (fail_assign.exchange(false)) throw std::runtime_error("too many members");
    return make_range_assignor()->assign(cluster, group);
  }
  void on_assignment(const MemberAssignment&, const ConsumerGroupMetadata&) override {
    if (fail_on_assignment.exchange(false)) throw std::runtime_error("not what I wanted");
  }
  std::atomic<bool> fail_assign{true};
  std::atomic<bool> fail_on_assignment{true};
};

TEST_F(GroupTest, what_an_assignor_throws_comes_out_of_poll_and_the_group_meets_all_the_same) {
  ConsumerOptions options;
  options.assignors.push_back(std::make_shared<Moody>());
  Consumer consumer(config(), options);
  consumer.subscribe({topic_});
  expect_failed(poll_until_it_throws(consumer), "assignor moody", "too many members");
  expect_failed(poll_until_it_throws(consumer), "assignor moody: on_assignment", "not what I wanted");
  EXPECT_TRUE(share({&consumer}, {4})) << consumer.explain();
}

TEST_F(GroupTest, the_cooperative_listener_hears_of_each_rebalance_and_of_what_goes_before_what_comes) {
  const Config cooperative{{"partition.assignment.strategy", "cooperative-sticky"}};
  Heard first_heard;
  Heard second_heard;
  Consumer first(config(cooperative));
  Consumer second(config(cooperative));
  first.subscribe({topic_}, first_heard.listener());
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  second.subscribe({topic_}, second_heard.listener());
  // Two rebalances: in the first, partitions are given up for the second one, which then gets them.
  EXPECT_TRUE(poll_until({&first, &second}, [&] {
    return first_heard.events.size() >= 4 && second_heard.events.size() >= 2;
  })) << explained({&first, &second});
  ASSERT_EQ(second_heard.events.size(), 2U);
  EXPECT_EQ(second_heard.events[0], "assigned") << "nothing yet, and it is told so";
  const std::string moved = second_heard.events[1].substr(std::string("assigned").size());
  EXPECT_EQ(moved.size(), 4U) << "two partitions: " << moved;
  EXPECT_EQ(first_heard.events,
            (std::vector<std::string>{"assigned 0 1 2 3", "revoked" + moved, "assigned", "assigned"}));
}

}  // namespace
}  // namespace barnabas
