#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/simulation/group_run.h"
#include "tests/simulation/simulation.h"

// simulation_tests --seed=N                  runs that seed alone and tells everything that happens
// simulation_tests --seeds=FIRST-LAST        runs these and tells which fail
// simulation_tests --group-seed=N, --group-seeds=FIRST-LAST  the same with a consumer group
// simulation_tests ...                       the tests

namespace barnabas::simulation {
namespace {

bool report(std::uint64_t seed, const std::vector<std::string>& problems) {
  if (problems.empty()) return true;
  fmt::print("seed {} fails:\n", seed);
  for (const std::string& problem : problems) fmt::print("  {}\n", problem);
  std::fflush(stdout);
  return false;
}

std::string figures_of(const Outcome& outcome) {
  return fmt::format("{} records: {} acknowledged, {} failed; the broker started {} times", outcome.history.sent.size(),
                     outcome.acknowledged, outcome.failed, outcome.broker_starts);
}

std::string figures_of(const GroupOutcome& outcome) {
  return fmt::format("{} records acknowledged, {} generations", outcome.history.acknowledged.size(),
                     outcome.generations);
}

template <typename SomePlan, typename SomeObserver>
bool run_one(std::uint64_t seed, bool tell) {
  const SomePlan plan = SomePlan::from(seed);
  SomeObserver observer;
  if (tell) {
    fmt::print("{}", plan.to_string());
    observer.line = [](const std::string& line) {
      fmt::print("{}\n", line);
      std::fflush(stdout);
    };
  }
  const auto outcome = run(plan, observer);
  if (tell) fmt::print("{}; trace {:016x}\n", figures_of(outcome), outcome.trace_hash);
  return report(seed, outcome.problems);
}

using RunOne = bool (*)(std::uint64_t seed, bool tell);

bool run_all(std::uint64_t first, std::uint64_t last, RunOne run_one_of) {
  std::uint64_t bad = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed <= last; ++seed) bad += run_one_of(seed, false) ? 0 : 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} seeds, {} failed, {:.3f} s each\n", last - first + 1, bad,
             took.count() / static_cast<double>(last - first + 1));
  return bad == 0;
}

}  // namespace
}  // namespace barnabas::simulation

int main(int argc, char** argv) {
  namespace simulation = barnabas::simulation;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool is_group = argument.rfind("--group-", 0) == 0;
    const simulation::RunOne run_one_of = is_group
                                              ? simulation::run_one<simulation::GroupPlan, simulation::GroupObserver>
                                              : simulation::run_one<simulation::Plan, simulation::Observer>;
    const std::size_t value = argument.find('=') + 1;
    if (argument.rfind("--seed=", 0) == 0 || argument.rfind("--group-seed=", 0) == 0) {
      return run_one_of(std::strtoull(argv[i] + value, nullptr, 10), true) ? 0 : 1;
    }
    if (argument.rfind("--seeds=", 0) == 0 || argument.rfind("--group-seeds=", 0) == 0) {
      char* rest = nullptr;
      const std::uint64_t first = std::strtoull(argv[i] + value, &rest, 10);
      const std::uint64_t last = *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first;
      return simulation::run_all(first, last, run_one_of) ? 0 : 1;
    }
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
