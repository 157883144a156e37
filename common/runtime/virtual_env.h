#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/runtime/env.h"
#include "common/runtime/memory_files.h"

namespace barnabas::runtime {

class VirtualProcess;

/// An Env in one thread: the clock stands still while there is work and jumps to the next alarm when there is none,
/// files are in memory, randomness comes from the seed. Each reactor and pool has a loop of its own, that goes with it,
/// and the seed decides which of those that have work runs next. Equal seeds give equal runs. Threads: one.
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
  /// Waiting on it runs the loops, all but those that the caller itself runs on: their threads are what blocks.
  std::unique_ptr<Signal> make_signal() override;

  /// A loop that lives as long as this.
  asio::any_io_executor executor();
  /// Runs until `done()` holds, or nothing is left to do, or the virtual clock would pass `deadline`; returns done().
  bool run_until(const std::function<bool()>& done, MonotonicTime deadline = MonotonicTime::max());
  /// Runs whatever is due within `duration`, and then is that much later.
  void run_for(Duration duration);

 private:
  friend class VirtualProcess;
  class VirtualClock;
  class SeededRandom;
  class VirtualAlarm;
  class VirtualReactor;
  class VirtualPool;
  class VirtualSignal;
  class Loop;
  using AlarmKey = std::pair<MonotonicTime, std::uint64_t>;  // deadline, then order of setting

  std::shared_ptr<Loop> make_loop(const VirtualProcess* process);
  bool run_one_ready(const VirtualProcess* only = nullptr);
  bool fire_next_alarm(MonotonicTime limit);
  std::size_t draw_loop();

  // The loop is the last to go: what it drops may still use the rest.
  std::unique_ptr<VirtualClock> clock_;
  std::unique_ptr<SeededRandom> random_;
  std::unique_ptr<MemoryFiles> files_;
  std::map<AlarmKey, VirtualAlarm*> alarms_;
  std::uint64_t alarms_set_ = 1;
  std::uint64_t schedule_;  // a small generator: one number for each step
  std::vector<Loop*> loops_;
  std::shared_ptr<Loop> main_loop_;
};

/// A process in a VirtualEnv: what is made from it can be paused, and killed at any moment. What a killed process still
/// has is destroyed as ever; until then its threads stand still.
/// Threads: one. Lives longer than all that was made from it, and less long than the VirtualEnv.
class VirtualProcess final : public Env {
 public:
  explicit VirtualProcess(VirtualEnv& env) : env_(env) {}

  /// Nothing of it runs any more (SIGKILL), but what a destructor of its own waits for: that runs in no time.
  /// Its files and connections are the caller's to end: MemoryFiles::kill(), MemoryNetwork::cut_all().
  void kill() { killed_ = true; }
  bool is_killed() const { return killed_; }
  /// Nothing of it runs until told so (SIGSTOP, SIGCONT).
  void pause(bool paused) { paused_ = paused; }
  bool is_paused() const { return paused_; }

  Clock& clock() noexcept override { return env_.clock(); }
  Files& files() noexcept override { return env_.files(); }
  Random& random() noexcept override { return env_.random(); }
  std::unique_ptr<Reactor> make_reactor(const std::string& thread_name) override;
  std::unique_ptr<WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) override;
  std::unique_ptr<Alarm> make_alarm(asio::any_io_executor executor) override;
  std::unique_ptr<Signal> make_signal() override;

 private:
  VirtualEnv& env_;
  bool killed_ = false;
  bool paused_ = false;
};

}  // namespace barnabas::runtime
