#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "barnabas/embedded_broker.h"

namespace barnabas {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;  ///< Standard output and error.
};

/// Runs one of the example programs as a reader would.
Outcome run_example(const std::string& name, const EmbeddedBroker& broker, const std::string& arguments) {
  const std::string command = std::string(BARNABAS_BINARY_DIR) + "/bin/example_" + name + " " +
                              broker.bootstrap_servers() + " " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

void expect_success(const std::string& name, const EmbeddedBroker& broker, const std::string& says,
                    const std::string& arguments = "") {
  const Outcome outcome = run_example(name, broker, arguments);
  EXPECT_EQ(outcome.exit_code, 0) << name << ": " << outcome.output;
  EXPECT_NE(outcome.output.find(says), std::string::npos) << name << ": " << outcome.output;
}

TEST(Examples, produce_consume_and_seek_work_on_one_topic) {
  EmbeddedBroker broker;
  expect_success("01_produce", broker, "1000 records sent, 0 failed");
  expect_success("04_consume", broker, "1000 records read");
  expect_success("05_seek_by_time", broker, "1000 records in the last 3600 seconds");
}

TEST(Examples, a_member_of_a_group_reads_what_was_produced) {
  EmbeddedBroker broker;
  expect_success("01_produce", broker, "1000 records sent, 0 failed");
  expect_success("08_group_consumer", broker, "1000 records read", "2");
}

TEST(Examples, a_member_processes_what_was_produced_on_many_threads) {
  EmbeddedBroker broker;
  expect_success("01_produce", broker, "1000 records sent, 0 failed");
  expect_success("09_parallel_consumer", broker, "1000 records processed", "1000");
}

TEST(Examples, a_member_reads_what_was_produced_in_a_coroutine) {
  EmbeddedBroker broker;
  expect_success("01_produce", broker, "1000 records sent, 0 failed");
  expect_success("10_record_stream", broker, "1000 records read", "1000");
}

TEST(Examples, produce_sync_says_where_the_record_is) {
  EmbeddedBroker broker;
  expect_success("02_produce_sync", broker, "stored in payments-0 at offset 0");
}

TEST(Examples, produce_from_a_coroutine) {
  EmbeddedBroker broker;
  expect_success("03_produce_coroutine", broker, "order 9 is at offset 9");
}

TEST(Examples, custom_partitioner_gives_the_large_customer_a_partition) {
  EmbeddedBroker broker;
  expect_success("06_custom_partitioner", broker, "acme is in partition 0");
}

TEST(Examples, say_in_a_line_when_there_is_no_broker) {
  EmbeddedBroker broker;
  broker.stop();
  const std::string command = std::string(BARNABAS_BINARY_DIR) + "/bin/example_02_produce_sync not-a-server 2>&1";
  EXPECT_NE(std::system((command + " > /dev/null").c_str()), 0);
}

}  // namespace
}  // namespace barnabas
