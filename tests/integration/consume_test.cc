#include <gtest/gtest.h>

#include <future>

#include "tests/integration/cluster.h"

namespace barnabas::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr std::int64_t kFirstTimestampMs = 1'700'000'000'000;

/// A topic with this many records in partition 0: value = offset, a second between the time stamps.
std::string filled_topic(const Cluster& cluster, int count) {
  std::string topic = cluster.make_topic();
  Producer producer{cluster.config({{"batch.size", "300"}})};
  for (int i = 0; i < count; ++i) {
    const std::string value = std::to_string(i);
    producer.send({.topic = topic,
                   .partition = 0,
                   .value = value,
                   .timestamp = Timestamp(milliseconds(kFirstTimestampMs + 1000 * i))});
  }
  producer.flush();
  return topic;
}

std::vector<std::int64_t> offsets_of(const Records& records) {
  std::vector<std::int64_t> offsets;
  for (const RecordView& record : records) offsets.push_back(record.offset());
  return offsets;
}

TEST(Consume, starts_where_seek_says_and_goes_on_from_there) {
  const Cluster cluster;
  const TopicPartition partition{filled_topic(cluster, 100), 0};
  Consumer consumer{cluster.config({{"max.poll.records", "5"}})};
  consumer.assign({partition});
  consumer.seek(partition, 42);
  EXPECT_EQ(offsets_of(consumer.poll(10s)), (std::vector<std::int64_t>{42, 43, 44, 45, 46}));
  EXPECT_EQ(consumer.position(partition), 47);
  consumer.seek_to_beginning({partition});
  EXPECT_EQ(offsets_of(consumer.poll(10s)), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  consumer.seek_to_end({partition});
  EXPECT_EQ(consumer.position(partition), 100);
  EXPECT_TRUE(consumer.poll(50ms).empty());
}

TEST(Consume, finds_offsets_by_time_and_at_both_ends) {
  const Cluster cluster;
  const TopicPartition partition{filled_topic(cluster, 100), 0};
  Consumer consumer{cluster.config()};
  EXPECT_EQ(consumer.beginning_offsets({partition}).at(partition), 0);
  EXPECT_EQ(consumer.end_offsets({partition}).at(partition), 100);
  const auto at = [&](std::int64_t ms) {
    return consumer.offsets_for_times({{partition, Timestamp(milliseconds(ms))}}).at(partition);
  };
  EXPECT_EQ(at(kFirstTimestampMs - 1)->offset, 0);
  EXPECT_EQ(at(kFirstTimestampMs + 50'000)->offset, 50);
  EXPECT_EQ(at(kFirstTimestampMs + 50'001)->offset, 51);
  EXPECT_EQ(at(kFirstTimestampMs + 50'001)->timestamp, Timestamp(milliseconds(kFirstTimestampMs + 51'000)));
  EXPECT_FALSE(at(kFirstTimestampMs + 1'000'000).has_value());
}

TEST(Consume, a_paused_partition_returns_nothing_and_loses_nothing) {
  const Cluster cluster;
  const TopicPartition first{filled_topic(cluster, 50), 0};
  const TopicPartition second{filled_topic(cluster, 50), 0};
  Consumer consumer{cluster.config({{"auto.offset.reset", "earliest"}})};
  consumer.assign({first, second});
  consumer.pause({first});
  std::size_t got = 0;
  while (got < 50) {
    const Records records = consumer.poll(10s);
    ASSERT_FALSE(records.empty());
    for (const RecordView& record : records) EXPECT_EQ(record.topic(), second.topic);
    got += records.size();
  }
  EXPECT_TRUE(consumer.poll(50ms).empty());
  EXPECT_EQ(consumer.paused(), std::vector{first});
  consumer.resume({first});
  std::int64_t next = 0;
  while (next < 50) {
    const Records records = consumer.poll(10s);
    ASSERT_FALSE(records.empty());
    for (const RecordView& record : records) EXPECT_EQ(record.offset(), next++);
  }
}

TEST(Consume, reset_policies_decide_where_an_unknown_position_starts) {
  const Cluster cluster;
  const TopicPartition partition{filled_topic(cluster, 10), 0};
  Consumer earliest{cluster.config({{"auto.offset.reset", "earliest"}})};
  earliest.assign({partition});
  EXPECT_EQ(earliest.position(partition), 0);
  Consumer latest{cluster.config({{"auto.offset.reset", "latest"}})};
  latest.assign({partition});
  EXPECT_EQ(latest.position(partition), 10);
  Consumer none{cluster.config({{"auto.offset.reset", "none"}})};
  none.assign({partition});
  EXPECT_THROW(none.poll(5s), Error);
}

TEST(Consume, an_offset_out_of_range_is_reset_or_reported_by_name) {
  const Cluster cluster;
  const TopicPartition partition{filled_topic(cluster, 10), 0};
  Consumer earliest{cluster.config({{"auto.offset.reset", "earliest"}})};
  earliest.assign({partition});
  earliest.seek(partition, 5000);
  const Records records = earliest.poll(10s);
  ASSERT_FALSE(records.empty());
  EXPECT_EQ((*records.begin()).offset(), 0);

  Consumer none{cluster.config({{"auto.offset.reset", "none"}})};
  none.assign({partition});
  none.seek(partition, 5000);
  try {
    none.poll(10s);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kafka_error(1)) << error.what();
    EXPECT_NE(std::string(error.what()).find(partition.topic), std::string::npos) << error.what();
  }
}

TEST(Consume, wakeup_from_another_thread_ends_a_poll) {
  const Cluster cluster;
  const TopicPartition partition{cluster.make_topic(), 0};
  Consumer consumer{cluster.config({{"auto.offset.reset", "earliest"}})};
  consumer.assign({partition});
  EXPECT_TRUE(consumer.poll(10ms).empty());
  const auto waker = std::async(std::launch::async, [&] { consumer.wakeup(); });
  try {
    consumer.poll(30s);
    FAIL() << "was not woken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::woken_up));
  }
}

TEST(Consume, records_that_come_while_poll_waits_are_returned_soon) {
  const Cluster cluster;
  const TopicPartition partition{cluster.make_topic(), 0};
  Consumer consumer{cluster.config({{"auto.offset.reset", "earliest"}})};
  consumer.assign({partition});
  EXPECT_TRUE(consumer.poll(10ms).empty());
  const auto sender = std::async(std::launch::async, [&] {
    Producer producer{cluster.config()};
    producer.send_sync({.topic = partition.topic, .value = "news"});
  });
  const Records records = consumer.poll(30s);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ((*records.begin()).value(), "news");
}

TEST(Consume, records_outlive_the_poll_the_consumer_and_its_memory_while_they_are_held) {
  const Cluster cluster;
  const std::string topic = filled_topic(cluster, 200);
  Records held;
  {
    Consumer consumer{cluster.config({{"auto.offset.reset", "earliest"}})};
    consumer.assign({{topic, 0}});
    held = consumer.poll(10s);
  }
  std::int64_t next = 0;
  for (const RecordView& record : held) {
    EXPECT_EQ(record.offset(), next);
    EXPECT_EQ(record.value(), std::to_string(next));
    ++next;
  }
  EXPECT_GT(next, 0);
}

TEST(Consume, a_topic_that_appears_later_is_noticed) {
  const Cluster cluster;
  const std::string topic = unique_name("later");
  Consumer consumer{cluster.config({{"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"}})};
  consumer.assign({{topic, 0}});
  EXPECT_TRUE(consumer.poll(100ms).empty());
  EXPECT_NE(consumer.explain().find(topic), std::string::npos) << consumer.explain();
  Admin admin{cluster.config()};
  ASSERT_FALSE(admin.create_topics({{.name = topic, .partitions = 1}}).at(0).error);
  Producer producer{cluster.config()};
  producer.send_sync({.topic = topic, .value = "v"});
  EXPECT_EQ(consumer.poll(30s).size(), 1U);
}

TEST(Consume, small_limits_still_move_a_batch_at_a_time) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(3);
  Producer producer{cluster.config()};
  const std::string value(20'000, 'x');
  for (int i = 0; i < 60; ++i) producer.send({.topic = topic, .partition = i % 3, .value = value});
  producer.flush();
  const auto records =
      read_all(cluster, topic, 3, 60, {{"max.partition.fetch.bytes", "1000"}, {"fetch.max.bytes", "1000"}});
  EXPECT_EQ(records.size(), 60U);
}

TEST(Consume, end_offsets_of_an_unknown_topic_time_out_with_its_name) {
  const Cluster cluster;
  Consumer consumer{cluster.config(
      {{"default.api.timeout.ms", "500"}, {"request.timeout.ms", "400"}, {"allow.auto.create.topics", "false"}})};
  const TopicPartition partition{unique_name("unknown"), 0};
  try {
    consumer.end_offsets({partition});
    FAIL() << "an answer";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(partition.topic), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace barnabas::testing
