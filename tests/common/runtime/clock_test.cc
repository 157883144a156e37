#include "common/runtime/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "common/runtime/env.h"

namespace barnabas::runtime {
namespace {

std::int64_t system_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

/// A record must not be dated before the call that sends it, nor after.
TEST(SystemClock, says_the_systems_time_to_the_millisecond_in_every_thread) {
  const Clock& clock = system_env().clock();
  std::atomic<int> early{0};
  std::atomic<int> late{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto end = clock.now() + std::chrono::milliseconds(50);
      while (clock.now() < end) {
        const std::int64_t before = system_ms();
        const std::int64_t seen = clock.wall_ms();
        const std::int64_t after = system_ms();
        early += seen < before ? 1 : 0;
        late += seen > after ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(early, 0);
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace barnabas::runtime
