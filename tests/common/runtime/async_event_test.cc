#include "common/runtime/async_event.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <thread>

#include "common/runtime/virtual_env.h"
#include "tests/support/block_on.h"

namespace barnabas::runtime {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> wait_and_note(AsyncEvent& event, MonotonicTime deadline, std::vector<std::error_code>& ends) {
  const Result<void> ended = co_await event.wait_until(deadline);
  ends.push_back(ended ? std::error_code() : ended.error().code);
}

struct VirtualEvent {
  VirtualEnv env;
  AsyncEvent event{env, env.executor()};
  std::vector<std::error_code> ends;
  void spawn(MonotonicTime deadline = MonotonicTime::max()) {
    asio::co_spawn(env.executor(), wait_and_note(event, deadline, ends), asio::detached);
  }
  void settle() { env.run_for(0s); }
};

TEST(AsyncEvent, wakes_all_who_wait) {
  VirtualEvent test;
  test.spawn();
  test.spawn();
  test.settle();
  EXPECT_TRUE(test.ends.empty());
  test.event.notify();
  test.settle();
  EXPECT_EQ(test.ends, (std::vector<std::error_code>(2)));
}

TEST(AsyncEvent, keeps_a_notification_for_the_next_who_waits) {
  VirtualEvent test;
  test.event.notify();
  test.event.notify();
  test.settle();
  test.spawn();
  test.spawn();
  test.settle();
  EXPECT_EQ(test.ends.size(), 1u);
}

TEST(AsyncEvent, times_out_at_the_deadline) {
  VirtualEvent test;
  const MonotonicTime deadline = test.env.clock().now() + 10s;
  test.spawn(deadline);
  test.env.run_until([&test] { return !test.ends.empty(); });
  EXPECT_EQ(test.ends.at(0), Errc::timed_out);
  EXPECT_EQ(test.env.clock().now(), deadline);
}

TEST(AsyncEvent, close_ends_waits_now_and_later) {
  VirtualEvent test;
  test.spawn();
  test.settle();
  test.event.close();
  test.spawn();
  test.settle();
  EXPECT_EQ(test.ends, (std::vector<std::error_code>(2, make_error_code(Errc::closed))));
}

asio::awaitable<Result<int>> count_to(AsyncEvent& event, std::atomic<int>& counter, int goal, MonotonicTime deadline) {
  while (counter.load() < goal) {
    const Result<void> woken = co_await event.wait_until(deadline);
    if (!woken) co_return failure(woken.error());
  }
  co_return counter.load();
}

TEST(AsyncEvent, misses_no_notification_from_another_thread) {
  Env& env = system_env();
  const auto reactor = env.make_reactor("event-test");
  AsyncEvent event(env, reactor->executor());
  std::atomic<int> counter{0};
  std::thread notifier([&event, &counter] {
    for (int i = 0; i < 20000; ++i) {
      ++counter;
      event.notify();
    }
  });
  const MonotonicTime deadline = env.clock().now() + 60s;
  const auto reached = block_on(env, *reactor, count_to(event, counter, 20000, deadline), deadline);
  notifier.join();
  ASSERT_TRUE(reached) << reached.error().message();
  EXPECT_EQ(*reached, 20000);
}

TEST(BlockOn, cancels_the_work_that_took_too_long) {
  Env& env = system_env();
  const auto reactor = env.make_reactor("block-test");
  AsyncEvent event(env, reactor->executor());
  const auto timed_out = block_on(env, *reactor, event.wait(), env.clock().now() + 5ms, "an event");
  ASSERT_FALSE(timed_out);
  EXPECT_EQ(timed_out.error().code, Errc::timed_out);
}

TEST(BlockOn, ends_when_the_reactor_is_stopped) {
  Env& env = system_env();
  auto reactor = env.make_reactor("block-test");
  std::thread stopper([&env, &reactor] {
    AsyncEvent pause(env, reactor->executor());
    static_cast<void>(block_on(env, *reactor, pause.wait(), env.clock().now() + 20ms));
    reactor->stop();
  });
  const auto deadline = env.clock().now() + 300ms;
  const auto ended = block_on(env, *reactor, env.sleep_for(1h), deadline);
  stopper.join();
  ASSERT_FALSE(ended);
}

asio::awaitable<Result<void>> throw_something() {
  throw std::runtime_error("boom");
  co_return Result<void>{};
}

TEST(BlockOn, turns_an_exception_into_a_failure) {
  Env& env = system_env();
  const auto reactor = env.make_reactor("block-test");
  const auto ended = block_on(env, *reactor, throw_something(), env.clock().now() + 10s);
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().message().find("boom"), std::string::npos);
}

TEST(Reactor, may_be_destroyed_on_its_own_thread) {
  Env& env = system_env();
  const auto signal = env.make_signal();
  bool done = false;
  std::shared_ptr<Reactor> reactor = env.make_reactor("suicidal");
  asio::post(reactor->executor(), [&signal, &done, owned = reactor]() mutable {
    EXPECT_TRUE(owned->is_current_thread());
    owned.reset();
    signal->notify([&done] { done = true; });
  });
  reactor.reset();
  EXPECT_TRUE(signal->wait_until(env.clock().now() + 10s, [&done] { return done; }));
}

TEST(WorkerPool, runs_work_on_several_threads_at_once) {
  Env& env = system_env();
  const auto pool = env.make_worker_pool("pool", 2);
  const auto signal = env.make_signal();
  int running = 0;
  int met = 0;
  int ended = 0;
  for (int i = 0; i < 2; ++i) {
    asio::post(pool->executor(), [&] {
      signal->notify([&running] { ++running; });
      const bool both = signal->wait_until(env.clock().now() + 10s, [&running] { return running == 2; });
      signal->notify([&] {
        met += both ? 1 : 0;
        ++ended;
      });
    });
  }
  EXPECT_TRUE(signal->wait_until(env.clock().now() + 20s, [&ended] { return ended == 2; }));
  EXPECT_EQ(met, 2);
}

}  // namespace
}  // namespace barnabas::runtime
