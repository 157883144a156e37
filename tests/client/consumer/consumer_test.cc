#include "barnabas/consumer.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <set>
#include <thread>

#include "barnabas/admin.h"
#include "barnabas/consumer_async.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"
#include "common/runtime/temporary_directory.h"

namespace barnabas {
namespace {

using namespace std::chrono_literals;

const TopicPartition kOrders0{"orders", 0};
const TopicPartition kOrders1{"orders", 1};

/// The consumer against a real broker with the topic "orders" of two partitions.
class ConsumerTest : public ::testing::Test {
 protected:
  ConsumerTest() {
    Admin admin(config());
    NewTopic orders{.name = "orders", .partitions = 2};
    orders.configs["segment.bytes"] = "1048576";
    const auto created = admin.create_topics({orders});
    EXPECT_FALSE(created.front().error) << created.front().error.context;
  }

  Config config(const Config& more = {}) const {
    Config config{{"bootstrap.servers", broker.bootstrap_servers()}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    return config;
  }
  Config consumer_config(const Config& more = {}) const {
    Config config{{"auto.offset.reset", "earliest"}, {"fetch.max.wait.ms", "20"}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    return this->config(config);
  }

  /// Records "PREFIX0", "PREFIX1", ... at times 1000, 1001, ...
  void produce(const TopicPartition& where, int count, const std::string& prefix = "v", const Config& more = {}) {
    Producer producer(config(more));
    for (int i = 0; i < count; ++i) {
      const std::string value = prefix + std::to_string(i);
      producer.send({.topic = where.topic,
                     .partition = where.partition,
                     .key = "k",
                     .value = value,
                     .timestamp = Timestamp(std::chrono::milliseconds(1000 + i))},
                    [](const Delivery& d) { EXPECT_TRUE(d.ok()) << d.context << ": " << d.error.message(); });
    }
    producer.close();
  }

  /// Values until `count` are there, or ten seconds have passed.
  static std::vector<std::string> read(Consumer& consumer, std::size_t count) {
    std::vector<std::string> values;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (values.size() < count && std::chrono::steady_clock::now() < deadline) {
      for (const RecordView& record : consumer.poll(100ms)) values.emplace_back(record.value().value_or("null"));
    }
    return values;
  }
  static std::vector<std::string> numbered(int from, int to, const std::string& prefix = "v") {
    std::vector<std::string> values;
    for (int i = from; i < to; ++i) values.push_back(prefix + std::to_string(i));
    return values;
  }

  EmbeddedBroker broker;
};

TEST_F(ConsumerTest, reads_what_was_produced_from_the_beginning_in_order) {
  produce(kOrders0, 1000);
  Consumer consumer(consumer_config());
  consumer.assign({kOrders0, kOrders1});
  EXPECT_EQ(read(consumer, 1000), numbered(0, 1000));
  EXPECT_EQ(consumer.position(kOrders0), 1000);
  EXPECT_EQ(consumer.position(kOrders1), 0);
  const auto metrics = consumer.metrics();
  EXPECT_EQ(metrics.records_returned, 1000U);
  EXPECT_GT(metrics.record_bytes, 1000U);
  EXPECT_GT(metrics.fetched_bytes, 1000U);
}

TEST_F(ConsumerTest, starts_at_the_end_by_default) {
  produce(kOrders0, 3);
  Consumer consumer(config());
  consumer.assign({kOrders0});
  EXPECT_EQ(consumer.position(kOrders0), 3);
  produce(kOrders0, 2, "new");
  EXPECT_EQ(read(consumer, 2), numbered(0, 2, "new"));
}

TEST_F(ConsumerTest, reads_every_codec) {
  int at = 0;
  for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    produce(kOrders0, 50, codec, {{"compression.type", codec}});
    Consumer consumer(consumer_config());
    consumer.assign({kOrders0});
    consumer.seek(kOrders0, at);
    EXPECT_EQ(read(consumer, 50), numbered(0, 50, codec));
    at += 50;
  }
}

TEST_F(ConsumerTest, seeks_into_the_middle_of_a_batch_and_back) {
  produce(kOrders0, 100);
  Consumer consumer(consumer_config({{"max.poll.records", "10"}}));
  consumer.assign({kOrders0});
  consumer.seek(kOrders0, 42);
  EXPECT_EQ(read(consumer, 10), numbered(42, 52));
  consumer.seek(kOrders0, 5);
  EXPECT_EQ(read(consumer, 10), numbered(5, 15));
  consumer.seek_to_end();
  EXPECT_EQ(consumer.position(kOrders0), 100);
  consumer.seek_to_beginning({kOrders0});
  EXPECT_EQ(consumer.position(kOrders0), 0);
  EXPECT_EQ(read(consumer, 10), numbered(0, 10));
}

TEST_F(ConsumerTest, a_poll_returns_at_most_max_poll_records) {
  produce(kOrders0, 100);
  Consumer consumer(consumer_config({{"max.poll.records", "7"}}));
  consumer.assign({kOrders0});
  std::size_t total = 0;
  while (total < 100) {
    const Records records = consumer.poll(5s);
    ASSERT_FALSE(records.empty());
    EXPECT_LE(records.size(), 7U);
    total += records.size();
  }
}

TEST_F(ConsumerTest, a_paused_partition_gives_nothing_and_keeps_what_was_fetched) {
  produce(kOrders0, 20);
  Consumer consumer(consumer_config({{"max.poll.records", "5"}}));
  consumer.assign({kOrders0});
  EXPECT_EQ(read(consumer, 5), numbered(0, 5));
  consumer.pause({kOrders0});
  EXPECT_EQ(consumer.paused(), std::vector{kOrders0});
  EXPECT_TRUE(consumer.poll(100ms).empty());
  const auto fetched = consumer.metrics().fetched_bytes;
  const auto fetches = consumer.metrics().fetches;
  broker.stop();  // so that what follows can only come from memory
  consumer.resume({kOrders0});
  EXPECT_EQ(read(consumer, 15), numbered(5, 20));
  EXPECT_EQ(consumer.metrics().fetched_bytes, fetched);
  EXPECT_GE(consumer.metrics().fetches, fetches);
}

TEST_F(ConsumerTest, finds_offsets_by_time_and_the_ends) {
  produce(kOrders0, 10);
  Consumer consumer(consumer_config());
  const auto at = [](int ms) { return Timestamp(std::chrono::milliseconds(ms)); };
  const auto found = consumer.offsets_for_times({{kOrders0, at(1004)}, {kOrders1, at(1004)}});
  ASSERT_TRUE(found.at(kOrders0));
  EXPECT_EQ(found.at(kOrders0)->offset, 4);
  EXPECT_EQ(found.at(kOrders0)->timestamp, at(1004));
  EXPECT_FALSE(found.at(kOrders1)) << "there is no record";
  EXPECT_FALSE(consumer.offsets_for_times({{kOrders0, at(5000)}}).at(kOrders0));
  EXPECT_EQ(consumer.beginning_offsets({kOrders0, kOrders1}),
            (std::map<TopicPartition, std::int64_t>{{kOrders0, 0}, {kOrders1, 0}}));
  EXPECT_EQ(consumer.end_offsets({kOrders0, kOrders1}),
            (std::map<TopicPartition, std::int64_t>{{kOrders0, 10}, {kOrders1, 0}}));
  EXPECT_EQ(consumer.partitions_for("orders").size(), 2U);
}

TEST_F(ConsumerTest, an_offset_out_of_range_follows_the_reset_policy) {
  produce(kOrders0, 10);
  Consumer earliest(consumer_config());
  earliest.assign({kOrders0});
  earliest.seek(kOrders0, 99);
  EXPECT_EQ(read(earliest, 10), numbered(0, 10));

  Consumer none(consumer_config({{"auto.offset.reset", "none"}}));
  none.assign({kOrders0});
  EXPECT_THROW(none.poll(1s), Error) << "no position is set";
  none.seek(kOrders0, 99);
  for (int i = 0; i < 2; ++i) {
    try {
      none.poll(5s);
      FAIL() << "99 is out of range";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), kafka_error(1));
      EXPECT_NE(error.context().find("orders-0"), std::string::npos) << error.context();
      EXPECT_NE(error.context().find("99"), std::string::npos) << error.context();
    }
  }
  none.seek(kOrders0, 8);
  EXPECT_EQ(read(none, 2), numbered(8, 10));
}

TEST_F(ConsumerTest, by_duration_starts_at_the_first_record_that_is_that_young) {
  produce(kOrders0, 5);  // in 1970
  {
    Producer producer(config());
    producer.send_sync({.topic = "orders", .partition = 0, .value = "young"});
  }
  Consumer consumer(consumer_config({{"auto.offset.reset", "by_duration:PT1H"}}));
  consumer.assign({kOrders0, kOrders1});
  EXPECT_EQ(read(consumer, 1), std::vector<std::string>{"young"});
  EXPECT_EQ(consumer.position(kOrders1), 0) << "where no record is that young, at the end";
}

TEST_F(ConsumerTest, wakeup_ends_a_poll_from_another_thread_or_before_it) {
  Consumer consumer(consumer_config());
  consumer.assign({kOrders0});
  consumer.wakeup();
  EXPECT_THROW(consumer.poll(10s), Error);
  std::thread waker([&] { consumer.wakeup(); });
  try {
    consumer.poll(10s);
    ADD_FAILURE() << "poll was not woken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::woken_up);
  }
  waker.join();
  EXPECT_TRUE(consumer.poll(1ms).empty());
}

TEST_F(ConsumerTest, explains_why_it_makes_no_progress) {
  Consumer consumer(consumer_config());
  EXPECT_NE(consumer.explain().find("no partition is assigned"), std::string::npos);
  consumer.assign({{"nobody", 0}, kOrders0});
  consumer.poll(500ms);
  EXPECT_NE(consumer.explain().find("orders-0 at offset 0: waits for records at the end"), std::string::npos)
      << consumer.explain();
  consumer.pause({kOrders0});
  EXPECT_NE(consumer.explain().find("paused"), std::string::npos);
  EXPECT_THROW(consumer.seek({"other", 0}, 1), Error);
  EXPECT_THROW(consumer.seek(kOrders0, -1), Error);
}

TEST_F(ConsumerTest, async_poll_completes_on_the_users_executor) {
  produce(kOrders0, 30, "v", {{"compression.type", "zstd"}});
  Consumer consumer(consumer_config());
  consumer.assign({kOrders0});
  std::vector<std::string> values;
  while (values.size() < 30) {
    std::future<Records> polled = consumer.async_poll(5s, asio::use_future);
    ASSERT_EQ(polled.wait_for(10s), std::future_status::ready);
    for (const RecordView& record : polled.get()) values.emplace_back(*record.value());
  }
  EXPECT_EQ(values, numbered(0, 30));
}

TEST_F(ConsumerTest, records_outlive_the_consumer) {
  produce(kOrders0, 5);
  Records kept;
  {
    Consumer consumer(consumer_config());
    consumer.assign({kOrders0});
    kept = consumer.poll(5s);
  }
  ASSERT_EQ(kept.size(), 5U);
  EXPECT_EQ(*kept.begin()->value(), "v0");
}

TEST_F(ConsumerTest, held_records_that_use_up_the_budget_make_poll_fail_at_once) {
  produce(kOrders0, 3000, std::string(1000, 'x'));
  Consumer consumer(consumer_config({{"buffer.memory", "1048576"}, {"max.partition.fetch.bytes", "200000"}}));
  consumer.assign({kOrders0});
  std::vector<Records> kept;
  std::error_code code;
  std::size_t total = 0;
  while (!code && total < 3000) {
    try {
      kept.push_back(consumer.poll(10s));
      ASSERT_FALSE(kept.back().empty());
      total += kept.back().size();
    } catch (const Error& error) {
      code = error.code();
      EXPECT_NE(error.context().find("buffer.memory"), std::string::npos);
    }
  }
  EXPECT_EQ(code, Errc::buffer_full);
  EXPECT_LE(consumer.metrics().held_bytes, 1048576U);
  kept.clear();
  EXPECT_FALSE(consumer.poll(10s).empty()) << "room again";
}

TEST_F(ConsumerTest, goes_on_after_the_broker_was_away) {
  produce(kOrders0, 5);
  Consumer consumer(consumer_config({{"reconnect.backoff.max.ms", "100"}}));
  consumer.assign({kOrders0});
  EXPECT_EQ(read(consumer, 5), numbered(0, 5));
  broker.stop();
  EXPECT_TRUE(consumer.poll(200ms).empty());
  broker.start();
  produce(kOrders0, 5, "after");
  EXPECT_EQ(read(consumer, 5), numbered(0, 5, "after"));
}

TEST_F(ConsumerTest, a_topic_that_appears_later_is_noticed) {
  Consumer consumer(consumer_config({{"allow.auto.create.topics", "false"}}));
  consumer.assign({{"late", 0}});
  EXPECT_TRUE(consumer.poll(200ms).empty());
  EXPECT_NE(consumer.explain().find("late-0"), std::string::npos);
  Admin admin(config());
  admin.create_topics({{.name = "late", .partitions = 1}});
  produce({"late", 0}, 3);
  EXPECT_EQ(read(consumer, 3), numbered(0, 3));
}

TEST_F(ConsumerTest, closing_ends_polls_and_may_be_done_twice) {
  Consumer consumer(consumer_config());
  consumer.assign({kOrders0});
  consumer.poll(50ms);
  consumer.close(5s);
  consumer.close(5s);
  EXPECT_THROW(consumer.poll(1s), Error);
  EXPECT_THROW(consumer.assign({kOrders1}), Error);
}

TEST_F(ConsumerTest, refuses_settings_that_it_does_not_know) {
  EXPECT_THROW(Consumer(config({{"max.poll.record", "5"}})), Error);
  EXPECT_THROW(Consumer(config({{"group.id", ""}})), Error);
}

}  // namespace
}  // namespace barnabas
