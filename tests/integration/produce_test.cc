#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "tests/integration/cluster.h"

namespace barnabas::testing {
namespace {

using std::chrono::milliseconds;

class ProduceWith : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(ProduceWith, comes_back_once_in_order_and_unchanged) {
  const auto [acks, compression] = GetParam();
  const Cluster cluster;
  const std::string topic = cluster.make_topic();
  Producer producer{cluster.config({{"acks", acks},
                                    {"compression.type", compression},
                                    {"enable.idempotence", std::string(acks) == "all" ? "true" : "false"}})};
  constexpr int kCount = 2000;
  std::atomic<int> delivered{0};
  for (int i = 0; i < kCount; ++i) {
    const std::string number = std::to_string(i);
    const std::array<Header, 2> headers{{{"number", number}, {"nothing", nullptr}}};
    producer.send({.topic = topic,
                   .partition = 0,
                   .key = i % 3 == 0 ? NullableBytes() : NullableBytes(number),
                   .value = i % 5 == 0 ? NullableBytes() : NullableBytes(number),
                   .headers = headers,
                   .timestamp = Timestamp(milliseconds(1'700'000'000'000 + i))},
                  [&](const Delivery& delivery) { delivered += delivery.ok() ? 1 : 0; });
  }
  producer.flush();
  EXPECT_EQ(delivered, kCount);

  const auto records = read_all(cluster, topic, 1, kCount);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    const OwnedRecord& record = records[static_cast<std::size_t>(i)];
    const std::string number = std::to_string(i);
    ASSERT_EQ(record.offset, i);
    ASSERT_EQ(record.key, i % 3 == 0 ? std::nullopt : std::optional(number));
    ASSERT_EQ(record.value, i % 5 == 0 ? std::nullopt : std::optional(number));
    ASSERT_EQ(record.timestamp, Timestamp(milliseconds(1'700'000'000'000 + i)));
    ASSERT_EQ(record.headers.size(), 2U);
    ASSERT_EQ(record.headers[0], (OwnedRecord::OwnedHeader{"number", number}));
    ASSERT_EQ(record.headers[1], (OwnedRecord::OwnedHeader{"nothing", std::nullopt}));
  }
}

INSTANTIATE_TEST_SUITE_P(Produce, ProduceWith,
                         ::testing::Values(std::tuple("all", "none"), std::tuple("all", "gzip"),
                                           std::tuple("all", "snappy"), std::tuple("all", "lz4"),
                                           std::tuple("all", "zstd"), std::tuple("1", "none"), std::tuple("1", "zstd"),
                                           std::tuple("0", "none")),
                         [](const auto& p) {
                           return std::string("acks_") + std::get<0>(p.param) + "_" + std::get<1>(p.param);
                         });

TEST(Produce, send_sync_tells_where_the_record_is) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic();
  Producer producer{cluster.config()};
  for (int i = 0; i < 10; ++i) {
    const Delivery delivery = producer.send_sync({.topic = topic, .key = "k", .value = "v"});
    EXPECT_EQ(delivery.topic, topic);
    EXPECT_EQ(delivery.partition, 0);
    EXPECT_EQ(delivery.offset, i);
  }
}

TEST(Produce, one_key_always_goes_to_one_partition_and_keys_spread) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(8);
  Producer producer{cluster.config()};
  std::map<std::string, std::int32_t> home;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = "key-" + std::to_string(i);
      producer.send({.topic = topic, .key = key, .value = "v"});
    }
  }
  producer.flush();
  std::set<std::int32_t> used;
  for (const OwnedRecord& record : read_all(cluster, topic, 8, 300)) {
    const auto [at, is_new] = home.emplace(*record.key, record.partition);
    EXPECT_EQ(at->second, record.partition) << *record.key;
    used.insert(record.partition);
  }
  EXPECT_EQ(home.size(), 100U);
  EXPECT_EQ(used.size(), 8U);
}

