#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/embedded_broker.h"
#include "tests/support/thrown.h"

// What a group's coordinator refuses reaches the application as a typed error that can be read.
namespace barnabas {
namespace {

using namespace std::chrono_literals;

class Refusals : public ::testing::Test {
 protected:
  Refusals() { EXPECT_FALSE(admin_.create_topics({NewTopic{.name = "t", .partitions = 2}}).front().error); }

  Config config(const Config& more = {}) const {
    Config config{{"bootstrap.servers", broker_.bootstrap_servers()},
                  {"group.id", "billing"},
                  {"auto.offset.reset", "earliest"},
                  {"heartbeat.interval.ms", "100"},
                  {"session.timeout.ms", "6000"},
                  {"fetch.max.wait.ms", "20"}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    return config;
  }

  /// What the first poll that fails says.
  static Thrown poll_until_refused(Consumer& consumer) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      const Thrown refused = thrown_by([&] { consumer.poll(50ms); });
      if (refused.code) return refused;
    }
    return {};
  }
  static bool join(Consumer& consumer) {
    consumer.subscribe({"t"});
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (consumer.assignment().size() != 2 && std::chrono::steady_clock::now() < deadline) consumer.poll(20ms);
    return consumer.assignment().size() == 2;
  }

  EmbeddedBroker broker_{{.config = {{"group.max.session.timeout.ms", "30000"}, {"group.max.size", "1"}}}};
  Admin admin_{Config{{"bootstrap.servers", broker_.bootstrap_servers()}}};
};

TEST_F(Refusals, of_a_session_timeout_that_the_broker_does_not_allow) {
  Consumer consumer(config({{"session.timeout.ms", "31000"}}));
  consumer.subscribe({"t"});
  const Thrown refused = poll_until_refused(consumer);
  EXPECT_EQ(refused.code, kafka_error(26)) << refused.text;
  EXPECT_TRUE(refused.says("INVALID_SESSION_TIMEOUT") && refused.says("group 'billing'")) << refused.text;
}

TEST_F(Refusals, of_a_member_too_many) {
  Consumer first(config());
  ASSERT_TRUE(join(first));
  Consumer second(config());
  second.subscribe({"t"});
  const Thrown refused = poll_until_refused(second);
  EXPECT_EQ(refused.code, kafka_error(81)) << refused.text;
  EXPECT_TRUE(refused.says("GROUP_MAX_SIZE_REACHED") && refused.says("group 'billing'")) << refused.text;
}

TEST_F(Refusals, of_an_empty_group_id_and_of_one_that_no_request_can_carry) {
  for (const std::string& id : {std::string(), std::string(40'000, 'g')}) {
    const Thrown refused = thrown_by([&] { Consumer(config({{"group.id", id}})); });
    EXPECT_EQ(refused.code, Errc::invalid_config) << id.size();
    EXPECT_TRUE(refused.says("group.id")) << refused.text;
    EXPECT_LT(refused.text.size(), 400U) << "it does not repeat it whole";
  }
  const Thrown refused = thrown_by([&] { Consumer(config({{"group.instance.id", std::string(40'000, 'i')}})); });
  EXPECT_EQ(refused.code, Errc::invalid_config) << refused.text;
  Consumer longest(config({{"group.id", std::string(32'000, 'g')}}));
  EXPECT_TRUE(join(longest)) << longest.explain().substr(0, 200);
  longest.commit_sync({{{"t", 0}, {1, -1, ""}}});
}

TEST_F(Refusals, of_metadata_that_are_too_long) {
  Consumer consumer(config());
  const Offsets offsets{{{"t", 0}, {1, -1, std::string(4097, 'x')}}};
  const Thrown refused = thrown_by([&] { consumer.commit_sync(offsets); });
  EXPECT_EQ(refused.code, kafka_error(12)) << refused.text;
  EXPECT_TRUE(refused.says("OFFSET_METADATA_TOO_LARGE") && refused.says("t-0") && refused.says("billing"))
      << refused.text;
  const Thrown absurd = thrown_by([&] { consumer.commit_sync({{{"t", 0}, {1, -1, std::string(40'000, 'x')}}}); });
  EXPECT_TRUE(absurd.code) << "more than a request can carry";
  EXPECT_LT(absurd.text.size(), 1000U) << absurd.text.size();
  EXPECT_TRUE(consumer.committed({{"t", 0}}).at({"t", 0}) == std::nullopt);
}

TEST_F(Refusals, of_commits_for_a_topic_that_is_not_there) {
  Consumer consumer(config());
  const Offsets offsets{{{"t", 0}, {1, -1, ""}}, {{"no-such-topic", 0}, {1, -1, ""}}};
  const Thrown refused = thrown_by([&] { consumer.commit_sync(offsets, 2500ms); });
  EXPECT_EQ(refused.code, Errc::timed_out) << refused.text;  // as with Kafka it may yet come
  EXPECT_TRUE(refused.says("UNKNOWN_TOPIC_OR_PARTITION") && refused.says("no-such-topic-0")) << refused.text;
  EXPECT_TRUE(consumer.committed({{"t", 0}}).at({"t", 0})) << "the other one is committed";
  CommitResult result;
  bool told = false;
  consumer.commit_async(offsets, [&](const CommitResult& what) {
    result = what;
    told = true;
  });
  for (int i = 0; i < 200 && !told; ++i) consumer.poll(20ms);
  EXPECT_EQ(result.error, kafka_error(3)) << result.context;
  EXPECT_NE(result.context.find("no-such-topic-0"), std::string::npos) << result.context;
}

TEST_F(Refusals, of_deleting_a_group_that_has_members) {
  Consumer consumer(config());
  ASSERT_TRUE(join(consumer));
  const auto error = admin_.delete_groups({"billing"}).front().error;
  EXPECT_EQ(error.code, kafka_error(68)) << error.context;
  EXPECT_NE(error.context.find("billing"), std::string::npos) << error.context;
  consumer.close();
  EXPECT_FALSE(admin_.delete_groups({"billing"}).front().error);
  EXPECT_EQ(admin_.delete_groups({"billing"}).front().error.code, kafka_error(69));
}

}  // namespace
}  // namespace barnabas
