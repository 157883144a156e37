#include "common/runtime/virtual_env.h"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <random>

namespace barnabas::runtime {
namespace {

constexpr std::int64_t kStartWallMs = 1'700'000'000'000;  // some day in November 2023

}  // namespace

class VirtualEnv::VirtualClock final : public Clock {
 public:
  MonotonicTime now() const noexcept override { return now_; }
  std::int64_t wall_ms() const noexcept override {
    return kStartWallMs + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kStart).count();
  }
  void advance_to(MonotonicTime time) noexcept { now_ = std::max(now_, time); }

 private:
  static constexpr MonotonicTime kStart{std::chrono::hours(1)};
  MonotonicTime now_ = kStart;
};

class VirtualEnv::SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_() >> 32);
  }

 private:
  std::mt19937_64 engine_;
};

/// An Asio timer that never ends by itself: the loop ends it when virtual time gets there.
class VirtualEnv::VirtualAlarm final : public Alarm {
 public:
  VirtualAlarm(VirtualEnv& env, asio::any_io_executor executor) : env_(env), timer_(std::move(executor)) {}
  VirtualAlarm(const VirtualAlarm&) = delete;
  VirtualAlarm& operator=(const VirtualAlarm&) = delete;
  ~VirtualAlarm() override { unset(); }

  asio::awaitable<Result<void>> wait_until(MonotonicTime deadline) override {
    ended_by_ = Ended::by_cancellation;
    timer_.expires_at(MonotonicTime::max());
    key_ = {deadline, env_.alarms_set_++};
    if (deadline != MonotonicTime::max()) env_.alarms_.emplace(key_, this);
    std::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await timer_.async_wait(token);
    unset();
    if (ended_by_ == Ended::by_wake) co_return failure(Errc::woken_up);
    if (ended_by_ == Ended::by_cancellation) co_return failure(Errc::cancelled);
    co_return Result<void>{};
  }
  void wake() override {
    ended_by_ = Ended::by_wake;
    timer_.cancel();
  }
  void fire() {
    if (ended_by_ != Ended::by_wake) ended_by_ = Ended::by_deadline;
    timer_.cancel();
  }

 private:
  enum class Ended { by_cancellation, by_wake, by_deadline };
  void unset() { env_.alarms_.erase(key_); }

  VirtualEnv& env_;
  asio::steady_timer timer_;
  AlarmKey key_{};
  Ended ended_by_ = Ended::by_cancellation;
};

class VirtualEnv::VirtualReactor final : public Reactor {
 public:
  explicit VirtualReactor(VirtualEnv& env) : env_(env) {}
  asio::any_io_executor executor() override { return env_.executor(); }
  bool is_current_thread() const noexcept override { return env_.is_running(); }
  void stop() override {}  // the loop is everybody's

 private:
  VirtualEnv& env_;
};

class VirtualEnv::VirtualPool final : public WorkerPool {
 public:
  explicit VirtualPool(VirtualEnv& env) : env_(env) {}
  asio::any_io_executor executor() override { return env_.executor(); }

 private:
  VirtualEnv& env_;
};

class VirtualEnv::VirtualSignal final : public Signal {
 public:
  explicit VirtualSignal(VirtualEnv& env) : env_(env) {}
  bool wait_until(MonotonicTime deadline, const std::function<bool()>& done) override {
    return env_.run_until(done, deadline);
  }
  void notify(const std::function<void()>& change) override { change(); }

 private:
  VirtualEnv& env_;
};

VirtualEnv::VirtualEnv(std::uint64_t seed)
    : clock_(std::make_unique<VirtualClock>()),
      random_(std::make_unique<SeededRandom>(seed)),
      files_(std::make_unique<MemoryFiles>(seed)) {}

VirtualEnv::~VirtualEnv() = default;

Clock& VirtualEnv::clock() noexcept {
  return *clock_;
}
Random& VirtualEnv::random() noexcept {
  return *random_;
}
std::unique_ptr<Reactor> VirtualEnv::make_reactor(const std::string&) {
  return std::make_unique<VirtualReactor>(*this);
}
std::unique_ptr<WorkerPool> VirtualEnv::make_worker_pool(const std::string&, std::size_t) {
  return std::make_unique<VirtualPool>(*this);
}
std::unique_ptr<Alarm> VirtualEnv::make_alarm(asio::any_io_executor executor) {
  return std::make_unique<VirtualAlarm>(*this, std::move(executor));
}
std::unique_ptr<Signal> VirtualEnv::make_signal() {
  return std::make_unique<VirtualSignal>(*this);
}

bool VirtualEnv::run_until(const std::function<bool()>& done, MonotonicTime deadline) {
  while (!done()) {
    if (!run_one_ready() && !fire_next_alarm(deadline)) break;
  }
  if (done()) return true;
  if (deadline != MonotonicTime::max()) clock_->advance_to(deadline);
  return false;
}

void VirtualEnv::run_for(Duration duration) {
  const MonotonicTime end = clock_->now() + duration;
  run_until([] { return false; }, end);
}

bool VirtualEnv::run_one_ready() {
  ++depth_;
  context_.restart();
  const bool ran = context_.poll_one() > 0;
  --depth_;
  return ran;
}

/// One alarm at a time: what it wakes runs before the next one of the same moment.
bool VirtualEnv::fire_next_alarm(MonotonicTime limit) {
  if (alarms_.empty() || alarms_.begin()->first.first > limit) return false;
  const auto [key, alarm] = *alarms_.begin();
  alarms_.erase(alarms_.begin());
  clock_->advance_to(key.first);
  alarm->fire();
  return true;
}

}  // namespace barnabas::runtime
