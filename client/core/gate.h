#pragma once

#include <asio/awaitable.hpp>
#include <list>
#include <memory>

#include "barnabas/handler_async.h"
#include "client/core/timers.h"

namespace barnabas::client {

enum class GateResult { opened, timed_out, cancelled };

/// What coroutines wait at until somebody opens it, for good. The one primitive for waiting in the client: a response,
/// a connection being made, a metadata refresh are each a Gate beside the value they bring. Threads: the executor's
/// only.
class Gate final : public Abandonable {
 public:
  Gate(std::shared_ptr<Timers> timers, asio::any_io_executor executor)
      : timers_(std::move(timers)), executor_(std::move(executor)) {}
  ~Gate() override;

  bool is_open() const noexcept { return open_; }
  /// Wakes all who wait.
  void open();
  /// The Gate must live until this returns.
  asio::awaitable<GateResult> wait(runtime::MonotonicTime deadline);
  /// Destroys the coroutines that wait here, and with them perhaps this gate.
  void abandon() override;

 private:
  struct Waiter {
    Handler<GateResult> resume;
    Timers::Id timer;
  };
  using Waiters = std::list<Waiter>;
  void start(Handler<GateResult> resume, runtime::MonotonicTime deadline);
  void end(Waiters::iterator waiter, GateResult result);

  std::shared_ptr<Timers> timers_;
  asio::any_io_executor executor_;
  Waiters waiters_;
  bool open_ = false;
};

}  // namespace barnabas::client
