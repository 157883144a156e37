#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "barnabas/barnabas.h"
#include "tests/client/cli/command_fixture.h"

namespace barnabas::cli {
namespace {

using namespace std::chrono_literals;

class GroupCommandTest : public CommandTest {
 protected:
  /// Ten records in each of two partitions, all read and committed by a group that has left.
  void leave_a_group(const std::string& group) const {
    expect_ok("topic create orders --partitions 2");
    for (int i = 0; i < 2; ++i) produce({"orders", i}, 10);
    Consumer consumer{
        {{"bootstrap.servers", broker.bootstrap_servers()}, {"group.id", group}, {"auto.offset.reset", "earliest"}}};
    consumer.subscribe({"orders"});
    for (std::size_t seen = 0; seen < 20;) seen += consumer.poll(30s).size();
    consumer.close();
  }
  void produce(const TopicPartition& where, int count) const {
    Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
    for (int i = 0; i < count; ++i) producer.send({.topic = where.topic, .partition = where.partition, .value = "x"});
    producer.flush();
  }
  nlohmann::json describe(const std::string& group) const {
    return nlohmann::json::parse(expect_ok("group describe --json " + group));
  }
};

TEST_F(GroupCommandTest, lists_and_describes_what_a_group_has_read) {
  leave_a_group("billing");
  EXPECT_EQ(expect_ok("group list"),
            "GROUP    STATE  PROTOCOL  TYPE\n"
            "billing  Empty  consumer  classic\n");
  EXPECT_EQ(expect_ok("group list --state stable"), "GROUP  STATE  PROTOCOL  TYPE\n");
  EXPECT_EQ(expect_ok("group describe billing"),
            "group billing  state Empty  coordinator 1  0 members\n"
            "TOPIC   PARTITION  COMMITTED  END  LAG  OWNER\n"
            "orders          0         10   10    0  -\n"
            "orders          1         10   10    0  -\n"
            "total lag 0\n");
  const Outcome unknown = barnabas("group describe nobody");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_NE(unknown.err.find("nobody"), std::string::npos) << unknown.err;
}

TEST_F(GroupCommandTest, describes_who_is_there_and_whose_a_partition_is) {
  leave_a_group("billing");
  produce({"orders", 1}, 3);
  expect_ok("topic create payments --partitions 2");
  produce({"payments", 0}, 2);
  Consumer consumer{{{"bootstrap.servers", broker.bootstrap_servers()},
                     {"group.id", "billing"},
                     {"group.instance.id", "desk-1"},
                     {"client.id", "reader"},
                     {"enable.auto.commit", "false"}}};
  consumer.subscribe({"payments"});
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (consumer.assignment().empty() && std::chrono::steady_clock::now() < deadline) consumer.poll(100ms);
  consumer.commit_sync({{{"payments", 0}, {.offset = 1}}});
  const std::string id = consumer.group_metadata().member_id;
  const std::string fill(id.size() - 6, ' ');
  EXPECT_EQ(expect_ok("group describe billing"),
            "group billing  state Stable  assignor range  coordinator 1  1 members\n"
            "MEMBER" +
                fill + "  INSTANCE  CLIENT  HOST        PARTITIONS\n" + id +
                "  desk-1    reader  /127.0.0.1           2\n"
                "TOPIC     PARTITION  COMMITTED  END  LAG  OWNER\n"
                "orders            0         10   10    0  -\n"
                "orders            1         10   13    3  -\n"
                "payments          0          1    2    1  " +
                id +
                "\n"
                "payments          1          -    0    -  " +
                id +
                "\n"
                "total lag 4\n");
}

/// `group describe --watch` of a group, and what it writes while it goes on.
class Watch {
 public:
  Watch(const std::string& group, const std::string& bootstrap, const std::string& interval_s)
      : pipe_(popen(("timeout 60 " + std::string(BARNABAS_COMMAND) + " group describe " + group +
                     " --watch --interval " + interval_s + " --bootstrap-server " + bootstrap)
                        .c_str(),
                    "r")) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop_reading(); }