TEST(Produce, records_of_many_partitions_keep_their_order_in_each) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(4);
  Producer producer{cluster.config({{"batch.size", "500"}, {"linger.ms", "0"}})};
  for (int i = 0; i < 4000; ++i) {
    const std::string value = std::to_string(i);
    producer.send({.topic = topic, .partition = i % 4, .value = value});
  }
  producer.flush();
  std::map<std::int32_t, int> last;
  const auto records = read_all(cluster, topic, 4, 4000);
  EXPECT_EQ(records.size(), 4000U);
  for (const OwnedRecord& record : records) {
    const int number = std::stoi(*record.value);
    EXPECT_EQ(number % 4, record.partition);
    const auto [at, is_first] = last.emplace(record.partition, number);
    if (!is_first) {
      EXPECT_EQ(number, at->second + 4);
    }
    at->second = number;
  }
}

TEST(Produce, a_record_above_the_limit_is_refused_with_the_limit_named) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic();
  Producer producer{cluster.config({{"max.request.size", "1000"}})};
  const std::string big(2000, 'x');
  try {
    producer.send_sync({.topic = topic, .value = big});
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("max.request.size"), std::string::npos) << error.what();
  }
}

TEST(Produce, a_record_above_the_topics_limit_fails_with_the_brokers_error) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(1, {{"max.message.bytes", "1000"}});
  Producer producer{cluster.config()};
  const std::string big(2000, 'x');
  try {
    producer.send_sync({.topic = topic, .value = big});
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kafka_error(10)) << error.what();
    EXPECT_NE(std::string(error.what()).find(topic), std::string::npos) << error.what();
  }
  EXPECT_EQ(producer.send_sync({.topic = topic, .value = "small"}).offset, 0);
}

TEST(Produce, a_partition_that_the_topic_does_not_have_is_refused_by_name) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(2);
  Producer producer{cluster.config({{"max.block.ms", "500"}})};
  try {
    producer.send_sync({.topic = topic, .partition = 7, .value = "v"});
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(topic), std::string::npos) << error.what();
  }
}

TEST(Produce, a_bad_topic_name_fails_with_kafkas_error) {
  const Cluster cluster;
  Producer producer{cluster.config({{"max.block.ms", "5000"}})};
  try {
    producer.send_sync({.topic = "not a topic", .value = "v"});
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kafka_error(17)) << error.what();
    EXPECT_NE(std::string(error.what()).find("not a topic"), std::string::npos) << error.what();
  }
}

TEST(Produce, no_broker_means_a_timeout_that_says_what_was_tried) {
  Producer producer{{{"bootstrap.servers", "127.0.0.1:1"}, {"max.block.ms", "300"}}};
  try {
    producer.send_sync({.topic = "topic", .value = "v"});
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::timed_out)) << error.what();
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:1"), std::string::npos) << error.what();
  }
}

TEST(Produce, an_idempotent_producer_may_start_the_moment_its_topic_exists) {
  const Cluster cluster;
  for (int round = 0; round < 20; ++round) {
    const std::string topic = cluster.make_topic(3);
    Producer producer{cluster.config()};
    std::atomic<int> failed{0};
    for (int i = 0; i < 30; ++i) {
      producer.send({.topic = topic, .partition = i % 3, .value = "v"},
                    [&](const Delivery& d) { failed += d.ok() ? 0 : 1; });
    }
    producer.flush();
    EXPECT_EQ(failed, 0);
    if (std::getenv("BARNABAS_TEST_BOOTSTRAP") == nullptr) {
      EXPECT_EQ(producer.metrics().retries, 0U);
    }
    EXPECT_EQ(read_all(cluster, topic, 3, 30).size(), 30U);
  }
}

TEST(Produce, a_topic_that_nobody_made_is_made_when_it_is_written_to) {
  const Cluster cluster;
  const std::string topic = unique_name("auto-created");
  Producer producer{cluster.config()};
  EXPECT_EQ(producer.send_sync({.topic = topic, .value = "v"}).offset, 0);
  EXPECT_EQ(read_all(cluster, topic, 1, 1).size(), 1U);
}

TEST(Produce, close_delivers_what_is_there_and_takes_no_more) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic();
  Producer producer{cluster.config({{"linger.ms", "60000"}})};
  std::atomic<int> delivered{0};
  for (int i = 0; i < 100; ++i) {
    producer.send({.topic = topic, .value = "v"}, [&](const Delivery& d) { delivered += d.ok() ? 1 : 0; });
  }
  producer.close();
  EXPECT_EQ(delivered, 100);
  EXPECT_THROW(producer.send({.topic = topic, .value = "v"}), Error);
}

}  // namespace
}  // namespace barnabas::testing
