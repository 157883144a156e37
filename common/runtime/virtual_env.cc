#include "common/runtime/virtual_env.h"

#include <algorithm>
#include <random>

#include "common/runtime/virtual_alarm.h"

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

/// What would be a thread.
class VirtualEnv::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(VirtualEnv& env, const VirtualProcess* process) : env_(env), process_(process) { env_.loops_.push_back(this); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { stop(); }

  asio::any_io_executor executor() { return context_.get_executor(); }
  bool is_running() const { return running_; }
  void stop() { env_.loops_.erase(std::remove(env_.loops_.begin(), env_.loops_.end(), this), env_.loops_.end()); }

  /// `only`: a killed process that is being destroyed.
  bool may_run(const VirtualProcess* only) const {
    if (running_) return false;  // its thread blocks further up the stack
    if (only != nullptr) return process_ == only;
    return process_ == nullptr || (!process_->is_killed() && !process_->is_paused());
  }
  bool run_one() {
    const auto alive = shared_from_this();  // what runs may drop the last handle
    running_ = true;
    context_.restart();
    const bool ran = context_.poll_one() > 0;
    running_ = false;
    return ran;
  }

 private:
  VirtualEnv& env_;
  const VirtualProcess* process_;
  bool running_ = false;
  asio::io_context context_{1};
};

/// Ended by the loop when virtual time gets there.
class VirtualEnv::VirtualAlarm final : public Alarm {
 public:
  VirtualAlarm(VirtualEnv& env, asio::any_io_executor executor)
      : env_(env), wait_(std::make_shared<VirtualWait>(std::move(executor))) {}
  VirtualAlarm(const VirtualAlarm&) = delete;
  VirtualAlarm& operator=(const VirtualAlarm&) = delete;
  ~VirtualAlarm() override {
    unset();
    wait_->end();
  }

  asio::awaitable<Result<void>> wait_until(MonotonicTime deadline) override {
    ended_by_ = Ended::by_cancellation;
    key_ = {deadline, env_.alarms_set_++};
    if (deadline != MonotonicTime::max()) env_.alarms_.emplace(key_, this);
    co_await wait_->async_wait();
    unset();
    if (ended_by_ == Ended::by_wake) co_return failure(Errc::woken_up);
    if (ended_by_ == Ended::by_cancellation) co_return failure(Errc::cancelled);
    co_return Result<void>{};
  }
  void wake() override {
    ended_by_ = Ended::by_wake;
    wait_->end();
  }
  void fire() {
    if (ended_by_ != Ended::by_wake) ended_by_ = Ended::by_deadline;
    wait_->end();
  }

 private:
  enum class Ended { by_cancellation, by_wake, by_deadline };
  void unset() { env_.alarms_.erase(key_); }

  VirtualEnv& env_;
  std::shared_ptr<VirtualWait> wait_;
  AlarmKey key_{};
  Ended ended_by_ = Ended::by_cancellation;
};

class VirtualEnv::VirtualReactor final : public Reactor {
 public:
  explicit VirtualReactor(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}
  VirtualReactor(const VirtualReactor&) = delete;
  VirtualReactor& operator=(const VirtualReactor&) = delete;
  ~VirtualReactor() override { stop(); }
  asio::any_io_executor executor() override { return loop_->executor(); }
  bool is_current_thread() const noexcept override { return loop_->is_running(); }
  void stop() override { loop_->stop(); }

 private:
  std::shared_ptr<Loop> loop_;
};

class VirtualEnv::VirtualPool final : public WorkerPool {
 public:
  explicit VirtualPool(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}
  VirtualPool(const VirtualPool&) = delete;
  VirtualPool& operator=(const VirtualPool&) = delete;
  ~VirtualPool() override { loop_->stop(); }
  asio::any_io_executor executor() override { return loop_->executor(); }

 private:
  std::shared_ptr<Loop> loop_;
};

class VirtualEnv::VirtualSignal final : public Signal {
 public:
  VirtualSignal(VirtualEnv& env, const VirtualProcess* process) : env_(env), process_(process) {}
  bool wait_until(MonotonicTime deadline, const std::function<bool()>& done) override {
    if (process_ == nullptr || !process_->is_killed()) return env_.run_until(done, deadline);
    while (!done()) {
      if (!env_.run_one_ready(process_)) break;
    }
    return done();
  }
  void notify(const std::function<void()>& change) override { change(); }

 private:
  VirtualEnv& env_;
  const VirtualProcess* process_;
};

VirtualEnv::VirtualEnv(std::uint64_t seed)
    : clock_(std::make_unique<VirtualClock>()),
      random_(std::make_unique<SeededRandom>(seed)),
      files_(std::make_unique<MemoryFiles>(seed)),
      schedule_(seed),
      main_loop_(make_loop(nullptr)) {}

VirtualEnv::~VirtualEnv() = default;

Clock& VirtualEnv::clock() noexcept {
  return *clock_;
}
Random& VirtualEnv::random() noexcept {
  return *random_;
}
asio::any_io_executor VirtualEnv::executor() {
  return main_loop_->executor();
}
std::shared_ptr<VirtualEnv::Loop> VirtualEnv::make_loop(const VirtualProcess* process) {
  return std::make_shared<Loop>(*this, process);
}
std::unique_ptr<Reactor> VirtualEnv::make_reactor(const std::string&) {
  return std::make_unique<VirtualReactor>(make_loop(nullptr));
}
std::unique_ptr<WorkerPool> VirtualEnv::make_worker_pool(const std::string&, std::size_t) {
  return std::make_unique<VirtualPool>(make_loop(nullptr));
}
std::unique_ptr<Alarm> VirtualEnv::make_alarm(asio::any_io_executor executor) {
  return std::make_unique<VirtualAlarm>(*this, std::move(executor));
}
std::unique_ptr<Signal> VirtualEnv::make_signal() {
  return std::make_unique<VirtualSignal>(*this, nullptr);
}

std::unique_ptr<Reactor> VirtualProcess::make_reactor(const std::string&) {
  return std::make_unique<VirtualEnv::VirtualReactor>(env_.make_loop(this));
}
std::unique_ptr<WorkerPool> VirtualProcess::make_worker_pool(const std::string&, std::size_t) {
  return std::make_unique<VirtualEnv::VirtualPool>(env_.make_loop(this));
}
std::unique_ptr<Alarm> VirtualProcess::make_alarm(asio::any_io_executor executor) {
  return env_.make_alarm(std::move(executor));
}
std::unique_ptr<Signal> VirtualProcess::make_signal() {
  return std::make_unique<VirtualEnv::VirtualSignal>(env_, this);
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

/// Source: Vigna, splitmix64.
std::size_t VirtualEnv::draw_loop() {
  schedule_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = schedule_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::size_t>((mixed ^ (mixed >> 31)) % loops_.size());
}

bool VirtualEnv::run_one_ready(const VirtualProcess* only) {
  const std::size_t first = draw_loop();
  const std::size_t count = loops_.size();  // does not change until one has run
  for (std::size_t i = 0; i < count; ++i) {
    Loop* const loop = loops_[(first + i) % count];
    if (!loop->may_run(only)) continue;
    if (loop->run_one()) return true;
  }
  return false;
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
