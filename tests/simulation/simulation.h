#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/runtime/files.h"
#include "tests/simulation/history.h"
#include "tests/simulation/plan.h"

namespace barnabas::simulation {

struct Observer {
  /// Takes what happens, a line each; empty: nobody listens.
  std::function<void(const std::string&)> line;
  /// Called while the broker is down after a kill: breaks something on the disk.
  std::function<void(runtime::Files&)> while_down;
};

struct Outcome {
  History history;
  std::vector<std::string> problems;  ///< The checker's, and what hung or failed without a reason.
  std::uint64_t trace_hash = 0;       ///< Of every byte on the network, every event and its time.
  std::size_t acknowledged = 0;
  std::size_t failed = 0;
  int broker_starts = 0;
};

/// Runs a plan: broker, producer, consumer and faults in this thread, in virtual time, and checks what they did.
Outcome run(const Plan& plan, const Observer& observer = {});

}  // namespace barnabas::simulation
