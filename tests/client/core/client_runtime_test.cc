#include "client/core/client_runtime.h"

#include <gtest/gtest.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <future>

#include "barnabas/runtime_async.h"
#include "client/core/request_router.h"
#include "common/net/memory_network.h"
#include "common/runtime/virtual_env.h"

namespace barnabas::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

asio::awaitable<Result<int>> answer(std::shared_ptr<ClientRuntime> runtime, milliseconds after) {
  const auto gate = runtime->make_gate();
  const GateResult waited = co_await gate->wait(runtime->now() + after);
  co_return waited == GateResult::timed_out ? 42 : 0;
}

TEST(ClientRuntime, waits_for_a_coroutine_in_virtual_time) {
  runtime::VirtualEnv env;
  net::MemoryNetwork network(env);
  const auto runtime = ClientRuntime::make(env, network, "client");
  const auto began = env.clock().now();
  EXPECT_EQ(*runtime->wait(answer(runtime, seconds(60))), 42);
  EXPECT_EQ(env.clock().now(), began + seconds(60));
}

TEST(ClientRuntime, runs_on_a_thread_of_its_own_and_refuses_to_block_there) {
  const auto runtime = ClientRuntime::make("test");
  EXPECT_EQ(*runtime->wait(answer(runtime, milliseconds(1))), 42);
  std::promise<std::error_code> blocked;
  asio::post(runtime->executor(), [&] { blocked.set_value(runtime->wait(answer(runtime, seconds(1))).error().code); });
  EXPECT_EQ(blocked.get_future().get(), Errc::would_deadlock);
}

TEST(ClientRuntime, gives_up_on_an_executor_that_does_not_run) {
  asio::io_context idle;
  const Runtime runtime = Runtime::on(idle.get_executor());
  const auto& internals = runtime.internals();
  const auto result = internals->wait(answer(internals, milliseconds(1)), internals->now() + milliseconds(20));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::timed_out);
}

TEST(ClientRuntime, leaves_the_users_executor_when_the_last_handle_goes) {
  asio::io_context io;
  {
    const Runtime runtime = Runtime::on(io.get_executor());
    runtime.internals()->timers()->add(runtime.internals()->now() + std::chrono::hours(1), [] {});
  }
  io.run();  // would stay for an hour
}

TEST(ClientRuntime, lets_go_of_clients_that_were_not_closed_before_the_users_io_context_ended) {
  std::weak_ptr<ClientRuntime> watched;
  {
    asio::io_context io;
    const Runtime runtime = Runtime::on(io.get_executor());
    watched = runtime.internals();
    RequestRouter::Options options;
    options.config.bootstrap_servers = {{"127.0.0.1", 1}};  // nobody listens there
    const runtime::Logger logger("test", runtime::LogLevel::off);
    const auto router = RequestRouter::make(runtime.internals(), std::move(options), logger);
    io.run_for(milliseconds(30));
    EXPECT_FALSE(io.stopped()) << "the router was to be at work still";
  }
  EXPECT_TRUE(watched.expired());
}

TEST(Timers, let_the_executor_go_when_told_that_nothing_is_left) {
  runtime::VirtualEnv env;
  const auto timers = std::make_shared<Timers>(env, env.executor());
  const auto began = env.clock().now();
  timers->cancel(timers->add(began + seconds(100), [] {}));
  env.run_for(milliseconds(1));
  timers->end_if_idle();
  env.run_until([] { return false; });  // until nothing is left
  EXPECT_LT(env.clock().now(), began + seconds(1));
}

TEST(Timers, run_in_the_order_of_their_deadlines_unless_cancelled) {
  runtime::VirtualEnv env;
  const auto timers = std::make_shared<Timers>(env, env.executor());
  std::vector<int> order;
  const auto start = env.clock().now();
  timers->add(start + milliseconds(30), [&] { order.push_back(3); });
  const auto cancelled = timers->add(start + milliseconds(20), [&] { order.push_back(2); });
  timers->add(start + milliseconds(10), [&] {
    order.push_back(1);
    timers->add(start + milliseconds(15), [&] { order.push_back(15); });
  });
  timers->cancel(cancelled);
  env.run_for(milliseconds(100));
  EXPECT_EQ(order, (std::vector<int>{1, 15, 3}));
}

asio::awaitable<void> pass(std::shared_ptr<Gate> gate, runtime::MonotonicTime deadline, std::vector<GateResult>* out) {
  const GateResult result = co_await gate->wait(deadline);
  out->push_back(result);
}

TEST(Gate, lets_all_pass_once_it_is_open) {
  runtime::VirtualEnv env;
  net::MemoryNetwork network(env);
  const auto runtime = ClientRuntime::make(env, network, "client");
  const auto gate = runtime->make_gate();
  std::vector<GateResult> results;
  runtime->spawn(pass(gate, env.clock().now() + seconds(1), &results));
  runtime->spawn(pass(gate, env.clock().now() + seconds(9), &results));
  env.run_for(seconds(2));
  EXPECT_EQ(results, (std::vector<GateResult>{GateResult::timed_out}));
  gate->open();
  runtime->spawn(pass(gate, runtime::MonotonicTime::max(), &results));
  env.run_for(milliseconds(1));
  EXPECT_EQ(results, (std::vector<GateResult>{GateResult::timed_out, GateResult::opened, GateResult::opened}));
}

TEST(InlineFunction, moves_calls_and_destroys_what_it_holds) {
  const auto counted = std::make_shared<int>(0);
  {
    InlineFunction<int(int), 32> add = [counted](int n) { return *counted += n; };
    EXPECT_EQ(counted.use_count(), 2);
    InlineFunction<int(int), 32> moved = std::move(add);
    EXPECT_FALSE(add);
    EXPECT_EQ(moved(3), 3);
    moved = nullptr;
    EXPECT_EQ(counted.use_count(), 1);
    moved = [counted](int) { return 1; };
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(Handler, keeps_small_and_large_handlers_and_posts_them) {
  asio::io_context io;
  int sum = 0;
  Handler<int> small([&sum](int n) { sum += n; }, io.get_executor());
  const std::array<char, 500> ballast{};
  Handler<int> large([&sum, ballast](int n) { sum += n + static_cast<int>(ballast[0]); }, io.get_executor());
  Handler<int> dropped([&sum](int) { sum = -1000; }, io.get_executor());
  Handler<int> moved = std::move(large);
  small(1);
  moved(10);
  EXPECT_EQ(sum, 0);
  dropped = {};
  io.run();
  EXPECT_EQ(sum, 11);
}

}  // namespace
}  // namespace barnabas::client
