#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/runtime/temporary_directory.h"
#include "tests/support/child_process.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {

/// The real broker program on one port and one data directory, for as many lives as a test wants.
class MortalBroker {
 public:
  /// `overrides`: settings, name=value.
  explicit MortalBroker(std::vector<std::string> overrides = {}) : overrides_(std::move(overrides)) { start(); }

  void start() {
    const std::string port = std::to_string(port_);
    std::vector<std::string> command{std::string(BARNABAS_BINARY_DIR) + "/bin/barnabas-broker", "--data-dir",
                                     directory_.path() + "/data", "--override",
                                     "listeners=PLAINTEXT://127.0.0.1:" + port};
    for (const std::string& setting : overrides_) command.insert(command.end(), {"--override", setting});
    process_ = std::make_unique<ChildProcess>(std::move(command));
    ASSERT_TRUE(process_->wait_for_output("127.0.0.1:" + port)) << process_->output();
  }
  void kill() {
    process_->signal(SIGKILL);
    EXPECT_EQ(process_->wait(), 128 + SIGKILL);
  }
  std::uint16_t port() const { return port_; }
  std::string bootstrap_servers() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const std::vector<std::string> overrides_;
  runtime::TemporaryDirectory directory_;
  std::uint16_t port_ = free_port();
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace barnabas::testing
