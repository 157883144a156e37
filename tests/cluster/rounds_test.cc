#include <fmt/core.h>

#include "tests/cluster/options.h"
#include "tests/cluster/real_cluster.h"
#include "tests/cluster/rounds.h"

// The client against three brokers of Apache Kafka, to which things happen as a seed says.
namespace barnabas::cluster {
namespace {

TEST_F(RealCluster, loses_doubles_and_reorders_nothing_whatever_happens_to_it) {
  const RoundOptions options = round_options();
  fmt::print("{} rounds of seed {}; again by --seed={} --rounds={}\n", options.rounds, options.seed, options.seed,
             options.rounds);
  std::fflush(stdout);
  Rounds rounds(*cluster_, options.seed);
  rounds.run(options.rounds);
  for (const std::string& problem : rounds.finish()) ADD_FAILURE() << problem;
}

}  // namespace
}  // namespace barnabas::cluster
