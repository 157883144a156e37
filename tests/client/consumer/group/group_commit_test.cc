#include <gtest/gtest.h>

#include <asio/use_future.hpp>
#include <optional>

#include "barnabas/consumer_async.h"
#include "tests/client/consumer/group/group_fixture.h"
#include "tests/support/group_impostor.h"

// What a group commits, when, and what a commit is refused with.
namespace barnabas {
namespace {

TEST_F(GroupTest, a_commit_that_the_coordinator_refuses_says_why_and_the_consumer_joins_again) {
  Heard heard;
  // So that it is the commit that hears of it, and no heartbeat.
  Consumer consumer(
      config({{"heartbeat.interval.ms", "20000"}, {"session.timeout.ms", "60000"}, {"enable.auto.commit", "false"}}));
  consumer.subscribe({topic_}, heard.listener());
  const auto expect_refused = [&](int code, const std::string& name) {
    const Thrown thrown = thrown_by([&] { consumer.commit_sync({{at(0), {1, -1, ""}}}); });
    EXPECT_EQ(thrown.code, kafka_error(code)) << thrown.text;
    for (const std::string& word : {name, group_, at(0).to_string(), std::string("given the partitions to another")}) {
      EXPECT_NE(thrown.text.find(word), std::string::npos) << thrown.text;
    }
    EXPECT_TRUE(admin_->list_group_offsets(group_).empty()) << "nothing was committed";
  };
  ASSERT_TRUE(share({&consumer}, {4})) << consumer.explain();
  ASSERT_TRUE(testing::remove_member(bootstrap_, group_, consumer.group_metadata().member_id));
  expect_refused(25, "UNKNOWN_MEMBER_ID");
  ASSERT_TRUE(poll_until({&consumer}, [&] { return heard.events.size() == 3; })) << consumer.explain();
  ASSERT_TRUE(testing::renew_generation(bootstrap_, group_, consumer.group_metadata().member_id));
  expect_refused(22, "ILLEGAL_GENERATION");
  ASSERT_TRUE(poll_until({&consumer}, [&] { return heard.events.size() == 5; })) << consumer.explain();
  consumer.commit_sync({{at(0), {1, -1, ""}}});
  EXPECT_EQ(heard.events, (std::vector<std::string>{"assigned 0 1 2 3", "lost 0 1 2 3", "assigned 0 1 2 3",
                                                    "lost 0 1 2 3", "assigned 0 1 2 3"}));
}

TEST_F(GroupTest, what_was_worked_on_is_committed_before_partitions_go_with_enable_auto_commit) {
  produce(40);
  for (const char* strategy : {"range", "cooperative-sticky"}) {
    values_.clear();
    const Config settings = config({{"group.id", unique_name(strategy)},
                                    {"partition.assignment.strategy", strategy},
                                    {"auto.commit.interval.ms", "600000"}});
    Consumer first(settings);
    first.subscribe({topic_});
    ASSERT_TRUE(poll_until({&first}, [&] { return values_.size() == 40; })) << first.explain();
    Consumer second(settings);
    second.subscribe({topic_});
    ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
    for (const TopicPartition& where : second.assignment()) EXPECT_EQ(second.position(where), 10) << strategy;
    EXPECT_EQ(values_.size(), 40U) << strategy << ": nothing is read twice";
  }
}

TEST_F(GroupTest, positions_are_committed_with_the_epoch_of_the_leader_that_wrote_the_records) {
  produce(40);
  Consumer consumer(config({{"enable.auto.commit", "false"}}));
  consumer.subscribe({topic_});
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 40; })) << consumer.explain();
  const OffsetAndMetadata end{10, 0, ""};
  const Offsets all{{at(0), end}, {at(1), end}, {at(2), end}, {at(3), end}};
  std::optional<CommitResult> result;
  consumer.commit_async([&](const CommitResult& one) { result = one; });
  ASSERT_TRUE(poll_until({&consumer}, [&] { return result.has_value(); }));
  EXPECT_TRUE(result->ok()) << result->context;
  EXPECT_EQ(result->offsets, all);
  EXPECT_EQ(admin_->list_group_offsets(group_), all);

  consumer.async_commit({{at(1), {4, 0, "by hand"}}}, asio::use_future).get();
  EXPECT_EQ(consumer.committed({at(1)}).at(at(1)), (OffsetAndMetadata{4, 0, "by hand"}));
  EXPECT_EQ(consumer.committed({at(2)}).at(at(2)), end) << "that one alone";
  consumer.async_commit(asio::use_future).get();
  EXPECT_EQ(admin_->list_group_offsets(group_), all);
}

TEST_F(GroupTest, lag_counts_what_the_last_fetch_saw_and_poll_has_not_returned) {
  produce(40);
  Consumer consumer(config({{"max.poll.records", "1"}, {"enable.auto.commit", "false"}}));
  consumer.assign({at(0)});
  for (std::size_t polled = 1; polled <= 10; ++polled) {
    ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == polled; })) << consumer.explain();
    EXPECT_EQ(consumer.lag(at(0)), 10 - polled);
  }
  produce(8);
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 11; })) << consumer.explain();
  if (broker_) broker_->stop();  // nobody has to be asked
  EXPECT_EQ(consumer.lag(at(0)), 1);
}

}  // namespace
}  // namespace barnabas
