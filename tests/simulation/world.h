#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "common/net/memory_network.h"
#include "common/runtime/logging.h"
#include "common/runtime/virtual_env.h"
#include "tests/simulation/plan.h"

namespace barnabas::simulation {

inline constexpr const char* kTopic = "t";
inline constexpr const char* kDataDirectory = "/data";

/// A network, a disk and a broker on them, that meets the faults of a plan as virtual time goes by.
/// Threads: one.
class World {
 public:
  /// `on_event` is told of everything, in a line.
  World(const Plan& plan, runtime::LogLevel level, std::function<void(const std::string&)> on_event);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  runtime::VirtualEnv& env() { return env_; }
  net::MemoryNetwork& network() { return network_; }
  runtime::Duration elapsed() { return env_.clock().now() - start_; }

  void start_broker();
  /// The plan's faults begin and end from now on, while the loop runs.
  void start_faults();
  /// All faults are over and the broker runs.
  bool is_calm() const { return calm_; }
  /// What no fault explains.
  const std::vector<std::string>& problems() const { return problems_; }

  /// Called whenever the broker is down after a kill, before it starts again: a test's defect.
  std::function<void(runtime::Files&)> while_down;

 private:
  struct Step {
    runtime::Duration at;
    Fault fault;
    bool begins;
  };

  static asio::awaitable<void> play(World* self);
  void supervise();
  void begin(const Fault& fault);
  void end(const Fault& fault);
  void take_down(bool by_kill);
  void bury();
  void try_start();
  void limit_disk(std::uint64_t free_bytes);
  void note(const std::string& what);

  const Plan plan_;
  const std::function<void(const std::string&)> on_event_;
  runtime::VirtualEnv env_;
  net::MemoryNetwork network_;
  const runtime::MonotonicTime start_;
  const runtime::Logger logger_;
  std::unique_ptr<runtime::VirtualProcess> process_;
  std::unique_ptr<broker::Broker> broker_;
  int down_ = 0;  // faults that keep the broker down
  int paused_ = 0;
  int stalled_ = 0;
  int refusing_ = 0;
  int disk_full_ = 0;
  bool power_is_lost_ = false;
  bool fatal_ = false;
  bool calm_ = false;
  std::vector<std::string> problems_;
};

}  // namespace barnabas::simulation
