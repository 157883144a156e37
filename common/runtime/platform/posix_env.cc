#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "common/runtime/env.h"
#include "common/runtime/platform/posix_files.h"
#include "common/runtime/platform/wall_milliseconds.h"

namespace barnabas::runtime {
namespace {

class SystemClock final : public Clock {
 public:
  MonotonicTime now() const noexcept override { return std::chrono::steady_clock::now(); }
  std::int64_t wall_ms() const noexcept override {
#if defined(__x86_64__)
    thread_local WallMilliseconds milliseconds;
    if (has_steady_counter()) return milliseconds.now();
#endif
    return wall_nanoseconds() / 1'000'000;
  }
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto count = ::getrandom(out.data() + done, out.size() - done, 0);
      if (count > 0) done += static_cast<std::size_t>(count);
      // Without randomness ids would repeat, and there is no way on; Linux fails here only for a missing system call.
      if (count < 0 && errno != EINTR) std::abort();
    }
  }
};

/// The kernel takes 15 characters of a thread's name.
void name_thread(std::string name) {
  name.resize(std::min<std::size_t>(name.size(), 15));
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

/// Threads that run one io_context. The context is shared with them: a thread may destroy its own group.
class ContextThreads {
 public:
  ContextThreads(const std::string& name, std::size_t count)
      : context_(std::make_shared<asio::io_context>(static_cast<int>(count))), work_(context_->get_executor()) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string thread_name = count == 1 ? name : name + '-' + std::to_string(i);
      threads_.emplace_back([context = context_, thread_name] {
        name_thread(thread_name);
        context->run();
      });
    }
  }
  ContextThreads(const ContextThreads&) = delete;
  ContextThreads& operator=(const ContextThreads&) = delete;
  ~ContextThreads() { stop(); }

  void stop() {
    context_->stop();
    for (std::thread& thread : threads_) {
      if (!thread.joinable()) continue;
      if (thread.get_id() == std::this_thread::get_id()) {
        thread.detach();
      } else {
        thread.join();
      }
    }
  }

  asio::any_io_executor executor() { return context_->get_executor(); }
  bool runs_here() const noexcept { return context_->get_executor().running_in_this_thread(); }

 private:
  std::shared_ptr<asio::io_context> context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

class SystemReactor final : public Reactor {
 public:
  explicit SystemReactor(const std::string& name) : threads_(name, 1) {}
  asio::any_io_executor executor() override { return threads_.executor(); }
  bool is_current_thread() const noexcept override { return threads_.runs_here(); }
  void stop() override { threads_.stop(); }

 private:
  ContextThreads threads_;
};

class SystemWorkerPool final : public WorkerPool {
 public:
  SystemWorkerPool(const std::string& name, std::size_t threads) : threads_(name, std::max<std::size_t>(threads, 1)) {}
  asio::any_io_executor executor() override { return threads_.executor(); }

 private:
  ContextThreads threads_;
};

class SystemSignal final : public Signal {
 public:
  bool wait_until(MonotonicTime deadline, const std::function<bool()>& done) override {
    std::unique_lock lock(mutex_);
    // A deadline of max() overflows inside some implementations of wait_until, and needs no clock at all.
    if (deadline == MonotonicTime::max()) {
      changed_.wait(lock, done);
      return true;
    }
    return changed_.wait_until(lock, deadline, done);
  }
  void notify(const std::function<void()>& change) override {
    // Woken under the lock: a waiter that sees the change may destroy this Signal at once.
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class SystemAlarm final : public Alarm {
 public:
  explicit SystemAlarm(asio::any_io_executor executor) : timer_(std::move(executor)) {}

  asio::awaitable<Result<void>> wait_until(MonotonicTime deadline) override {
    woken_ = false;
    timer_.expires_at(deadline);
    std::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await timer_.async_wait(token);
    if (woken_) co_return failure(Errc::woken_up);
    if (error) co_return failure(Errc::cancelled);
    co_return Result<void>{};
  }

  void wake() override {
    woken_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool woken_ = false;
};

class SystemEnv final : public Env {
 public:
  Clock& clock() noexcept override { return clock_; }
  Files& files() noexcept override { return files_; }
  Random& random() noexcept override { return random_; }
  std::unique_ptr<Reactor> make_reactor(const std::string& thread_name) override {
    return std::make_unique<SystemReactor>(thread_name);
  }
  std::unique_ptr<WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) override {
    return std::make_unique<SystemWorkerPool>(thread_name, threads);
  }
  std::unique_ptr<Alarm> make_alarm(asio::any_io_executor executor) override {
    return std::make_unique<SystemAlarm>(std::move(executor));
  }
  std::unique_ptr<Signal> make_signal() override { return std::make_unique<SystemSignal>(); }

 private:
  SystemClock clock_;
  PosixFiles files_;
  SystemRandom random_;
};

}  // namespace

Env& system_env() {
  // Never destroyed: threads of static objects may still use it while the process ends.
  static Env& env = *new SystemEnv;
  return env;
}

}  // namespace barnabas::runtime
