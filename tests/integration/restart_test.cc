#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include "common/runtime/temporary_directory.h"
#include "tests/integration/cluster.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {
namespace {

using namespace std::chrono_literals;

std::map<std::string, std::string> settings_of(std::uint16_t port) {
  return {{"listeners", "PLAINTEXT://127.0.0.1:" + std::to_string(port)}};
}

TEST(RestartOnlyOurs, records_topics_and_settings_are_there_again) {
  const runtime::TemporaryDirectory directory;
  const std::uint16_t port = free_port();
  const std::string bootstrap = "127.0.0.1:" + std::to_string(port);
  {
    EmbeddedBroker broker({.config = settings_of(port), .data_directory = directory.path()});
    Admin admin{{{"bootstrap.servers", bootstrap}}};
    ASSERT_FALSE(
        admin.create_topics({{.name = "kept", .partitions = 2, .configs = {{"retention.ms", "3600000"}}}}).at(0).error);
    Producer producer{{{"bootstrap.servers", bootstrap}}};
    for (int i = 0; i < 100; ++i) producer.send({.topic = "kept", .partition = i % 2, .value = "v"});
    producer.flush();
  }
  EmbeddedBroker broker({.config = settings_of(port), .data_directory = directory.path()});
  Admin admin{{{"bootstrap.servers", bootstrap}}};
  EXPECT_EQ(admin.describe_topics({"kept"}).at(0).partitions.size(), 2U);
  Consumer consumer{{{"bootstrap.servers", bootstrap}, {"auto.offset.reset", "earliest"}}};
  consumer.assign({{"kept", 0}, {"kept", 1}});
  std::size_t got = 0;
  while (got < 100) {
    const Records records = consumer.poll(10s);
    ASSERT_FALSE(records.empty());
    got += records.size();
  }
  EXPECT_EQ(got, 100U);
}

TEST(RestartOnlyOurs, producer_and_consumer_go_on_when_their_broker_comes_back) {
  const runtime::TemporaryDirectory directory;
  const std::uint16_t port = free_port();
  const std::string bootstrap = "127.0.0.1:" + std::to_string(port);
  auto broker = std::make_unique<EmbeddedBroker>(
      EmbeddedBroker::Options{.config = settings_of(port), .data_directory = directory.path()});
  Producer producer{{{"bootstrap.servers", bootstrap}}};
  Consumer consumer{{{"bootstrap.servers", bootstrap}, {"auto.offset.reset", "earliest"}}};
  EXPECT_EQ(producer.send_sync({.topic = "back", .value = "before"}).offset, 0);
  consumer.assign({{"back", 0}});
  EXPECT_EQ(consumer.poll(10s).size(), 1U);

  broker.reset();
  std::atomic<bool> delivered{false};
  producer.send({.topic = "back", .value = "meanwhile"},
                [&](const Delivery& d) { delivered = d.ok() && d.offset == 1; });
  broker = std::make_unique<EmbeddedBroker>(
      EmbeddedBroker::Options{.config = settings_of(port), .data_directory = directory.path()});
  producer.flush();
  EXPECT_TRUE(delivered);
  const Records records = consumer.poll(20s);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ((*records.begin()).value(), "meanwhile");
}

}  // namespace
}  // namespace barnabas::testing
