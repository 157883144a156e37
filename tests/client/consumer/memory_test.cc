#include <gtest/gtest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <new>
#include <random>
#include <thread>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"
#include "barnabas/runtime_async.h"

// What a consumer's threads hold of the heap, counted by operator new and not by the consumer itself.
namespace {

thread_local bool is_counted = false;
std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

struct alignas(std::max_align_t) Head {
  std::size_t counted_bytes;
};

void* allocate(std::size_t size) noexcept {
  auto* head = static_cast<Head*>(std::malloc(sizeof(Head) + size));
  if (head == nullptr) return nullptr;
  head->counted_bytes = is_counted ? size : 0;
  if (is_counted) {
    const std::size_t live = live_bytes.fetch_add(size) + size;
    std::size_t peak = peak_bytes.load();
    while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
    }
  }
  return head + 1;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  Head* head = static_cast<Head*>(memory) - 1;
  live_bytes.fetch_sub(head->counted_bytes);
  std::free(head);
}

}  // namespace

// Not inlined: GCC would see malloc and delete in one place and call them mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}

namespace barnabas {
namespace {

using namespace std::chrono_literals;

constexpr int kPartitions = 4;
constexpr std::size_t kPlainBytes = 24'000'000;

/// Records of all sizes, from what does not compress to what does a hundredfold. Returns how many there are.
std::size_t produce_mixed(const std::string& servers, std::mt19937& random) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (int round = 0; bytes < kPlainBytes; ++round) {
    const char* const codecs[] = {"none", "lz4", "zstd", "snappy", "gzip"};
    Producer producer(Config{{"bootstrap.servers", servers},
                             {"batch.size", "900000"},
                             {"linger.ms", "5"},
                             {"compression.type", codecs[round % 5]}});
    for (std::size_t in_round = 0; in_round < kPlainBytes / 10;) {
      const std::size_t size = 10 + (random() % 20 == 0 ? random() % 300'000 : random() % 5'000);
      std::string value(size, 'x');
      if (random() % 2 == 0) {
        for (char& c : value) c = static_cast<char>(random());
      }
      producer.send({.topic = "mixed", .partition = static_cast<std::int32_t>(count % kPartitions), .value = value},
                    [](const Delivery& d) { EXPECT_TRUE(d.ok()) << d.context; });
      ++count;
      in_round += size;
      bytes += size;
    }
    producer.close();
  }
  return count;
}

TEST(ConsumerMemory, stays_within_buffer_memory_whatever_comes_and_whatever_the_caller_holds) {
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  constexpr std::size_t kBesides = 768 * 1024;  // connections' read-ahead, coroutines, metadata
  const unsigned seed = 7;
  std::mt19937 random(seed);
  EmbeddedBroker broker;
  Admin(Config{{"bootstrap.servers", broker.bootstrap_servers()}})
      .create_topics({{.name = "mixed", .partitions = kPartitions}});
  const std::size_t expected = produce_mixed(broker.bootstrap_servers(), random);

  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread reactor([&io] {
    is_counted = true;
    io.run();
  });
  is_counted = true;
  std::size_t got = 0;
  std::size_t refused = 0;
  {
    ConsumerOptions options;
    options.runtime = Runtime::on(io.get_executor());
    Consumer consumer(Config{{"bootstrap.servers", broker.bootstrap_servers()},
                             {"auto.offset.reset", "earliest"},
                             {"buffer.memory", std::to_string(kLimit)},
                             {"max.poll.records", "40"}},
                      std::move(options));
    std::vector<TopicPartition> all;
    for (int i = 0; i < kPartitions; ++i) all.push_back({"mixed", i});
    consumer.assign(all);
    std::deque<Records> held;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (got < expected && std::chrono::steady_clock::now() < deadline && !testing::Test::HasFailure()) {
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
  is_counted = false;
  work.reset();
  reactor.join();
  EXPECT_EQ(got, expected);
  EXPECT_GT(refused, 0U) << "the limit was never reached";
  EXPECT_GT(peak_bytes.load(), kLimit / 2);
  EXPECT_LE(peak_bytes.load(), kLimit + kBesides) << "seed " << seed;
}

}  // namespace
}  // namespace barnabas
