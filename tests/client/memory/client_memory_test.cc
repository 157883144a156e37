#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "tests/support/broker_process.h"
#include "tests/support/counting_malloc/counting_malloc.h"

namespace barnabas {
namespace {

using namespace std::chrono_literals;
using testing::heap_bytes;
using testing::heap_peak_bytes;

constexpr int kPartitions = 4;
constexpr std::size_t kLimit = 8 * 1024 * 1024;
/// What is not counted: connections' read-ahead, coroutines, metadata, a decompressor's fixed state.
constexpr std::int64_t kBesides = 768 * 1024;
/// What the allocator keeps of what was freed, in pieces that do not fit what is asked for, and the threads' stacks.
constexpr std::int64_t kResidentBesides = 8 * 1024 * 1024;
constexpr std::size_t kPlainBytes = 40'000'000;
constexpr unsigned kSeed = 7;

/// A broker with the topic that all tests here use.
class BrokerWithTopic {
 public:
  BrokerWithTopic() { Admin(config()).create_topics({{.name = "mixed", .partitions = kPartitions}}); }
  Config config() const { return {{"bootstrap.servers", process_.address()}}; }
  void pause() { process_.signal(SIGSTOP); }
  void go_on() { process_.signal(SIGCONT); }

 private:
  testing::BrokerProcess process_;
};

/// What the process holds beyond what it held when this was made.
class Growth {
 public:
  Growth() {
    testing::forget_heap_peak();
    std::ofstream("/proc/self/clear_refs") << "5";  // forgets the most resident memory there was
    heap_ = heap_bytes();
    resident_ = status("VmRSS:");
  }
  std::int64_t heap_peak() const { return heap_peak_bytes() - heap_; }
  std::int64_t resident_peak() const { return status("VmHWM:") - resident_; }

 private:
  static std::int64_t status(const std::string& wanted) {
    std::ifstream file("/proc/self/status");
    for (std::string name; file >> name;) {
      std::int64_t kilobytes = 0;
      if (name == wanted && file >> kilobytes) return kilobytes * 1024;
    }
    ADD_FAILURE() << "no " << wanted;
    return 0;
  }

  std::int64_t heap_ = 0;
  std::int64_t resident_ = 0;
};

/// Records of all sizes, from what does not compress to what does a hundredfold.
class MixedRecords {
 public:
  explicit MixedRecords(std::mt19937& random) : random_(random), noise_(kLargest, '\0'), text_(kLargest, 'x') {
    for (char& c : noise_) c = static_cast<char>(random());
  }
  std::string_view next() {
    const std::size_t size = 10 + (random_() % 20 == 0 ? random_() % (kLargest - 10) : random_() % 5'000);
    return std::string_view(random_() % 2 == 0 ? noise_ : text_).substr(0, size);
  }

 private:
  static constexpr std::size_t kLargest = 300'000;
  std::mt19937& random_;
  std::string noise_;
  std::string text_;
};

/// A broker that stands still until the producer has no room left, lets it go on, and stands still again.
class SlowBroker {
 public:
  SlowBroker(BrokerWithTopic& broker, const Producer& producer)
      : broker_(broker), producer_(producer), thread_([this] { run(); }) {}
  ~SlowBroker() {
    ended_ = true;
    thread_.join();
    broker_.go_on();
  }
  std::uint64_t pauses() const { return pauses_; }

 private:
  void run() {
    while (!ended_) {
      broker_.pause();
      ++pauses_;
      wait([&] { return producer_.metrics().buffer_bytes > producer_.metrics().buffer_limit_bytes * 3 / 4; });
      broker_.go_on();
      const std::uint64_t delivered = producer_.metrics().records_delivered;
      wait([&] { return producer_.metrics().records_delivered > delivered; });
    }
  }
  template <typename Done>
  void wait(Done done) const {
    while (!ended_ && !done()) std::this_thread::sleep_for(1ms);
  }

  BrokerWithTopic& broker_;
  const Producer& producer_;
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> pauses_{0};
  std::thread thread_;
};

class ClientMemory : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!testing::kHasCountingMalloc) GTEST_SKIP() << "the sanitizer has a malloc of its own";
  }

