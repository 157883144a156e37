#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/simulation/simulation.h"

// simulation_tests --seed=N            runs that seed alone and tells everything that happens
// simulation_tests --seeds=FIRST-LAST  runs these and tells which fail
// simulation_tests ...                 the tests

namespace barnabas::simulation {
namespace {

bool run_one(std::uint64_t seed, bool tell) {
  const Plan plan = Plan::from(seed);
  Observer observer;
  if (tell) {
    fmt::print("{}", plan.to_string());
    observer.line = [](const std::string& line) {
      fmt::print("{}\n", line);
      std::fflush(stdout);
    };
  }
  const Outcome outcome = run(plan, observer);
  if (tell) {
    fmt::print("{} records: {} acknowledged, {} failed; the broker started {} times; trace {:016x}\n",
               outcome.history.sent.size(), outcome.acknowledged, outcome.failed, outcome.broker_starts,
               outcome.trace_hash);
  }
  if (outcome.problems.empty()) return true;
  fmt::print("seed {} fails:\n", seed);
  for (const std::string& problem : outcome.problems) fmt::print("  {}\n", problem);
  std::fflush(stdout);
  return false;
}

bool run_all(std::uint64_t first, std::uint64_t last) {
  std::uint64_t bad = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed <= last; ++seed) bad += run_one(seed, false) ? 0 : 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} seeds, {} failed, {:.3f} s each\n", last - first + 1, bad,
             took.count() / static_cast<double>(last - first + 1));
  return bad == 0;
}

}  // namespace
}  // namespace barnabas::simulation

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.rfind("--seed=", 0) == 0) {
      return barnabas::simulation::run_one(std::strtoull(argv[i] + 7, nullptr, 10), true) ? 0 : 1;
    }
    if (argument.rfind("--seeds=", 0) == 0) {
      char* rest = nullptr;
      const std::uint64_t first = std::strtoull(argv[i] + 8, &rest, 10);
      const std::uint64_t last = *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first;
      return barnabas::simulation::run_all(first, last) ? 0 : 1;
    }
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
