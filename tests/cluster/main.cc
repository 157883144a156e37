#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "tests/cluster/kafka_cluster.h"
#include "tests/cluster/options.h"

// cluster_tests [--seed=N] [--rounds=K]   all tests; so many random rounds, drawn from this seed

namespace barnabas::cluster {

RoundOptions& round_options() {
  static RoundOptions options;
  return options;
}

}  // namespace barnabas::cluster

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  ::testing::InitGoogleTest(&argc, argv);
  auto& options = barnabas::cluster::round_options();
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.rfind("--seed=", 0) == 0) options.seed = std::strtoull(argv[i] + 7, nullptr, 10);
    if (argument.rfind("--rounds=", 0) == 0) options.rounds = std::atoi(argv[i] + 9);
  }
  const bool lists = ::testing::GTEST_FLAG(list_tests);
  const char* required = std::getenv("BARNABAS_REQUIRE_PEERS");
  if (!lists && !barnabas::cluster::KafkaCluster::is_installed()) {
    fmt::print("Apache Kafka is not there: tests/interop/setup.sh\n");
    return required != nullptr && std::string_view(required) == "1" ? 1 : kSkipped;
  }
  return RUN_ALL_TESTS();
}
