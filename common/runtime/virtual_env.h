#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "common/runtime/env.h"
#include "common/runtime/memory_files.h"

namespace barnabas::runtime {

/// An Env in one thread: all reactors and pools are one loop, the clock stands still while there is work and jumps to
/// the next alarm when there is none, files are in memory, randomness comes from the seed. Equal seeds give equal runs.
/// Threads: one.
class VirtualEnv final : public Env {
 public:
  explicit VirtualEnv(std::uint64_t seed = 1);
  ~VirtualEnv() override;

  Clock& clock() noexcept override;
  /// In memory; `memory_files()` has the crashes and full disks.
  Files& files() noexcept override { return memory_files(); }
  MemoryFiles& memory_files() noexcept { return *files_; }
  Random& random() noexcept override;
  std::unique_ptr<Reactor> make_reactor(const std::string& thread_name) override;
  std::unique_ptr<WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) override;
  std::unique_ptr<Alarm> make_alarm(asio::any_io_executor executor) override;
  std::unique_ptr<Signal> make_signal() override;

  asio::any_io_executor executor() { return context_.get_executor(); }
  /// Runs until `done()` holds, or nothing is left to do, or the virtual clock would pass `deadline`; returns done().
  bool run_until(const std::function<bool()>& done, MonotonicTime deadline = MonotonicTime::max());
  /// Runs whatever is due within `duration`, and then is that much later.
  void run_for(Duration duration);
  /// Whether the caller is inside the loop.
  bool is_running() const noexcept { return depth_ > 0; }

 private:
  class VirtualClock;
  class SeededRandom;
  class VirtualAlarm;
  class VirtualReactor;
  class VirtualPool;
  class VirtualSignal;
  using AlarmKey = std::pair<MonotonicTime, std::uint64_t>;  // deadline, then order of setting

  bool run_one_ready();
  bool fire_next_alarm(MonotonicTime limit);

  // The loop is the last to go: what it drops may still use the rest.
  std::unique_ptr<VirtualClock> clock_;
  std::unique_ptr<SeededRandom> random_;
  std::unique_ptr<MemoryFiles> files_;
  std::map<AlarmKey, VirtualAlarm*> alarms_;
  std::uint64_t alarms_set_ = 1;
  int depth_ = 0;
  asio::io_context context_{1};
};

}  // namespace barnabas::runtime
