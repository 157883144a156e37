#include <gtest/gtest.h>

#include <algorithm>

#include "tests/client/promises/workload.h"

// The network is cut, stalled and broken once at every single I/O step of three clients' life; every call must return
// by its deadline all the same. The steps are found by counting a run in which nothing breaks.
namespace barnabas::promises {
namespace {

const std::vector<std::string>& steps_of_a_clean_run() {
  static const std::vector<std::string> steps = [] {
    Workload workload(Break::none, 0);
    workload.run();
    return workload.step_names();
  }();
  return steps;
}

std::string all_of(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += "\n  " + problem;
  return text;
}

TEST(EveryStep, a_clean_run_does_all_that_the_broken_ones_try) {
  Workload workload(Break::none, 0);
  workload.run();
  EXPECT_TRUE(workload.problems().empty()) << all_of(workload.problems());
  EXPECT_EQ(workload.failed_calls(), 0);
  EXPECT_EQ(workload.step_names(), steps_of_a_clean_run()) << "two runs take the same steps";
  for (const char* step : {"connect begins", "connect ends", "write begins", "write is halfway", "write ends",
                           "read of a part begins", "read of a part ends", "read ends"}) {
    EXPECT_GT(std::count(workload.step_names().begin(), workload.step_names().end(), step), 5) << step;
  }
}

class AtStep : public ::testing::TestWithParam<std::size_t> {};

TEST_P(AtStep, a_network_that_breaks_lets_every_call_return_by_its_deadline) {
  for (const Break how : {Break::cut, Break::stall, Break::once}) {
    Workload workload(how, GetParam());
    workload.run();
    EXPECT_TRUE(workload.problems().empty())
        << to_string(how) << " at step " << GetParam() << ", " << steps_of_a_clean_run().at(GetParam() - 1) << ":"
        << all_of(workload.problems());
    EXPECT_GE(workload.steps(), GetParam()) << "the run took other steps than the one that was counted";
  }
}

INSTANTIATE_TEST_SUITE_P(EveryStep, AtStep, ::testing::Range<std::size_t>(1, steps_of_a_clean_run().size() + 1),
                         [](const auto& step) { return std::to_string(step.param); });

}  // namespace
}  // namespace barnabas::promises
