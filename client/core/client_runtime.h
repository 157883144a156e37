#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/core/gate.h"
#include "client/core/timers.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"

namespace barnabas::client {

/// What clients run on: the seams (time, network), one executor that runs one handler at a time, and its timers. Shared
/// by any number of clients, and held by their coroutines; the public handle is barnabas::Runtime. Threads: all
/// functions may be called from any thread, except timers(), which belongs to the executor.
class ClientRuntime : public std::enable_shared_from_this<ClientRuntime> {
 public:
  /// A thread of its own (in a virtual Env: the test's).
  static std::shared_ptr<ClientRuntime> make(const std::string& thread_name);
  static std::shared_ptr<ClientRuntime> make(runtime::Env& env, net::Network& network, const std::string& thread_name);
  /// The user's executor. `runs_here` says whether the caller is on a thread that runs it; empty: unknown.
  static std::shared_ptr<ClientRuntime> on(asio::any_io_executor executor, std::function<bool()> runs_here);

  ClientRuntime(runtime::Env& env, net::Network& network, std::unique_ptr<runtime::Reactor> reactor,
                asio::any_io_executor executor, std::function<bool()> runs_here);
  ~ClientRuntime();

  runtime::Env& env() noexcept { return env_; }
  runtime::Clock& clock() noexcept { return env_.clock(); }
  runtime::MonotonicTime now() noexcept { return env_.clock().now(); }
  runtime::Random& random() noexcept { return env_.random(); }
  net::Network& network() noexcept { return network_; }
  const asio::any_io_executor& executor() const noexcept { return executor_; }
  bool is_current_thread() const { return runs_here_ && runs_here_(); }
  const std::shared_ptr<Timers>& timers() const noexcept { return timers_; }
  std::shared_ptr<Gate> make_gate() { return std::make_shared<Gate>(timers_, executor_); }

  /// Starts a coroutine on the executor; what it returns is dropped.
  template <typename T>
  void spawn(asio::awaitable<T> work) {
    asio::co_spawn(executor_, std::move(work), asio::detached);
  }

  /// What every synchronous call is: starts `work` on the executor and blocks until it has ended. `work` must bound its
  /// own time; `give_up` is for an executor of the user's that does not run (any more). Errors: work's;
  /// Errc::would_deadlock at once when called on the thread that would have to do the work; Errc::timed_out when it has
  /// not ended by `give_up`.
  template <typename T>
  Result<T> wait(asio::awaitable<Result<T>> work, runtime::MonotonicTime give_up = runtime::MonotonicTime::max()) {
    if (is_current_thread()) return failure(Errc::would_deadlock, "a blocking call on the client's own reactor thread");
    auto state = std::make_shared<Waited<T>>();
    state->signal = env_.make_signal();
    asio::co_spawn(executor_, finish(std::move(work), state), asio::detached);
    std::optional<Result<T>> result;
    state->signal->wait_until(give_up, [&state, &result] {
      if (!result && state->result) result = std::move(state->result);
      return result.has_value();
    });
    if (!result) return failure(Errc::timed_out, "the executor that the client was given does not run");
    return std::move(*result);
  }

 private:
  template <typename T>
  struct Waited {
    std::unique_ptr<runtime::Signal> signal;
    std::optional<Result<T>> result;
  };
  template <typename T>
  static asio::awaitable<void> finish(asio::awaitable<Result<T>> work, std::shared_ptr<Waited<T>> state) {
    Result<T> result = co_await std::move(work);
    auto& place = state->result;
    state->signal->notify([&place, &result] { place.emplace(std::move(result)); });
  }

  runtime::Env& env_;
  net::Network& network_;
  std::unique_ptr<runtime::Reactor> reactor_;
  asio::any_io_executor executor_;
  std::function<bool()> runs_here_;
  std::shared_ptr<Timers> timers_;
};

}  // namespace barnabas::client
