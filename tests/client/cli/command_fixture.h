#pragma once

#include <gtest/gtest.h>

#include <string>

#include "barnabas/embedded_broker.h"
#include "common/runtime/temporary_directory.h"

namespace barnabas::cli {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// The real program, as a shell starts it, against a real broker.
class CommandTest : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments, const std::string& input = "") const;
  /// With this test's broker.
  Outcome barnabas(const std::string& verb, const std::string& input = "") const {
    return run(verb + " --bootstrap-server " + broker.bootstrap_servers(), input);
  }
  std::string expect_ok(const std::string& verb, const std::string& input = "") const {
    const Outcome outcome = barnabas(verb, input);
    EXPECT_EQ(outcome.exit_code, 0) << verb << ": " << outcome.err;
    EXPECT_EQ(outcome.err, "") << verb;
    return outcome.out;
  }

  runtime::TemporaryDirectory directory;
  EmbeddedBroker broker;
};

}  // namespace barnabas::cli
