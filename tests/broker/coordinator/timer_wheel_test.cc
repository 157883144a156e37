#include "broker/coordinator/timer_wheel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace barnabas::coordinator {
namespace {

using runtime::MonotonicTime;
using std::chrono::milliseconds;

const MonotonicTime kStart{std::chrono::hours(5)};

TEST(TimerWheel, never_fires_early_and_fires_at_the_millisecond) {
  TimerWheel wheel(kStart);
  TimerWheel::Timer timer;
  for (const int delay : {1, 2, 63, 64, 65, 4095, 4096, 262'143, 262'144, 300'000, 86'400'000}) {
    TimerWheel fresh(kStart);
    fresh.set(timer, kStart + milliseconds(delay));
    EXPECT_EQ(fresh.take_due(kStart + milliseconds(delay) - std::chrono::microseconds(1)), nullptr) << delay;
    EXPECT_TRUE(timer.is_set());
    EXPECT_EQ(fresh.take_due(kStart + milliseconds(delay)), &timer) << delay;
    EXPECT_FALSE(timer.is_set());
  }
}

TEST(TimerWheel, forgets_a_timer_that_is_cancelled_moved_or_destroyed) {
  TimerWheel wheel(kStart);
  TimerWheel::Timer moved;
  TimerWheel::Timer cancelled;
  auto destroyed = std::make_unique<TimerWheel::Timer>();
  for (TimerWheel::Timer* timer : {&moved, &cancelled, destroyed.get()}) wheel.set(*timer, kStart + milliseconds(10));
  cancelled.cancel();
  destroyed.reset();
  wheel.set(moved, kStart + milliseconds(20));
  EXPECT_EQ(wheel.take_due(kStart + milliseconds(19)), nullptr);
  EXPECT_EQ(wheel.take_due(kStart + milliseconds(20)), &moved);
  EXPECT_EQ(wheel.next_look(), MonotonicTime::max());
}

TEST(TimerWheel, takes_a_deadline_that_has_passed_at_once) {
  TimerWheel wheel(kStart);
  TimerWheel::Timer timer;
  EXPECT_EQ(wheel.take_due(kStart + std::chrono::seconds(100)), nullptr);
  wheel.set(timer, kStart);
  EXPECT_LE(wheel.next_look(), kStart + std::chrono::seconds(100));
  EXPECT_EQ(wheel.take_due(kStart + std::chrono::seconds(100)), &timer);
}

/// Against the obvious way: thousands of timers set, moved and cancelled at random, and a clock that jumps.
TEST(TimerWheel, agrees_with_a_sorted_list_on_every_random_history) {
  std::mt19937_64 random(7);
  TimerWheel wheel(kStart);
  std::vector<TimerWheel::Timer> timers(500);
  std::map<TimerWheel::Timer*, MonotonicTime> due;
  MonotonicTime now = kStart;
  std::size_t fired = 0;
  for (int i = 0; i < 20'000; ++i) {
    TimerWheel::Timer& timer = timers[random() % timers.size()];
    const std::uint64_t kind = random() % 10;
    if (kind < 6) {
      const milliseconds delay(random() % (std::uint64_t{1} << (random() % 24)));
      wheel.set(timer, now + delay);
      due[&timer] = now + delay;
    } else if (kind < 8) {
      timer.cancel();
      due.erase(&timer);
    } else {
      // Either as far as the wheel asks to be looked at, or any distance.
      const MonotonicTime next = wheel.next_look();
      now = kind == 8 && next != MonotonicTime::max() ? std::max(now, next)
                                                      : now + milliseconds(random() % (1U << (random() % 18)));
      while (TimerWheel::Timer* taken = wheel.take_due(now)) {
        ASSERT_TRUE(due.count(taken));
        ASSERT_LE(due[taken], now);
        due.erase(taken);
        ++fired;
      }
      for (const auto& [left, deadline] : due) ASSERT_GT(deadline, now);
    }
    for (const auto& [left, deadline] : due) ASSERT_LE(wheel.next_look(), deadline);
  }
  EXPECT_GT(fired, 500U);
}

}  // namespace
}  // namespace barnabas::coordinator
