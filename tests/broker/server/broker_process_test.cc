#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>

#include "common/runtime/temporary_directory.h"
#include "tests/broker/server/test_broker.h"
#include "tests/support/child_process.h"

namespace barnabas::testing {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> command(const std::string& data_directory, std::uint16_t port,
                                 std::vector<std::string> more = {}) {
  std::vector<std::string> words{BARNABAS_BROKER, "--port", std::to_string(port), "--data-dir", data_directory};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Runs the broker, which must not start: exit code 1 and one line that holds `expected`.
void expect_refusal(const std::vector<std::string>& words, const std::string& expected) {
  ChildProcess broker(words);
  EXPECT_EQ(broker.wait(), 1);
  EXPECT_EQ(line_count(broker.output()), 1U) << broker.output();
  EXPECT_NE(broker.output().find(expected), std::string::npos) << broker.output();
}

TEST(BrokerProcess, prints_two_lines_when_ready_and_stops_cleanly_on_a_signal) {
  for (const int number : {SIGINT, SIGTERM}) {
    const runtime::TemporaryDirectory directory;
    const std::uint16_t port = free_port();
    ChildProcess broker(command(directory.path("data"), port));
    ASSERT_TRUE(broker.wait_for_output("listening on PLAINTEXT://localhost:" + std::to_string(port)))
        << broker.output();
    EXPECT_EQ(line_count(broker.output()), 2U) << broker.output();
    EXPECT_NE(broker.output().find(directory.path("data")), std::string::npos);
    const auto begin = std::chrono::steady_clock::now();
    broker.signal(number);
    EXPECT_EQ(broker.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
    EXPECT_TRUE(std::ifstream(directory.path("data/.kafka_cleanshutdown")).good());
  }
}

TEST(BrokerProcess, says_what_keeps_it_from_starting) {
  const runtime::TemporaryDirectory directory;
  const std::uint16_t port = free_port();
  ChildProcess first(command(directory.path("data"), port));
  ASSERT_TRUE(first.wait_for_output("listening on"));
  expect_refusal(command(directory.path("other"), port), "port " + std::to_string(port) + " is in use");
  expect_refusal(command(directory.path("data"), free_port()),
                 "data directory " + directory.path("data") + " is in use");
  expect_refusal(command("/proc/nowhere", free_port()), "/proc/nowhere");
  const auto with = [&](const std::string& setting) {
    return command(directory.path("more"), free_port(), {"--override", setting});
  };
  expect_refusal(with("nmu.partitions=3"), "unknown broker setting 'nmu.partitions', did you mean 'num.partitions'?");
  expect_refusal(with("num.partitions=three"), "num.partitions=three");
  expect_refusal(with("no equals sign"), "no equals sign");
  expect_refusal(with("sasl.enabled.mechanisms=PLAIN"), "sasl.enabled.mechanisms");
  expect_refusal({BARNABAS_BROKER, "--config", directory.path("absent.properties")}, "absent.properties");
  expect_refusal({BARNABAS_BROKER, "--prot", "9092"}, "--prot");
  expect_refusal({BARNABAS_BROKER, "--port", "99999"}, "99999");
  std::ofstream(directory.path("typo.properties")) << "num.partitions=3\nlog.retention.hous=1\n";
  expect_refusal({BARNABAS_BROKER, "--config", directory.path("typo.properties")},
                 "did you mean 'log.retention.hours'?");
}

TEST(BrokerProcess, refuses_a_directory_of_another_node_or_a_newer_version) {
  const runtime::TemporaryDirectory directory;
  const auto with_properties = [&](const std::string& name, const std::string& text) {
    runtime::Files& files = runtime::system_env().files();
    EXPECT_TRUE(files.make_directories(directory.path(name)));
    std::ofstream(directory.path(name) + "/meta.properties") << text;
    return command(directory.path(name), free_port());
  };
  const std::string rest = "cluster.id=abcdefghijklmnopqrstuv\ndirectory.id=zlwfrLIbRuCDcqoBaur3FQ\n";
  expect_refusal(with_properties("node", "version=1\nnode.id=5\n" + rest), "belongs to node 5");
  expect_refusal(with_properties("newer", "version=2\nnode.id=1\n" + rest), "version");
  ASSERT_TRUE(runtime::system_env().files().make_directories(directory.path("whose/__cluster_metadata-0")));
  expect_refusal(command(directory.path("whose"), free_port()), "holds a metadata log and no meta.properties");
}

TEST(BrokerProcess, reads_server_properties_and_lets_overrides_go_before_them) {
  const runtime::TemporaryDirectory directory;
  std::ofstream(directory.path("server.properties"))
      << "num.partitions=3\nlisteners=PLAINTEXT://127.0.0.1:1\nlog.dirs=" << directory.path("data")
      << "\noffsets.topic.replication.factor=1\n";
  const std::uint16_t port = free_port();
  ChildProcess broker({BARNABAS_BROKER, "--config", directory.path("server.properties"), "--override",
                       "listeners=PLAINTEXT://127.0.0.1:" + std::to_string(port)});
  ASSERT_TRUE(broker.wait_for_output("listening on PLAINTEXT://127.0.0.1:" + std::to_string(port))) << broker.output();
}

TEST(BrokerProcess, keeps_what_it_acknowledged_over_a_kill) {
  const runtime::TemporaryDirectory directory;
  const std::uint16_t port = free_port();
  for (std::int64_t round = 0; round < 3; ++round) {
    ChildProcess broker(command(directory.path("data"), port));
    ASSERT_TRUE(broker.wait_for_output("listening on")) << broker.output();
    RawSocket socket(port);
    if (round == 0) create_topic(socket, "kept");
    EXPECT_EQ(produce(socket, "kept", batch_of({"a", "b"})).base_offset, 2 * round);
    broker.signal(SIGKILL);
    broker.wait();
  }
}

}  // namespace
}  // namespace barnabas::testing