  void expect_within_limit(const Growth& growth) {
    RecordProperty("heap", std::to_string(growth.heap_peak()));
    RecordProperty("resident", std::to_string(growth.resident_peak()));
    const auto limit = static_cast<std::int64_t>(kLimit);
    EXPECT_GT(growth.heap_peak(), limit / 2) << "the limit was never near";
    EXPECT_LE(growth.heap_peak(), limit + kBesides) << "seed " << kSeed;
    EXPECT_LE(growth.resident_peak(), limit + kBesides + kResidentBesides) << "seed " << kSeed;
  }
};

TEST_P(ClientMemory, of_a_producer_stays_within_buffer_memory_before_a_slow_broker) {
  std::mt19937 random(kSeed);
  BrokerWithTopic broker;
  MixedRecords records(random);
  std::atomic<std::size_t> delivered{0};
  std::size_t sent = 0;
  const Growth growth;
  {
    Producer producer(broker.config()
                          .set("buffer.memory", std::to_string(kLimit))
                          .set("batch.size", "200000")
                          .set("compression.type", GetParam()));
    producer.partitions_for("mixed");
    const SlowBroker slow(broker, producer);
    for (std::size_t bytes = 0; bytes < kPlainBytes; ++sent) {
      const std::string_view value = records.next();
      producer.send({.topic = "mixed", .partition = static_cast<std::int32_t>(sent % kPartitions), .value = value},
                    [&delivered, more = std::array<std::size_t, 5>{}](const Delivery& delivery) {
                      delivered += more[0] + (delivery.ok() ? 1U : 0U);
                    });
      bytes += value.size();
    }
    EXPECT_GT(slow.pauses(), 3U);
  }
  expect_within_limit(growth);
}

std::size_t produce_mixed(const BrokerWithTopic& broker, const std::string& codec, std::mt19937& random) {
  MixedRecords records(random);
  std::size_t sent = 0;
  Producer producer(broker.config().set("batch.size", "900000").set("linger.ms", "5").set("compression.type", codec));
  for (std::size_t bytes = 0; bytes < kPlainBytes; ++sent) {
    const std::string_view value = records.next();
    producer.send({.topic = "mixed", .partition = static_cast<std::int32_t>(sent % kPartitions), .value = value},
                  [](const Delivery& delivery) { EXPECT_TRUE(delivery.ok()) << delivery.context; });
    bytes += value.size();
  }
  producer.close();
  return sent;
}

TEST_P(ClientMemory, of_a_consumer_stays_within_buffer_memory_whatever_the_caller_holds) {
  std::mt19937 random(kSeed);
  BrokerWithTopic broker;
  const std::size_t expected = produce_mixed(broker, GetParam(), random);
  std::size_t got = 0;
  std::size_t refused = 0;
  const Growth growth;
  {
    Consumer consumer(broker.config()
                          .set("auto.offset.reset", "earliest")
                          .set("buffer.memory", std::to_string(kLimit))
                          .set("max.poll.records", "40"));
    std::vector<TopicPartition> all;
    for (int i = 0; i < kPartitions; ++i) all.push_back({"mixed", i});
    consumer.assign(all);
    std::deque<Records> held;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (got < expected && std::chrono::steady_clock::now() < deadline && !HasFailure()) {
      try {
        held.push_back(consumer.poll(5s));
        got += held.back().size();
        if (held.size() > random() % 40) held.pop_front();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::buffer_full) << error.what();
        EXPECT_FALSE(held.empty()) << "nothing is held, and yet: " << error.what();
        held.clear();
        ++refused;
      }
      EXPECT_LE(consumer.metrics().held_bytes, kLimit);
    }
  }
  EXPECT_EQ(got, expected);
  EXPECT_GT(refused, 0U) << "the limit was never reached";
  expect_within_limit(growth);
}

INSTANTIATE_TEST_SUITE_P(Codec, ClientMemory, ::testing::Values("none", "gzip", "snappy", "lz4", "zstd"),
                         [](const auto& codec) { return codec.param; });

}  // namespace
}  // namespace barnabas
