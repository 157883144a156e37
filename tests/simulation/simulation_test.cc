#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/simulation/seeds.h"

namespace barnabas::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 100;  // ten times as slow
#else
constexpr std::uint64_t kSeeds = 200;  // what a developer waits for
#endif
constexpr std::uint64_t kShards = 20;

class Shard : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Shard, keeps_every_promise_under_all_faults) {
  const std::uint64_t seeds = seeds_in_shard(kSeeds, kShards);
  std::size_t acknowledged = 0;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const std::uint64_t seed = 1 + GetParam() * seeds + i;
    const Outcome outcome = run(Plan::from(seed));
    acknowledged += outcome.acknowledged;
    EXPECT_TRUE(outcome.problems.empty()) << "replay with: simulation_tests --seed=" << seed << '\n'
                                          << text_of(outcome.problems);
  }
  EXPECT_GT(acknowledged, seeds * 10);  // it did something
}

INSTANTIATE_TEST_SUITE_P(Seeds, Shard, ::testing::Range(std::uint64_t{0}, kShards));

TEST(Simulation, runs_the_same_seed_the_same_way_twice) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome first = run(Plan::from(seed));
    const Outcome second = run(Plan::from(seed));
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.history.sent.size(), second.history.sent.size());
  }
  EXPECT_NE(run(Plan::from(1)).trace_hash, run(Plan::from(2)).trace_hash);
}

}  // namespace
}  // namespace barnabas::simulation
