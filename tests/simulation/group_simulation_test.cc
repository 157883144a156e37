#include <gtest/gtest.h>

#include <cstdint>

#include "tests/simulation/group_run.h"
#include "tests/simulation/seeds.h"

namespace barnabas::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 20;  // ten times as slow
#else
constexpr std::uint64_t kSeeds = 100;  // what a developer waits for
#endif
constexpr std::uint64_t kShards = 10;
constexpr std::uint64_t kOneIn = 4;  // of what is wanted of the other simulation

class GroupShard : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(GroupShard, shares_partitions_and_processes_every_record_whatever_happens) {
  const std::uint64_t seeds = seeds_in_shard(kSeeds, kShards, kOneIn);
  std::size_t acknowledged = 0;
  std::int32_t generations = 0;
  for (std::uint64_t i = 0; i < seeds; ++i) {
    const std::uint64_t seed = 1 + GetParam() * seeds + i;
    const GroupOutcome outcome = run(GroupPlan::from(seed));
    acknowledged += outcome.history.acknowledged.size();
    generations += outcome.generations;
    EXPECT_TRUE(outcome.problems.empty()) << "replay with: simulation_tests --group-seed=" << seed << '\n'
                                          << text_of(outcome.problems);
  }
  EXPECT_GT(acknowledged, seeds * 30);  // it did something
  EXPECT_GT(generations, static_cast<std::int32_t>(seeds));
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupShard, ::testing::Range(std::uint64_t{0}, kShards));

TEST(GroupSimulation, runs_the_same_seed_the_same_way_twice) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const GroupOutcome first = run(GroupPlan::from(seed));
    const GroupOutcome second = run(GroupPlan::from(seed));
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.history.events.size(), second.history.events.size());
  }
  EXPECT_NE(run(GroupPlan::from(1)).trace_hash, run(GroupPlan::from(2)).trace_hash);
}

}  // namespace
}  // namespace barnabas::simulation
