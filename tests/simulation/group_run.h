#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/simulation/group_history.h"
#include "tests/simulation/group_plan.h"
#include "tests/simulation/run_base.h"
#include "tests/simulation/tap_network.h"

namespace barnabas::simulation {

struct GroupObserver : Observer {
  /// Sees each request of a member, and may send another one instead.
  std::function<std::optional<Instead>(const std::string& member, const protocol::RequestHeader&, BytesView body)> tap;
};

struct GroupOutcome : Verdict {
  GroupHistory history;
  std::int32_t generations = 0;  ///< The highest that any member came to.
};

/// Runs a plan: broker, producer, the members of a group, faults and deeds in this thread, in virtual time, and checks
/// what they did.
GroupOutcome run(const GroupPlan& plan, const GroupObserver& observer = {});

}  // namespace barnabas::simulation
