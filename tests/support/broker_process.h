#pragma once

#include <gtest/gtest.h>

#include <string>

#include "common/runtime/temporary_directory.h"
#include "tests/support/child_process.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {

/// The broker in a process of its own, on an empty directory and a free port: what it allocates does not count here.
class BrokerProcess {
 public:
  BrokerProcess()
      : process_({std::string(BARNABAS_BINARY_DIR) + "/bin/barnabas-broker", "--data-dir", directory_.path() + "/data",
                  "--override", "listeners=PLAINTEXT://" + address_}) {
    EXPECT_TRUE(process_.wait_for_output(address_)) << process_.output();
  }
  const std::string& address() const { return address_; }
  void signal(int number) { process_.signal(number); }

 private:
  runtime::TemporaryDirectory directory_;
  std::string address_ = "127.0.0.1:" + std::to_string(free_port());
  ChildProcess process_;
};

}  // namespace barnabas::testing
