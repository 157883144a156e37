#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/client/nonsense/group_life.h"

// A coordinator that answers nonsense: members and an Admin live through it by the seed, a thousand and more times.
// With BARNABAS_NONSENSE_SEEDS, so many for each test, from BARNABAS_NONSENSE_FIRST on; with BARNABAS_NONSENSE_SEED,
// that one.
namespace barnabas::nonsense {
namespace {

constexpr int kTests = 20;
constexpr int kSeeds = 25;

int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

class Nonsense : public ::testing::TestWithParam<int> {};

TEST_P(Nonsense, from_the_coordinator_neither_crashes_nor_stops_a_member_and_its_errors_say_what_came) {
  const int only = number_of("BARNABAS_NONSENSE_SEED", -1);
  const int seeds = number_of("BARNABAS_NONSENSE_SEEDS", kSeeds);
  const int first = GetParam() * 1'000'000 + number_of("BARNABAS_NONSENSE_FIRST", 0);
  int lies = 0;
  int failures = 0;
  for (int i = 0; i < seeds; ++i) {
    const int seed = only >= 0 ? only : first + i;
    SCOPED_TRACE("BARNABAS_NONSENSE_SEED=" + std::to_string(seed));
    World world(static_cast<std::uint64_t>(seed));
    ASSERT_TRUE(world.problems().empty()) << world.problems().front();
    GroupLife life(world, static_cast<std::uint64_t>(seed));
    life.run();
    for (const std::string& problem : life.problems()) ADD_FAILURE() << problem << "\nlied about:" << life.lies();
    lies += life.lies_told();
    failures += life.failed_calls();
    if (only >= 0) return;
  }
  EXPECT_GT(lies, seeds * 3) << "too few to show anything";
  EXPECT_GT(failures, seeds / 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Nonsense, ::testing::Range(0, kTests));

}  // namespace
}  // namespace barnabas::nonsense
