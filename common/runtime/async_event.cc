#include "common/runtime/async_event.h"

#include <algorithm>
#include <asio/dispatch.hpp>
#include <atomic>
#include <vector>

namespace barnabas::runtime {

struct AsyncEvent::State {
  State(Env& the_env, asio::any_io_executor the_executor) : env(the_env), executor(std::move(the_executor)) {}

  void wake_all() {
    std::vector<Alarm*> to_wake;
    to_wake.swap(waiting);
    for (Alarm* alarm : to_wake) alarm->wake();
  }
  void deliver() {
    on_its_way.store(false, std::memory_order_release);
    if (waiting.empty()) kept = true;
    wake_all();
  }

  Env& env;
  const asio::any_io_executor executor;
  std::atomic<bool> on_its_way{false};
  // The executor's thread only, all of these:
  std::vector<Alarm*> waiting;
  std::vector<std::unique_ptr<Alarm>> idle;  // used again by the next waits
  bool kept = false;
  bool closed = false;
};

/// One wait's place in the list, left also when the coroutine is torn down.
struct AsyncEvent::Waiter {
  explicit Waiter(State& the_state) : state(the_state) {
    if (state.idle.empty()) {
      alarm = state.env.make_alarm(state.executor);
    } else {
      alarm = std::move(state.idle.back());
      state.idle.pop_back();
    }
    state.waiting.push_back(alarm.get());
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    const auto place = std::find(state.waiting.begin(), state.waiting.end(), alarm.get());
    if (place != state.waiting.end()) state.waiting.erase(place);
    state.idle.push_back(std::move(alarm));
  }

  State& state;
  std::unique_ptr<Alarm> alarm;
};

AsyncEvent::AsyncEvent(Env& env, asio::any_io_executor executor)
    : state_(std::make_shared<State>(env, std::move(executor))) {}

asio::awaitable<Result<void>> AsyncEvent::wait_until(MonotonicTime deadline) {
  return wait_on(state_, deadline);
}

asio::awaitable<Result<void>> AsyncEvent::wait_on(std::shared_ptr<State> state, MonotonicTime deadline) {
  if (state->closed) co_return failure(Errc::closed);
  if (state->kept) {
    state->kept = false;
    co_return Result<void>{};
  }
  Waiter waiter(*state);
  const Result<void> ended = co_await waiter.alarm->wait_until(deadline);
  if (state->closed) co_return failure(Errc::closed);
  if (ended) co_return failure(Errc::timed_out);
  if (ended.error().code == Errc::woken_up) co_return Result<void>{};
  co_return ended;
}

void AsyncEvent::notify() {
  if (state_->on_its_way.exchange(true, std::memory_order_acq_rel)) return;
  asio::dispatch(state_->executor, [state = state_] { state->deliver(); });
}

void AsyncEvent::close() {
  state_->closed = true;
  state_->wake_all();
}

}  // namespace barnabas::runtime
