#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/cluster/kafka_cluster.h"

namespace barnabas::cluster {

/// All tests share one cluster; each leaves brokers 1 to 3 running.
class RealCluster : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ =
        std::make_unique<KafkaCluster>(BARNABAS_SOURCE_DIR "/tests/cluster/cluster.py", BARNABAS_BINARY_DIR "/cluster");
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  inline static std::unique_ptr<KafkaCluster> cluster_;
};

}  // namespace barnabas::cluster
