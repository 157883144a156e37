#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/runtime/files.h"
#include "tests/simulation/group_history.h"
#include "tests/simulation/group_plan.h"
#include "tests/simulation/tap_network.h"

namespace barnabas::simulation {

struct GroupObserver {
  /// Takes what happens, a line each; empty: nobody listens.
  std::function<void(const std::string&)> line;
  /// Called while the broker is down after a kill: breaks something on the disk.
  std::function<void(runtime::Files&)> while_down;
  /// Sees each request of a member, and may send another one instead.
  std::function<std::optional<Instead>(const std::string& member, const protocol::RequestHeader&, BytesView body)> tap;
};

struct GroupOutcome {
  GroupHistory history;
  std::vector<std::string> problems;  ///< The checker's, and what hung or failed without a reason.
  std::uint64_t trace_hash = 0;       ///< Of every byte on the network, every event and its time.
  std::int32_t generations = 0;       ///< The highest that any member came to.
};

/// Runs a plan: broker, producer, the members of a group, faults and deeds in this thread, in virtual time, and checks
/// what they did.
GroupOutcome run(const GroupPlan& plan, const GroupObserver& observer = {});

}  // namespace barnabas::simulation
