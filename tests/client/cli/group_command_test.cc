#include <chrono>
#include <nlohmann/json.hpp>

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
    const Config config{{"bootstrap.servers", broker.bootstrap_servers()}};
    Producer producer{config};
    for (int i = 0; i < 20; ++i) producer.send({.topic = "orders", .partition = i % 2, .value = "x"});
    producer.flush();
    Consumer consumer{
        {{"bootstrap.servers", broker.bootstrap_servers()}, {"group.id", group}, {"auto.offset.reset", "earliest"}}};
    consumer.subscribe({"orders"});
    for (std::size_t seen = 0; seen < 20;) seen += consumer.poll(30s).size();
    consumer.close();
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
      {"group list --state asleep", "asleep"}};
  for (const auto& [verb, named] : cases) {
    const Outcome outcome = barnabas(verb);
    EXPECT_EQ(outcome.exit_code, 2) << verb;
    EXPECT_NE(outcome.err.find(named), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace barnabas::cli
