#include "tests/client/consumer/long_poll_broker.h"

#include "common/protocol/errors.h"

// How long a consumer waits for records that a broker has: over a network and with a clock in memory, so that a fetch
// that waits at the broker can be told from one that is answered at once.
namespace barnabas::client {
namespace {

using namespace std::chrono_literals;

class FetchWait : public LongPollTest {};

TEST_F(FetchWait, a_caught_up_partition_does_not_hold_up_the_others_of_its_broker) {
  LongPollBroker broker(env, network, {60, 2, 0, 60});
  auto consumer = make_consumer({{"orders", 0}, {"orders", 1}, {"orders", 2}, {"orders", 3}});
  EXPECT_LT(time_to_read(consumer, 122), 490ms);
  EXPECT_GE(broker.fetches(), 30);
}

TEST_F(FetchWait, a_seek_does_not_wait_for_the_fetch_that_waits_at_the_end) {
  LongPollBroker broker(env, network, {10, 0});
  auto consumer = make_consumer({{"orders", 0}, {"orders", 1}});
  time_to_read(consumer, 10);
  EXPECT_TRUE(consumer.poll(50ms).empty());  // a fetch waits now
  consumer.seek({"orders", 0}, 4);
  EXPECT_LT(time_to_read(consumer, 6), 100ms);
  const int fetches = broker.fetches();
  EXPECT_TRUE(consumer.poll(300ms).empty());
  EXPECT_LE(broker.fetches() - fetches, 2) << "it does not ask again and again";
}

TEST_F(FetchWait, a_partition_that_is_resumed_or_added_does_not_wait_either) {
  LongPollBroker broker(env, network, {0, 5, 5});
  auto consumer = make_consumer({{"orders", 0}, {"orders", 1}});
  consumer.pause({{"orders", 1}});
  EXPECT_TRUE(consumer.poll(50ms).empty());
  consumer.resume({{"orders", 1}});
  EXPECT_LT(time_to_read(consumer, 5), 100ms);
  consumer.assign({{"orders", 0}, {"orders", 1}, {"orders", 2}});
  EXPECT_LT(time_to_read(consumer, 5), 100ms);
}

TEST_F(FetchWait, waits_at_the_broker_rather_than_asking_in_a_loop) {
  LongPollBroker broker(env, network, {3, 0});
  auto consumer = make_consumer({{"orders", 0}, {"orders", 1}});
  time_to_read(consumer, 3);
  const int fetches = broker.fetches();
  EXPECT_TRUE(consumer.poll(10s).empty());
  EXPECT_LE(broker.fetches() - fetches, 22);
}

TEST_F(FetchWait, a_partition_that_is_added_to_the_topic_is_read) {
  LongPollBroker broker(env, network, {2});
  auto consumer = make_consumer({{"orders", 0}, {"orders", 1}}, {{"retry.backoff.max.ms", "1000"}});
  time_to_read(consumer, 2);
  EXPECT_TRUE(consumer.poll(5s).empty());
  EXPECT_NE(consumer.explain().find("orders-1 at offset -1: the topic has 1 partitions only"), std::string::npos)
      << consumer.explain();
  broker.set_ends({2, 4});
  EXPECT_LT(time_to_read(consumer, 4), 2s);
}

TEST_F(FetchWait, a_topic_that_goes_away_and_comes_back_needs_no_restart) {
  LongPollBroker broker(env, network, {2});
  auto consumer = make_consumer({{"orders", 0}});
  time_to_read(consumer, 2);
  broker.scripted.serve_metadata(cluster({"a"}));
  broker.change = [](protocol::FetchResponse& response) {
    auto& partition = response.responses.front().partitions.front();
    partition.error_code = protocol::code_of(protocol::ErrorCode::unknown_topic_or_partition);
    partition.records = protocol::RecordsRef{};
  };
  EXPECT_TRUE(consumer.poll(5s).empty());
  EXPECT_NE(consumer.explain().find("the topic is not known to the cluster"), std::string::npos) << consumer.explain();
  broker.change = nullptr;
  broker.set_ends({5});
  EXPECT_LT(time_to_read(consumer, 3), 2s);
}

TEST_F(FetchWait, asks_as_the_settings_say) {
  LongPollBroker broker(env, network, {0});
  auto consumer = make_consumer({{"orders", 0}}, {{"fetch.min.bytes", "77"},
                                                  {"fetch.max.wait.ms", "123"},
                                                  {"fetch.max.bytes", "20000"},
                                                  {"max.partition.fetch.bytes", "30000"}});
  consumer.poll(1s);
  EXPECT_EQ(broker.first_fetch.min_bytes, 77);
  EXPECT_EQ(broker.first_fetch.max_wait_ms, 123);
  EXPECT_EQ(broker.first_fetch.max_bytes, 20000);
  ASSERT_FALSE(broker.first_fetch.topics.empty());
  EXPECT_EQ(broker.first_fetch.topics.front().partitions.front().partition_max_bytes, 30000);
}

}  // namespace
}  // namespace barnabas::client
