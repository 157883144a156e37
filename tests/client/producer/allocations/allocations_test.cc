#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "barnabas/admin.h"
#include "barnabas/producer.h"
#include "tests/support/broker_process.h"
#include "tests/support/counting_malloc/counting_malloc.h"

namespace barnabas {
namespace {

using testing::BrokerProcess;
using testing::heap_allocations;

struct Counted {
  std::uint64_t allocations = 0;
  std::uint64_t batches = 0;
  std::uint64_t requests = 0;
  std::uint64_t delivered = 0;
};

/// Sends records of 100 bytes in turn to all partitions, and counts from the end of the warm-up on.
Counted count_allocations(Producer& producer, int partitions, int warm_up, int records) {
  Counted counted;
  std::uint64_t delivered = 0;  // the reactor's; read after flush()
  const std::string value(100, 'x');
  const auto send_many = [&](int count) {
    for (int i = 0; i < count; ++i) {
      producer.send({.topic = "t", .partition = i % partitions, .value = value},
                    [&delivered](const Delivery& delivery) { delivered += delivery.ok() ? 1 : 0; });
    }
    producer.flush();
  };
  send_many(warm_up);
  const ProducerMetrics at_first = producer.metrics();
  const std::uint64_t before = heap_allocations();
  send_many(records);
  counted.allocations = heap_allocations() - before;
  const ProducerMetrics at_last = producer.metrics();
  counted.batches = at_last.batches_sent - at_first.batches_sent;
  counted.requests = at_last.connections.requests_sent - at_first.connections.requests_sent;
  counted.delivered = delivered;
  ::testing::Test::RecordProperty("allocations", std::to_string(counted.allocations));
  ::testing::Test::RecordProperty("batches", std::to_string(counted.batches));
  ::testing::Test::RecordProperty("requests", std::to_string(counted.requests));
  return counted;
}

TEST(ProducerAllocations, are_at_most_two_per_batch_on_all_threads_and_none_per_record) {
  if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  constexpr std::int32_t kPartitions = 256;
  constexpr int kWarmUp = 400'000;
  constexpr int kRecords = 1'000'000;
  const BrokerProcess broker;
  const Config config{{"bootstrap.servers", broker.address()}};
  Admin(config).create_topics({{.name = "t", .partitions = kPartitions}});
  // One request at a time: what comes meanwhile fills the next one, however quick either side is on this machine.
  Producer producer(Config(config)
                        .set("acks", "1")
                        .set("max.in.flight.requests.per.connection", "1")
                        .set("max.request.size", "8000000")
                        .set("linger.ms", "1000")  // on a slow machine too, batches are sent because they are full
                        .set("buffer.memory", "16000000"));
  const Counted counted = count_allocations(producer, kPartitions, kWarmUp, kRecords);
  EXPECT_EQ(counted.delivered, static_cast<std::uint64_t>(kWarmUp + kRecords));
  EXPECT_GE(counted.batches, 1000U);
  EXPECT_GT(counted.allocations, 0U) << "the hook does not count";
  EXPECT_LE(counted.allocations, 2 * counted.batches) << "allocations for " << counted.batches << " batches";
}

/// With four partitions a request carries four batches at most, often fewer, and what a request allocates weighs more.
TEST(ProducerAllocations, are_at_most_two_per_batch_at_default_settings) {
  if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  constexpr std::int32_t kPartitions = 4;
  constexpr int kWarmUp = 400'000;  // more than buffer.memory holds
  constexpr int kRecords = 1'000'000;
  const BrokerProcess broker;
  const Config config{{"bootstrap.servers", broker.address()}};
  Admin(config).create_topics({{.name = "t", .partitions = kPartitions}});
  Producer producer(config);
  const Counted counted = count_allocations(producer, kPartitions, kWarmUp, kRecords);
  EXPECT_EQ(counted.delivered, static_cast<std::uint64_t>(kWarmUp + kRecords));
  EXPECT_GE(counted.batches, 1000U);
  EXPECT_GT(counted.allocations, 0U) << "the hook does not count";
  EXPECT_LE(counted.allocations, 2 * counted.batches)
      << "allocations for " << counted.batches << " batches in " << counted.requests << " requests";
}

}  // namespace
}  // namespace barnabas
