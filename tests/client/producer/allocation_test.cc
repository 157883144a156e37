#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "barnabas/admin.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Not inlined: GCC would see malloc and delete in one place and call them mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace barnabas {
namespace {

TEST(ProducerSend, allocates_per_batch_and_not_per_record) {
  EmbeddedBroker broker;
  const Config config{{"bootstrap.servers", broker.bootstrap_servers()}};
  Admin(config).create_topics({{.name = "t", .partitions = 1}});
  Producer producer(Config(config).set("batch.size", 65536));
  std::atomic<int> delivered{0};
  const std::string value(100, 'x');
  const auto send_many = [&](int count) {
    for (int i = 0; i < count; ++i) {
      producer.send({.topic = "t", .key = "some key", .value = value}, [&delivered](const Delivery&) { ++delivered; });
    }
  };
  send_many(5000);
  producer.flush();
  const std::size_t before = allocations;
  send_many(50'000);
  const std::size_t during = allocations - before;
  producer.flush();
  EXPECT_EQ(delivered, 55'000);
  // Some hundred batches of some hundred records, and at most a few dozen allocations each.
  EXPECT_LT(during, 5'000U);
}

}  // namespace
}  // namespace barnabas
