#include <gtest/gtest.h>

#include <array>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/consumer_async.h"
#include "barnabas/producer.h"
#include "tests/support/broker_process.h"
#include "tests/support/counting_malloc/counting_malloc.h"

namespace barnabas {
namespace {

using testing::BrokerProcess;
using testing::heap_allocations;

using namespace std::chrono_literals;

constexpr std::int32_t kPartitions = 4;

const std::string kTopic = "a-topic-whose-name-is-too-long-to-be-kept-in-place";

/// Fills the topic with records of 100 bytes.
void fill(const Config& config, std::uint64_t records, const std::string& batch_size) {
  Admin(config).create_topics({{.name = kTopic, .partitions = kPartitions}});
  Producer producer(Config(config).set("batch.size", batch_size).set("linger.ms", "1000"));
  const std::string value(100, 'x');
  std::uint64_t delivered = 0;  // the reactor's; read after flush()
  for (std::uint64_t i = 0; i < records; ++i) {
    producer.send({.topic = kTopic, .partition = static_cast<std::int32_t>(i % kPartitions), .value = value},
                  [&delivered](const Delivery& delivery) { delivered += delivery.ok() ? 1 : 0; });
  }
  producer.flush();
  EXPECT_EQ(delivered, records);
}

/// Reads at least that many records, and each of their values; of how many batches they were.
std::uint64_t read(Consumer& consumer, std::uint64_t records) {
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::array<std::int64_t, kPartitions> last_batch{};
  last_batch.fill(-1);
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (seen < records && std::chrono::steady_clock::now() < deadline) {
    const Records polled = consumer.poll(100ms);
    for (const RecordRun& run : polled.runs()) {
      std::int64_t& last = last_batch.at(static_cast<std::size_t>(run.partition));
      batches += run.base_offset != last ? 1 : 0;
      last = run.base_offset;
    }
    for (const RecordView& record : polled) bytes += record.value()->size();
    seen += polled.size();
  }
  EXPECT_GE(seen, records);
  EXPECT_EQ(bytes, seen * 100);
  return batches;
}

asio::awaitable<void> take_all(Consumer& consumer, std::uint64_t records, std::uint64_t& allocations) {
  auto stream = consumer.records();
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < records; ++i) {
    const RecordView* record = co_await stream.next();
    bytes += record->value()->size();
    if (i == records / 5) allocations = heap_allocations();
  }
  allocations = heap_allocations() - allocations;
  EXPECT_EQ(bytes, records * 100);
}

struct Counted {
  std::uint64_t allocations = 0;
  std::uint64_t batches = 0;
  std::uint64_t polls = 0;
  std::uint64_t fetches = 0;
};

/// Fills a topic and reads it with a consumer of default settings; counts from the first fifth on.
Counted count_allocations(std::uint64_t records, const std::string& batch_size) {
  const BrokerProcess broker;
  const Config config{{"bootstrap.servers", broker.address()}};
  const std::uint64_t warm_up = records / 4;
  fill(config, warm_up + records, batch_size);
  Consumer consumer(config);
  std::vector<TopicPartition> all;
  for (std::int32_t i = 0; i < kPartitions; ++i) all.push_back({kTopic, i});
  consumer.assign(all);
  consumer.seek_to_beginning(all);
  read(consumer, warm_up);
  const ConsumerMetrics at_first = consumer.metrics();
  const std::uint64_t before = heap_allocations();
  Counted counted;
  counted.batches = read(consumer, records - 500);  // of which the warm-up may have had a poll more
  counted.allocations = heap_allocations() - before;
  const ConsumerMetrics at_last = consumer.metrics();
  counted.polls = at_last.polls - at_first.polls;
  counted.fetches = at_last.fetches - at_first.fetches;
  ::testing::Test::RecordProperty("allocations", std::to_string(counted.allocations));
  ::testing::Test::RecordProperty("batches", std::to_string(counted.batches));
  ::testing::Test::RecordProperty("polls", std::to_string(counted.polls));
  ::testing::Test::RecordProperty("fetches", std::to_string(counted.fetches));
  EXPECT_GE(counted.batches, 1000U);
  EXPECT_GT(counted.allocations, 0U) << "the hook does not count";
  return counted;
}

TEST(ConsumerAllocations, are_at_most_two_per_batch_on_all_threads_and_none_per_record) {
  if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  const Counted counted = count_allocations(1'000'000, "16384");
  EXPECT_LE(counted.allocations, 2 * counted.batches)
      << "for " << counted.batches << " batches in " << counted.fetches << " fetches and " << counted.polls << " polls";
}

TEST(ConsumerAllocations, of_a_record_stream_are_none_per_record) {
  if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  constexpr std::uint64_t kRecords = 200'000;
  const BrokerProcess broker;
  const Config config{{"bootstrap.servers", broker.address()}};
  fill(config, kRecords, "131072");
  Consumer consumer(Config(config).set("auto.offset.reset", "earliest"));
  std::vector<TopicPartition> all;
  for (std::int32_t i = 0; i < kPartitions; ++i) all.push_back({kTopic, i});
  consumer.assign(all);
  asio::io_context io;
  std::uint64_t allocations = 0;
  asio::co_spawn(io, take_all(consumer, kRecords, allocations), asio::detached);
  io.run();
  RecordProperty("allocations", std::to_string(allocations));
  EXPECT_GT(allocations, 0U) << "the hook does not count";
  EXPECT_LT(allocations, kRecords / 20) << "what fetches and polls need, of 500 records each";
}

/// A fetch brings at most eight such batches of each partition, of which poll gives each in three parts: what a fetch
/// allocates weighs more, and poll itself must allocate nothing. (docs/performance.md says how many a batch that
/// makes: below 2, but that hangs on how many batches a fetch happens to bring.)
TEST(ConsumerAllocations, are_at_most_24_per_fetch_where_batches_are_large) {
  if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  constexpr std::uint64_t kMostPerFetch = 24;
  const Counted counted = count_allocations(1'300'000, "131072");
  EXPECT_LE(counted.allocations, kMostPerFetch * counted.fetches)
      << "for " << counted.batches << " batches in " << counted.fetches << " fetches and " << counted.polls << " polls";
}

}  // namespace
}  // namespace barnabas
