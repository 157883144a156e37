#include "common/runtime/virtual_env.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <memory>
#include <set>
#include <vector>

#include "common/runtime/async_event.h"
#include "tests/support/block_on.h"

namespace barnabas::runtime {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> sleep_and_note(Env& env, Duration duration, int id, std::vector<int>& order) {
  const Result<void> slept = co_await env.sleep_for(duration);
  EXPECT_TRUE(slept);
  order.push_back(id);
}

TEST(VirtualEnv, sleeps_end_in_order_and_cost_no_real_time) {
  VirtualEnv env;
  std::vector<int> order;
  asio::co_spawn(env.executor(), sleep_and_note(env, 3h, 3, order), asio::detached);
  asio::co_spawn(env.executor(), sleep_and_note(env, 1h, 1, order), asio::detached);
  asio::co_spawn(env.executor(), sleep_and_note(env, 2h, 2, order), asio::detached);
  const MonotonicTime start = env.clock().now();
  const std::int64_t wall = env.clock().wall_ms();
  EXPECT_TRUE(env.run_until([&order] { return order.size() == 3; }));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(env.clock().now() - start, 3h);
  EXPECT_EQ(env.clock().wall_ms() - wall, 3 * 3600 * 1000);
}

TEST(VirtualEnv, run_until_stops_at_its_deadline) {
  VirtualEnv env;
  std::vector<int> order;
  asio::co_spawn(env.executor(), sleep_and_note(env, 3h, 3, order), asio::detached);
  const MonotonicTime start = env.clock().now();
  EXPECT_FALSE(env.run_until([&order] { return !order.empty(); }, start + 1h));
  EXPECT_EQ(env.clock().now(), start + 1h);
  env.run_for(2h);
  EXPECT_EQ(order, (std::vector<int>{3}));
}

TEST(VirtualEnv, gives_up_when_nothing_is_left_to_do) {
  VirtualEnv env;
  EXPECT_FALSE(env.run_until([] { return false; }));
}

TEST(VirtualEnv, equal_seeds_give_equal_randomness) {
  VirtualEnv a(7), b(7), c(8);
  const std::uint64_t first = a.random().next();
  EXPECT_EQ(first, b.random().next());
  EXPECT_NE(first, c.random().next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.random().below(3), 3u);
}

TEST(VirtualEnv, a_reactor_that_is_destroyed_drops_what_waits_on_it) {
  VirtualEnv env;
  std::vector<int> order;
  auto reactor = env.make_reactor("r");
  asio::co_spawn(reactor->executor(), sleep_and_note(env, 1h, 1, order), asio::detached);
  env.run_for(1s);
  reactor.reset();
  env.run_for(2h);
  EXPECT_TRUE(order.empty());
}

TEST(VirtualEnv, a_paused_process_goes_on_late_and_a_killed_one_never) {
  VirtualEnv env;
  VirtualProcess paused(env), killed(env);
  std::vector<int> order;
  const auto first = paused.make_reactor("p");
  const auto second = killed.make_reactor("k");
  asio::co_spawn(first->executor(), sleep_and_note(paused, 1s, 1, order), asio::detached);
  asio::co_spawn(second->executor(), sleep_and_note(killed, 1s, 2, order), asio::detached);
  env.run_for(1ms);
  paused.pause(true);
  killed.kill();
  env.run_for(1h);
  EXPECT_TRUE(order.empty());
  paused.pause(false);
  env.run_for(1ms);
  EXPECT_EQ(order, (std::vector<int>{1}));
}

TEST(VirtualEnv, the_seed_decides_which_of_several_reactors_runs_first) {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::vector<int> runs[2];
    for (std::vector<int>& order : runs) {
      VirtualEnv env(seed);
      std::vector<std::unique_ptr<Reactor>> reactors;
      for (int i = 0; i < 3; ++i) {
        reactors.push_back(env.make_reactor("r"));
        asio::co_spawn(reactors.back()->executor(), sleep_and_note(env, 0s, i, order), asio::detached);
      }
      env.run_for(1s);
      EXPECT_EQ(order.size(), 3U);
    }
    EXPECT_EQ(runs[0], runs[1]);
    orders.insert(runs[0]);
  }
  EXPECT_GT(orders.size(), 1U);
}

TEST(VirtualEnv, a_signal_runs_the_loop_while_it_waits) {
  VirtualEnv env;
  std::vector<int> order;
  asio::co_spawn(env.executor(), sleep_and_note(env, 5s, 1, order), asio::detached);
  const auto signal = env.make_signal();
  EXPECT_FALSE(signal->wait_until(env.clock().now() + 1s, [&order] { return !order.empty(); }));
  EXPECT_TRUE(signal->wait_until(env.clock().now() + 10s, [&order] { return !order.empty(); }));
}

asio::awaitable<void> block_inside(Env& env, Reactor& reactor, std::error_code& code) {
  const Result<void> blocked = block_on(env, reactor, env.sleep_for(1s), MonotonicTime::max());
  if (!blocked) code = blocked.error().code;
  co_return;
}

TEST(VirtualEnv, block_on_works_from_outside_the_loop_alone) {
  VirtualEnv env;
  const auto reactor = env.make_reactor("r");
  EXPECT_TRUE(block_on(env, *reactor, env.sleep_for(24h), MonotonicTime::max()));
  const auto late = block_on(env, *reactor, env.sleep_for(2h), env.clock().now() + 1h, "a nap");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message(), "a nap: timed out");
  std::error_code code;
  asio::co_spawn(reactor->executor(), block_inside(env, *reactor, code), asio::detached);
  env.run_until([&code] { return bool(code); });
  EXPECT_EQ(code, Errc::would_deadlock);
}

}  // namespace
}  // namespace barnabas::runtime
