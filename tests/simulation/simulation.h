#pragma once

#include <cstddef>

#include "tests/simulation/history.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/run_base.h"

namespace barnabas::simulation {

struct Outcome : Verdict {
  History history;
  std::size_t acknowledged = 0;
  std::size_t failed = 0;
};

/// Runs a plan: broker, producer, consumer and faults in this thread, in virtual time, and checks what they did.
Outcome run(const Plan& plan, const Observer& observer = {});

}  // namespace barnabas::simulation
