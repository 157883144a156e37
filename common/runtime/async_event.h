#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>

#include "common/runtime/env.h"

namespace barnabas::runtime {

/// What coroutines wait on for a condition, and what anybody notifies after changing it:
/// `while (!ready()) co_await event.wait_until(deadline);`
/// A notification that finds nobody waiting is kept: the next wait returns at once. So a change made between the check
/// and the wait is never missed, and a waiter always checks its condition again.
/// Threads: waits and close() on the executor's thread; notify() from any. Many may wait.
/// Lives no longer than the executor. Close it first where somebody may still wait.
class AsyncEvent {
 public:
  AsyncEvent(Env& env, asio::any_io_executor executor);

  /// Errors: Errc::timed_out, Errc::closed after close(), Errc::cancelled when the coroutine is cancelled.
  asio::awaitable<Result<void>> wait_until(MonotonicTime deadline);
  asio::awaitable<Result<void>> wait() { return wait_until(MonotonicTime::max()); }

  /// Wakes all who wait. Cost: one atomic exchange while an earlier notification is still on its way.
  void notify();
  /// Ends all waits, those to come too, with Errc::closed.
  void close();

 private:
  struct State;
  struct Waiter;
  static asio::awaitable<Result<void>> wait_on(std::shared_ptr<State> state, MonotonicTime deadline);
  std::shared_ptr<State> state_;
};

}  // namespace barnabas::runtime
