#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"
#include "tests/support/child_process.h"
#include "tests/support/group_impostor.h"

namespace barnabas {
namespace {

using namespace std::chrono_literals;

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

/// A member of "billing" whose partitions are given to others behind its back, as when it was stopped for longer than
/// its session lasts.
class ExampleThatIsAway : public ::testing::Test {
 protected:
  ExampleThatIsAway() { expect_success("01_produce", broker_, "1000 records sent, 0 failed"); }

  void start(const std::string& name, const std::string& argument) {
    program_ = std::make_unique<testing::ChildProcess>(std::vector<std::string>{
        std::string(BARNABAS_BINARY_DIR) + "/bin/example_" + name, broker_.bootstrap_servers(), argument});
  }
  /// The member that owns the topic's partitions, other than the given one; empty where none comes.
  std::string owner_other_than(const std::string& known) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto groups = admin_.describe_groups({"billing"});
      for (const GroupMember& member : groups.front().members) {
        if (member.member_id != known && !member.assignment.empty()) return member.member_id;
      }
      std::this_thread::sleep_for(10ms);
    }
    return {};
  }
  /// And is back as another member.
  void lose_partitions_and_come_back() {
    const std::string before = owner_other_than("");
    ASSERT_FALSE(before.empty()) << program_->output();
    ASSERT_TRUE(testing::remove_member(broker_.bootstrap_servers(), "billing", before));
    EXPECT_FALSE(owner_other_than(before).empty()) << program_->output();
  }

  EmbeddedBroker broker_;
  Admin admin_{Config{{"bootstrap.servers", broker_.bootstrap_servers()}}};
  std::unique_ptr<testing::ChildProcess> program_;
};

TEST_F(ExampleThatIsAway, of_a_listener_goes_on_when_its_partitions_are_lost) {
  start("08_group_consumer", "60");
  lose_partitions_and_come_back();
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 128 + SIGTERM) << program_->output();
}

TEST_F(ExampleThatIsAway, of_coroutines_goes_on_when_its_partitions_are_lost) {
  start("10_record_stream", "2500");  // the first thousand, perhaps twice: nothing of it may be committed yet
  lose_partitions_and_come_back();
  for (int i = 0; i < 2; ++i) expect_success("01_produce", broker_, "1000 records sent, 0 failed");
  EXPECT_EQ(program_->wait(), 0) << program_->output();
  EXPECT_NE(program_->output().find("partitions are read by others now"), std::string::npos) << program_->output();
}

TEST(Examples, a_record_without_a_key_is_processed_too) {
  EmbeddedBroker broker;
  Producer producer(Config{{"bootstrap.servers", broker.bootstrap_servers()}});
  producer.send_sync({.topic = "orders", .value = "cash"});
  producer.close();
  expect_success("09_parallel_consumer", broker, "charging order without a number\n1 records processed", "1");
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
