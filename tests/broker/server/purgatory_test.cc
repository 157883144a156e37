#include "broker/server/purgatory.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "broker/server/api_table.h"

namespace barnabas::broker {
namespace {

using namespace std::chrono_literals;

const PartitionKey kOrders{Uuid(1, 2), 0};
const PartitionKey kOther{Uuid(1, 2), 1};

/// A request on a reactor of its own that waits in a purgatory.
class WaitingRequest {
 public:
  WaitingRequest(Purgatory& purgatory, std::vector<PartitionKey> keys, runtime::Duration patience) {
    asio::co_spawn(reactor_->executor(), wait(this, &purgatory, std::move(keys), env_.clock().now() + patience),
                   [this](std::exception_ptr) { signal_->notify([this] { done_ = true; }); });
    started_in_time_ = signal_->wait_until(env_.clock().now() + 10s, [this] { return watching_; });
  }

  Purgatory::Outcome outcome() {
    EXPECT_TRUE(started_in_time_);
    EXPECT_TRUE(signal_->wait_until(env_.clock().now() + 10s, [this] { return done_; }));
    return outcome_;
  }
  void cancel() {
    asio::post(reactor_->executor(), [this] { context_.cancel(); });
  }

 private:
  static asio::awaitable<void> wait(WaitingRequest* self, Purgatory* purgatory, std::vector<PartitionKey> keys,
                                    runtime::MonotonicTime deadline) {
    const auto watch = purgatory->watch(self->context_, std::move(keys));
    self->signal_->notify([self] { self->watching_ = true; });
    self->outcome_ = co_await watch->wait(deadline);
  }

  static BrokerServices services(runtime::Env& env) {
    BrokerServices result;
    result.env = &env;
    return result;
  }

  runtime::Env& env_ = runtime::system_env();
  BrokerServices services_ = services(env_);
  ApiTable apis_{{}};
  ConnectionInfo connection_;
  std::unique_ptr<runtime::Signal> signal_ = env_.make_signal();
  std::unique_ptr<runtime::Reactor> reactor_ = env_.make_reactor("request");
  RequestContext context_{services_, apis_, connection_, reactor_->executor()};
  Purgatory::Outcome outcome_ = Purgatory::Outcome::moved;
  bool watching_ = false;
  bool done_ = false;
  bool started_in_time_ = false;
};

TEST(Purgatory, wakes_who_watches_the_partition_that_moved) {
  Purgatory purgatory(runtime::system_env());
  WaitingRequest request(purgatory, {kOther, kOrders}, 10s);
  purgatory.notify(kOrders);
  EXPECT_EQ(request.outcome(), Purgatory::Outcome::moved);
  EXPECT_EQ(purgatory.size(), 0U);
}

TEST(Purgatory, lets_others_wait_until_their_deadline) {
  Purgatory purgatory(runtime::system_env());
  WaitingRequest request(purgatory, {kOther}, 30ms);
  purgatory.notify(kOrders);
  EXPECT_EQ(request.outcome(), Purgatory::Outcome::timed_out);
}

TEST(Purgatory, ends_the_waiting_of_a_connection_that_closed) {
  Purgatory purgatory(runtime::system_env());
  WaitingRequest request(purgatory, {kOrders}, 10s);
  request.cancel();
  EXPECT_EQ(request.outcome(), Purgatory::Outcome::cancelled);
}

TEST(Purgatory, ends_all_waiting_when_it_shuts_down) {
  Purgatory purgatory(runtime::system_env());
  WaitingRequest one(purgatory, {kOrders}, 10s);
  WaitingRequest two(purgatory, {kOther}, 10s);
  purgatory.shut_down();
  EXPECT_EQ(one.outcome(), Purgatory::Outcome::cancelled);
  EXPECT_EQ(two.outcome(), Purgatory::Outcome::cancelled);
  WaitingRequest late(purgatory, {kOrders}, 10s);
  EXPECT_EQ(late.outcome(), Purgatory::Outcome::cancelled);
}

TEST(Purgatory, loses_no_move_between_watch_and_wait) {
  Purgatory purgatory(runtime::system_env());
  std::atomic<bool> stop{false};
  std::thread mover([&] {
    while (!stop) purgatory.notify(kOrders);
  });
  for (int i = 0; i < 200; ++i) {
    WaitingRequest request(purgatory, {kOrders}, 10s);
    EXPECT_EQ(request.outcome(), Purgatory::Outcome::moved);
  }
  stop = true;
  mover.join();
}

}  // namespace
}  // namespace barnabas::broker
