#include "common/runtime/brief_mutex.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

namespace barnabas::runtime {
namespace {

TEST(BriefMutex, lets_one_in_at_a_time) {
  constexpr int kThreads = 4;
  constexpr int kTurns = 20'000;
  BriefMutex mutex;
  long count = 0;  // mutex
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&mutex, &count] {
      for (int turn = 0; turn < kTurns; ++turn) {
        const std::lock_guard lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, long{kThreads} * kTurns);
}

/// Who holds it yields now and then, for so long that the others have given up looking and sleep.
TEST(BriefMutex, wakes_each_of_those_who_sleep) {
  constexpr int kThreads = 4;
  constexpr int kTurns = 50;
  BriefMutex mutex;
  int count = 0;  // mutex
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&mutex, &count] {
      for (int turn = 0; turn < kTurns; ++turn) {
        const std::lock_guard lock(mutex);
        for (int k = 0; k < 5; ++k) std::this_thread::yield();
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kTurns);
}

TEST(BriefMutex, is_not_given_twice) {
  BriefMutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

}  // namespace
}  // namespace barnabas::runtime
