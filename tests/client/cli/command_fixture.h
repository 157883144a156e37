#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
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
  Outcome run(const std::string& arguments, const std::string& input = "") const {
    const std::string in = directory.path() + "/in";
    const std::string err = directory.path() + "/err";
    std::ofstream(in) << input;
    const std::string command = std::string(BARNABAS_COMMAND) + " " + arguments + " < " + in + " 2> " + err;
    Outcome outcome;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return outcome;
    std::array<char, 4096> buffer{};
    for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      outcome.out.append(buffer.data(), got);
    const int status = pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::stringstream text;
    text << std::ifstream(err).rdbuf();
    outcome.err = text.str();
    return outcome;
  }
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
