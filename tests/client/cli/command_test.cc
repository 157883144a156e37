#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "barnabas/embedded_broker.h"
#include "common/runtime/temporary_directory.h"
#include "tests/client/cli/command_fixture.h"
#include "tests/support/raw_socket.h"

namespace barnabas::cli {
namespace {

TEST_F(CommandTest, creates_lists_describes_and_deletes_topics) {
  EXPECT_EQ(expect_ok("topic create orders --partitions 3"), "orders created: 3 partitions\n");
  EXPECT_EQ(expect_ok("topic list"), "orders\n");
  const auto described = nlohmann::json::parse(expect_ok("topic describe orders --json"));
  EXPECT_EQ(described.at("partitions").size(), 3U);
  EXPECT_NE(expect_ok("topic describe orders").find("partition 2  leader"), std::string::npos);
  EXPECT_EQ(expect_ok("topic delete orders"), "orders deleted\n");
  EXPECT_EQ(expect_ok("topic list"), "");
}

TEST_F(CommandTest, failures_are_one_clear_line_and_a_code) {
  expect_ok("topic create orders");
  const Outcome again = barnabas("topic create orders");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_EQ(again.err, "barnabas: topic 'orders': Topic 'orders' already exists. (TOPIC_ALREADY_EXISTS)\n");
  for (const char* verb : {"topic describe nobody", "topic delete nobody", "consume --topic nobody",
                           "bench consume --topic nobody", "bench latency --topic nobody"}) {
    const Outcome unknown = barnabas(verb);
    EXPECT_EQ(unknown.exit_code, 1) << verb;
    EXPECT_NE(unknown.err.find("nobody"), std::string::npos) << unknown.err;
    EXPECT_EQ(std::count(unknown.err.begin(), unknown.err.end(), '\n'), 1) << unknown.err;
  }
}

TEST_F(CommandTest, a_partition_that_is_none_is_said_at_once) {
  expect_ok("topic create orders --partitions 2");
  const std::pair<const char*, const char*> cases[] = {{"consume --topic orders --partition 2", ""},
                                                       {"produce --topic orders --partition 2", "one\n"},
                                                       {"produce --topic orders --json", R"({"partition":2})"},
                                                       {"produce --topic orders --json", R"({"partition":-1})"}};
  for (const auto& [verb, input] : cases) {
    const Outcome outcome = barnabas(verb, input);
    EXPECT_EQ(outcome.exit_code, 2) << verb;
    EXPECT_NE(outcome.err.find("topic orders has 2 partitions"), std::string::npos) << outcome.err;
  }
}

TEST_F(CommandTest, fails_within_its_patience_without_a_broker_and_names_the_address) {
  const std::string address = "127.0.0.1:" + std::to_string(testing::free_port());
  for (const char* verb : {"cluster", "topic list", "topic create t", "consume --topic t", "bench consume --topic t"}) {
    const Outcome outcome =
        run(std::string(verb) + " --property default.api.timeout.ms=200 --bootstrap-server " + address);
    EXPECT_EQ(outcome.exit_code, 1) << verb << outcome.err;
    EXPECT_EQ(outcome.out, "");
    const auto last = outcome.err.find("barnabas: ");
    ASSERT_NE(last, std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(address, last), std::string::npos) << outcome.err;
  }
}

/// The other side of a terminal: what is written to path() can be read here.
class Terminal {
 public:
  Terminal() : descriptor_(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    EXPECT_EQ(grantpt(descriptor_), 0);
    EXPECT_EQ(unlockpt(descriptor_), 0);
    held_ = open(path().c_str(), O_RDWR | O_NOCTTY);  // or what was written is gone when the writer ends
  }
  ~Terminal() {
    close(held_);
    close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::string path() const { return ptsname(descriptor_); }
  /// All that is there.
  std::string text() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(descriptor_, buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    return text;
  }

 private:
  int descriptor_;
  int held_ = -1;
};

TEST_F(CommandTest, draws_progress_on_a_terminal_only) {
  expect_ok("topic create load");  // expect_ok: nothing on standard error, which is a file there
  const Terminal terminal;
  const std::string bench = std::string(BARNABAS_COMMAND) +
                            " bench produce --topic load --count 1000 --bootstrap-server " +
                            broker.bootstrap_servers() + " 2> " + terminal.path() + " > /dev/null";
  EXPECT_EQ(std::system(bench.c_str()), 0);
  const std::string text = terminal.text();
  EXPECT_NE(text.find("1000/1000 records"), std::string::npos) << text;
  EXPECT_NE(text.find("1000 acknowledged  0 failed"), std::string::npos) << text;
}

TEST_F(CommandTest, ends_when_nobody_reads_its_output_any_more) {
  expect_ok("topic create orders");
  expect_ok("produce --topic orders", "one\ntwo\n");
  const std::string consume =
      std::string(BARNABAS_COMMAND) + " consume --topic orders --bootstrap-server " + broker.bootstrap_servers();
  EXPECT_EQ(std::system(("timeout 60 sh -c '" + consume + " --follow | head -n 1 > /dev/null'").c_str()), 0);
  const int full = std::system((consume + " > /dev/full 2> /dev/null").c_str());
  EXPECT_EQ(WEXITSTATUS(full), 1);
}

TEST_F(CommandTest, a_wrong_command_line_is_code_2_and_says_what) {
  const std::pair<const char*, const char*> cases[] = {{"", "subcommand is required"},
                                                       {"fly", "subcommand"},
                                                       {"produce", "--topic"},
                                                       {"consume --topic t --from yesterday", "yesterday"},
                                                       {"consume --topic t --format %q", "%q"},
                                                       {"consume --topic t --count x", "--count"},
                                                       {"consume --topic t --count -1", "--count"},
                                                       {"bench produce --topic t --count -1", "--count"},
                                                       {"bench consume --topic t --count -1", "--count"},
                                                       {"cluster --property nonsense", "nonsense"}};
  for (const auto& [arguments, says] : cases) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments << ": " << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(run("--help").exit_code, 0);
  EXPECT_EQ(run("--version").out, "barnabas 0.1.0\n");
}

TEST_F(CommandTest, an_unknown_setting_is_refused_with_the_nearest_name) {
  const Outcome outcome = barnabas("produce --topic t --property linger.m=5", "x\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("linger.ms"), std::string::npos) << outcome.err;
}

TEST_F(CommandTest, consumes_in_a_group_from_where_it_committed) {
  expect_ok("topic create orders");
  expect_ok("produce --topic orders", "one\ntwo\n");
  EXPECT_EQ(expect_ok("consume --topic orders --group billing --count 1"), "one\n");
  EXPECT_EQ(expect_ok("consume --topic orders --group billing"), "two\n");
  EXPECT_EQ(expect_ok("consume --topic orders --group billing"), "");
  EXPECT_EQ(expect_ok("consume --topic orders --group other"), "one\ntwo\n");
  for (const auto& [verb, word] : {std::pair{"consume --topic orders --group billing --partition 0", "--partition"},
                                   std::pair{"consume --topic orders --group billing --from 17", "--from"}}) {
    const Outcome outcome = barnabas(verb);
    EXPECT_NE(outcome.exit_code, 0) << verb;
    EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome.err;
  }
}

TEST_F(CommandTest, produces_lines_and_consumes_them_in_any_form) {
  expect_ok("topic create orders --partitions 2");
  EXPECT_EQ(expect_ok("produce --topic orders --key-separator : --header source=test --partition 1 --compression zstd",
                      "a:one\nb:two\n"),
            "");
  EXPECT_EQ(expect_ok("consume --topic orders"), "one\ntwo\n");
  EXPECT_EQ(expect_ok("consume --topic orders --format '%t %p %o %k %s %h'"),
            "orders 1 0 a one source=test\norders 1 1 b two source=test\n");
  EXPECT_EQ(expect_ok("consume --topic orders --partition 0"), "");
  EXPECT_EQ(expect_ok("consume --topic orders --count 1"), "one\n");
  EXPECT_EQ(expect_ok("consume --topic orders --partition 1 --from 1"), "two\n");
  EXPECT_EQ(expect_ok("consume --topic orders --from end"), "");
  const auto record = nlohmann::json::parse(expect_ok("consume --topic orders --count 1 --json"));
  EXPECT_EQ(record.at("key"), "a");
  EXPECT_EQ(record.at("headers").at(0).at("value"), "test");
}

TEST_F(CommandTest, what_consume_writes_as_json_produce_reads) {
  expect_ok("topic create from");
  expect_ok("topic create to");
  const std::string lines = R"({"key":"k","value":"v","headers":{"h":"1"},"timestamp":1700000000000})"
                            "\n"
                            R"({"key":null,"value_base64":"/wD+","partition":0})"
                            "\n";
  expect_ok("produce --topic from --json", lines);
  const std::string first = expect_ok("consume --topic from --json");
  expect_ok("produce --topic to --json", first);
  std::string second = expect_ok("consume --topic to --json");
  for (auto at = second.find("\"to\""); at != std::string::npos; at = second.find("\"to\""))
    second.replace(at, 4, "\"from\"");
  EXPECT_EQ(first, second);
  EXPECT_EQ(expect_ok("consume --topic from --from 2023-11-14T22:13:20Z --count 1 --format %k"), "k\n");
}

TEST_F(CommandTest, produce_names_the_line_that_is_wrong) {
  expect_ok("topic create orders");
  const Outcome no_key = barnabas("produce --topic orders --key-separator :", "a:b\nnothing\n");
  EXPECT_EQ(no_key.exit_code, 2);
  EXPECT_NE(no_key.err.find("line 2"), std::string::npos) << no_key.err;
  EXPECT_EQ(expect_ok("consume --topic orders"), "b\n") << "what stood before that line is stored";
  const Outcome too_large = barnabas("produce --topic orders", "c\n" + std::string(2'000'000, 'x') + "\n");
  EXPECT_EQ(too_large.exit_code, 1);
  EXPECT_NE(too_large.err.find("line 2"), std::string::npos) << too_large.err;
  const Outcome no_json = barnabas("produce --topic orders --json", "{}\n{oops\n");
  EXPECT_EQ(no_json.exit_code, 2);
  EXPECT_NE(no_json.err.find("line 2"), std::string::npos) << no_json.err;
}

TEST_F(CommandTest, reads_a_file_with_or_without_a_last_line_end) {
  expect_ok("topic create orders");
  const std::string file = directory.path() + "/records";
  std::ofstream(file) << "one\r\n\nthree";
  expect_ok("produce --topic orders " + file);
  EXPECT_EQ(expect_ok("consume --topic orders --format '[%s]'"), "[one]\n[]\n[three]\n");
  const Outcome missing = barnabas("produce --topic orders /does/not/exist");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("/does/not/exist"), std::string::npos);
}

TEST_F(CommandTest, follow_waits_for_as_many_records_as_asked) {
  expect_ok("topic create orders");
  const std::string out = directory.path() + "/followed";
  const std::string command = std::string(BARNABAS_COMMAND) +
                              " consume --topic orders --follow --count 2 --bootstrap-server " +
                              broker.bootstrap_servers() + " > " + out;
  FILE* follower = popen(command.c_str(), "r");
  ASSERT_NE(follower, nullptr);
  expect_ok("produce --topic orders", "one\ntwo\n");
  EXPECT_EQ(pclose(follower), 0);
  std::stringstream text;
  text << std::ifstream(out).rdbuf();
  EXPECT_EQ(text.str(), "one\ntwo\n");
}

TEST_F(CommandTest, shows_the_cluster_and_its_versions) {
  const auto cluster = nlohmann::json::parse(expect_ok("cluster --json"));
  EXPECT_EQ(cluster.at("brokers").size(), 1U);
  EXPECT_EQ(cluster.at("brokers").at(0).at("port"), broker.port());
  EXPECT_NE(expect_ok("cluster").find("broker"), std::string::npos);
  EXPECT_NE(expect_ok("api-versions").find("Fetch"), std::string::npos);
  const std::string versions = expect_ok("api-versions --json");
  EXPECT_EQ(nlohmann::json::parse(versions.substr(0, versions.find('\n'))).at("name"), "Produce");
}

TEST_F(CommandTest, bench_prints_one_object_with_all_that_was_measured) {
  expect_ok("topic create load --partitions 3");
  for (const char* verb : {"bench produce --topic load --count 1000 --size 50 --json",
                           "bench produce --topic load --count 1000 --size 50 --batch 300 --round-robin --json",
                           "bench consume --topic load --count 2000 --json"}) {
    const auto result = nlohmann::json::parse(expect_ok(verb));
    const int records = std::string_view(verb).find("2000") == std::string_view::npos ? 1000 : 2000;
    EXPECT_EQ(result.at("records"), records) << verb;
    EXPECT_EQ(result.at("bytes"), records * 50) << verb;
    EXPECT_GT(result.at("seconds").get<double>(), 0) << verb;
    EXPECT_GT(result.at("cpu_seconds").get<double>(), 0) << verb;
    EXPECT_GT(result.at("max_rss_bytes").get<double>(), 1e6) << verb;
    EXPECT_GT(result.at("latency_ms").at("p99").get<double>(), 0) << verb;
  }
  expect_ok("bench consume --topic load --count 10 --size 50 --acks 1 --compression zstd --json");
  const std::string line = expect_ok("bench consume --topic load");
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
}

TEST_F(CommandTest, bench_shares_the_records_among_its_clients) {
  expect_ok("topic create shared --partitions 8");
  expect_ok("bench produce --topic shared --count 1604 --clients 5 --round-robin --json");
  const auto read = nlohmann::json::parse(expect_ok("bench consume --topic shared --clients 3 --json"));
  EXPECT_EQ(read.at("records"), 1604);
  const auto counted = nlohmann::json::parse(expect_ok("bench consume --topic shared --clients 8 --count 800 --json"));
  EXPECT_GE(counted.at("records"), 800);
  const auto twice = nlohmann::json::parse(expect_ok("bench consume --topic shared --clients 16 --json"));
  EXPECT_EQ(twice.at("records"), 2 * 1604);
  EXPECT_EQ(barnabas("bench consume --topic shared --clients 0").exit_code, 2);
  EXPECT_EQ(barnabas("bench produce --topic shared --clients 0").exit_code, 2);
}

TEST_F(CommandTest, bench_latency_reads_back_every_record_it_sent_at_its_rate) {
  expect_ok("topic create steady --partitions 2");
  const auto result = nlohmann::json::parse(expect_ok("bench latency --topic steady --rate 500 --seconds 2 --json"));
  EXPECT_EQ(result.at("records"), 1000);
  EXPECT_GE(result.at("seconds").get<double>(), 1.9);
  EXPECT_GT(result.at("latency_ms").at("p50").get<double>(), 0);
  EXPECT_GE(result.at("latency_ms").at("p999"), result.at("latency_ms").at("p50"));
}

}  // namespace
}  // namespace barnabas::cli