  /// Reads on behind this line; false when the program ended before.
  bool wait_for(const std::string& line) {
    std::array<char, 4096> buffer{};
    while (pipe_ != nullptr && std::fgets(buffer.data(), buffer.size(), pipe_) != nullptr) {
      if (line + '\n' == buffer.data()) return true;
    }
    return false;
  }
  /// Closes the pipe and waits for the program's end. Whether it came by itself, and not of its patience.
  bool stop_reading() {
    constexpr int kOutOfPatience = 124;  // timeout's exit code
    const int status = pipe_ == nullptr ? 0 : pclose(std::exchange(pipe_, nullptr));
    return !WIFEXITED(status) || WEXITSTATUS(status) != kOutOfPatience;
  }

 private:
  FILE* pipe_;
};

TEST_F(GroupCommandTest, watches_a_group_until_nobody_reads) {
  leave_a_group("billing");
  Watch watch("billing", broker.bootstrap_servers(), "0.1");
  EXPECT_TRUE(watch.wait_for("group billing  state Empty  coordinator 1  0 members"));
  EXPECT_TRUE(watch.wait_for("orders          1         10   10    0  -"));
  EXPECT_TRUE(watch.wait_for("total lag 0"));
  produce({"orders", 1}, 3);
  EXPECT_TRUE(watch.wait_for("orders          1         10   13    3  -"));
  EXPECT_TRUE(watch.wait_for("total lag 3"));
  EXPECT_TRUE(watch.stop_reading());
}

TEST_F(GroupCommandTest, watches_as_often_as_it_is_told_to) {
  leave_a_group("billing");
  const auto began = std::chrono::steady_clock::now();
  Watch often("billing", broker.bootstrap_servers(), "0.1");
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(often.wait_for("total lag 0"));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 11 * 100ms);
  EXPECT_LT(took, 11 * 2s);  // the default interval
}

TEST_F(GroupCommandTest, shows_a_plan_and_moves_the_group_only_when_told_to) {
  leave_a_group("billing");
  const Outcome planned = barnabas("group reset-offsets billing --topic orders:1 --shift-by -4");
  EXPECT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_EQ(planned.out,
            "TOPIC   PARTITION  COMMITTED  NEW\n"
            "orders          1         10    6\n");
  EXPECT_NE(planned.err.find("--execute"), std::string::npos);
  EXPECT_EQ(describe("billing").at("partitions").at(1).at("committed"), 10);
  expect_ok("group reset-offsets billing --topic orders:1 --shift-by -4 --execute");
  EXPECT_EQ(describe("billing").at("partitions").at(0).at("committed"), 10);
  EXPECT_EQ(describe("billing").at("partitions").at(1).at("lag"), 4);
  expect_ok("group reset-offsets billing --all-topics --to-datetime 2000-01-01 --execute");
  EXPECT_EQ(describe("billing").at("partitions").at(0).at("committed"), 0);
}

TEST_F(GroupCommandTest, deletes_offsets_and_groups) {
  leave_a_group("billing");
  EXPECT_EQ(expect_ok("group delete-offsets billing --topic orders:0"), "orders-0 deleted\n");
  EXPECT_EQ(describe("billing").at("partitions").size(), 1u);
  EXPECT_EQ(expect_ok("group delete billing"), "billing deleted\n");
  const Outcome again = barnabas("group delete billing");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("GROUP_ID_NOT_FOUND"), std::string::npos) << again.err;
}

TEST_F(GroupCommandTest, says_what_is_wrong_with_its_options) {
  const std::pair<const char*, const char*> cases[] = {
      {"group reset-offsets g --topic t", "--to-earliest"},
      {"group reset-offsets g --topic t --to-latest --to-earliest", "--to-latest"},
      {"group reset-offsets g --to-latest", "--topic"},
      {"group reset-offsets g --topic t:x --to-latest", "'t:x'"},
      {"group reset-offsets g --topic t --to-datetime soon", "soon"},
      {"group reset-offsets g --topic t --by-duration long", "long"},
      {"group list --state asleep", "asleep"},
      {"group describe g --watch --interval 0", "--interval"}};
  for (const auto& [verb, named] : cases) {
    const Outcome outcome = barnabas(verb);
    EXPECT_EQ(outcome.exit_code, 2) << verb;
    EXPECT_NE(outcome.err.find(named), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace barnabas::cli
