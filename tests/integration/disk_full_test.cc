#include <gtest/gtest.h>

#include <atomic>

#include "broker/broker.h"
#include "common/runtime/memory_files.h"
#include "tests/integration/cluster.h"
#include "tests/support/env_with_files.h"

namespace barnabas::testing {
namespace {

constexpr std::uint64_t kRoomy = 1U << 30;
constexpr int kStorageError = 56;  // KAFKA_STORAGE_ERROR

/// A broker whose disk is in memory and can be filled up.
class BrokerOnSmallDisk {
 public:
  BrokerOnSmallDisk() {
    files_.set_capacity_bytes(kRoomy);
    runtime::Properties properties = config::BrokerConfig::without_configuration();
    properties["listeners"] = "PLAINTEXT://127.0.0.1:0";
    properties["log.dirs"] = "/data";
    auto config = config::BrokerConfig::parse(properties);
    auto broker = broker::Broker::start(env_, net::tcp_network(), std::move(config).value(), broker::BrokerOptions{});
    if (!broker) throw std::runtime_error(broker.error().message());
    broker_ = std::move(*broker);
  }
  std::string bootstrap_servers() const { return "127.0.0.1:" + std::to_string(broker_->port()); }
  void leave_room_for(std::uint64_t bytes) { files_.set_capacity_bytes(used() + bytes); }
  void make_room() { files_.set_capacity_bytes(kRoomy); }

 private:
  std::uint64_t used() {
    make_room();
    return kRoomy - files_.free_bytes("/data").value();
  }

  runtime::MemoryFiles files_;
  EnvWithFiles env_{files_};
  std::unique_ptr<broker::Broker> broker_;
};

std::vector<std::string> values_in(const std::string& bootstrap_servers, const std::string& topic) {
  Consumer consumer{{{"bootstrap.servers", bootstrap_servers}, {"auto.offset.reset", "earliest"}}};
  const TopicPartition partition{topic, 0};
  consumer.assign({partition});
  const std::int64_t end = consumer.end_offsets({partition}).at(partition);
  std::vector<std::string> values;
  while (static_cast<std::int64_t>(values.size()) < end) {
    const Records records = consumer.poll(std::chrono::seconds(10));
    if (records.empty()) break;
    for (const RecordView& record : records) {
      EXPECT_EQ(record.offset(), static_cast<std::int64_t>(values.size()));
      values.emplace_back(*record.value());
    }
  }
  return values;
}

TEST(DiskFullOnlyOurs, the_producer_is_told_nothing_torn_is_served_and_it_goes_on_when_there_is_room) {
  BrokerOnSmallDisk broker;
  Admin admin{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  ASSERT_FALSE(admin.create_topics({{.name = "full", .partitions = 1}}).at(0).error);
  Producer producer{
      {{"bootstrap.servers", broker.bootstrap_servers()}, {"enable.idempotence", "false"}, {"retries", "0"}}};
  std::vector<std::string> stored;
  const auto send = [&](int number) {
    const std::string value = std::to_string(number) + std::string(1000, 'x');
    producer.send_sync({.topic = "full", .partition = 0, .value = value});
    stored.push_back(value);
  };
  for (int i = 0; i < 5; ++i) send(i);

  broker.leave_room_for(2500);
  int refused = 0;
  for (int i = 5; i < 10; ++i) {
    try {
      send(i);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), kafka_error(kStorageError)) << error.what();
      ++refused;
    }
  }
  EXPECT_GE(refused, 3);
  EXPECT_EQ(values_in(broker.bootstrap_servers(), "full"), stored);

  broker.make_room();
  for (int i = 10; i < 15; ++i) send(i);
  EXPECT_EQ(values_in(broker.bootstrap_servers(), "full"), stored);
}

TEST(DiskFullOnlyOurs, an_idempotent_producer_waits_for_room_and_loses_nothing) {
  BrokerOnSmallDisk broker;
  Admin admin{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  ASSERT_FALSE(admin.create_topics({{.name = "full", .partitions = 1}}).at(0).error);
  Producer producer{
      {{"bootstrap.servers", broker.bootstrap_servers()}, {"retry.backoff.ms", "5"}, {"retry.backoff.max.ms", "20"}}};
  producer.send_sync({.topic = "full", .partition = 0, .value = "first"});

  broker.leave_room_for(500);
  std::atomic<int> delivered{0};
  const std::string value(1000, 'x');
  for (int i = 0; i < 10; ++i) {
    producer.send({.topic = "full", .partition = 0, .value = value},
                  [&](const Delivery& d) { delivered += d.ok() ? 1 : 0; });
  }
  EXPECT_THROW(producer.flush(std::chrono::milliseconds(200)), Error);
  EXPECT_EQ(delivered, 0);
  EXPECT_GT(producer.metrics().retries, 0U);
  broker.make_room();
  producer.flush();
  EXPECT_EQ(delivered, 10);
  EXPECT_EQ(values_in(broker.bootstrap_servers(), "full").size(), 11U);
}

}  // namespace
}  // namespace barnabas::testing
