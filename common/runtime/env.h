#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "common/bytes/result.h"
#include "common/runtime/clock.h"
#include "common/runtime/files.h"
#include "common/runtime/random.h"

namespace barnabas::runtime {

/// A thread that runs one Asio executor (an io_context) until it is destroyed. In a virtual Env: the test's own thread.
class Reactor {
 public:
  virtual ~Reactor() = default;
  virtual asio::any_io_executor executor() = 0;
  /// Whether the caller is on the reactor's thread: a blocking call there would never return.
  virtual bool is_current_thread() const noexcept = 0;
  /// Ends the loop and joins the thread; work still queued is dropped. Called by the destructor too.
  virtual void stop() = 0;
};

/// Threads for work that blocks (fsync, recovery, deletes, compression). The destructor finishes what runs and drops
/// what waits.
class WorkerPool {
 public:
  virtual ~WorkerPool() = default;
  virtual asio::any_io_executor executor() = 0;
};

/// A condition variable with its lock: what a blocking call waits on, and what the reactor notifies.
/// Threads: any.
class Signal {
 public:
  virtual ~Signal() = default;
  /// Blocks until `done()` holds or the deadline has passed; returns what done() said last. `done` runs under the lock
  /// that notify() takes. In a virtual Env this runs the loop instead of blocking.
  virtual bool wait_until(MonotonicTime deadline, const std::function<bool()>& done) = 0;
  /// Runs `change` under the lock, then wakes all who wait.
  virtual void notify(const std::function<void()>& change) = 0;
};

/// One waiter's timer, which somebody may end early: what sleeps and waits with a deadline are made of.
/// Threads: its executor's only. One wait at a time.
class Alarm {
 public:
  virtual ~Alarm() = default;
  /// Completes at `deadline`; MonotonicTime::max() never comes.
  /// Errors: Errc::woken_up after wake(), Errc::cancelled when the coroutine is cancelled.
  virtual asio::awaitable<Result<void>> wait_until(MonotonicTime deadline) = 0;
  /// Ends the wait under way; nothing happens when there is none.
  virtual void wake() = 0;
};

/// The seam: time, timers, files, randomness and threads. Nothing outside runtime and net touches the system itself.
/// Threads: any. Lives longer than all that was made from it.
class Env {
 public:
  virtual ~Env() = default;
  virtual Clock& clock() noexcept = 0;
  virtual Files& files() noexcept = 0;
  virtual Random& random() noexcept = 0;

  virtual std::unique_ptr<Reactor> make_reactor(const std::string& thread_name) = 0;
  virtual std::unique_ptr<WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) = 0;

  virtual std::unique_ptr<Alarm> make_alarm(asio::any_io_executor executor) = 0;
  /// Completes at `deadline` on the caller's executor. Errc::cancelled when the coroutine is cancelled.
  asio::awaitable<Result<void>> sleep_until(MonotonicTime deadline);
  asio::awaitable<Result<void>> sleep_for(Duration duration) { return sleep_until(clock().now() + duration); }

  virtual std::unique_ptr<Signal> make_signal() = 0;
};

/// The process's own Env: system clock, POSIX files, system randomness, real threads.
Env& system_env();

}  // namespace barnabas::runtime
