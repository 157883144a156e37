#include "common/protocol/messages/describe_configs.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/broker/server/test_broker.h"
#include "tests/support/golden.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using Entry = DescribeConfigsResponse::DescribeConfigsResourceResult;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int16_t kLatest = 4;

DescribeConfigsRequest question(std::int8_t type, const std::string& name) {
  DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  return request;
}

DescribeConfigsResponse::DescribeConfigsResult describe(RawSocket& socket, const DescribeConfigsRequest& request,
                                                        std::int16_t version = kLatest) {
  const auto response = ask<DescribeConfigsResponse>(socket, request, version);
  if (!response) throw std::runtime_error("closed");
  return response->results.at(0);
}

std::map<std::string, Entry> by_name(const DescribeConfigsResponse::DescribeConfigsResult& result) {
  std::map<std::string, Entry> entries;
  for (const Entry& entry : result.configs) entries[entry.name] = entry;
  return entries;
}

TEST(DescribeConfigs, tells_all_settings_of_a_topic_in_every_version) {
  TestBroker broker(TestBroker::Settings{{"log.retention.hours", "2"}});
  RawSocket socket = broker.connect();
  create_topic(socket, "orders", 1, {{"max.message.bytes", "500000"}});
  for (std::int16_t version = 1; version <= kLatest; ++version) {
    const auto result = describe(socket, question(kTopic, "orders"), version);
    EXPECT_EQ(result.error_code, 0);
    auto entries = by_name(result);
    EXPECT_EQ(entries["max.message.bytes"].value, "500000");
    EXPECT_EQ(entries["max.message.bytes"].config_source, 1);
    EXPECT_EQ(entries["retention.ms"].value, "7200000");
    EXPECT_EQ(entries["retention.ms"].config_source, 5);  // set under a name that is not the setting's own
    EXPECT_EQ(entries["min.insync.replicas"].config_source, 3);
    EXPECT_EQ(entries["cleanup.policy"].config_source, 5);
    EXPECT_FALSE(entries["cleanup.policy"].read_only);
    if (version >= 3) {
      EXPECT_EQ(entries["cleanup.policy"].config_type, 7);
      EXPECT_EQ(entries["max.message.bytes"].config_type, 3);
    }
  }
}

TEST(DescribeConfigs, names_the_same_topic_settings_as_kafka) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const auto entries = by_name(describe(socket, question(kTopic, "orders")));
  std::size_t compared = 0;
  for (const auto& frame : golden_lines("logdir/wire.jsonl")) {
    if (frame["api"] != "DescribeConfigs" || frame["dir"] != "response") continue;
    for (const auto& result : frame["json"]["results"]) {
      if (result["resourceType"] != kTopic) continue;
      for (const auto& theirs : result["configs"]) {
        const auto ours = entries.find(theirs["name"].get<std::string>());
        ASSERT_NE(ours, entries.end()) << theirs["name"];
        EXPECT_EQ(ours->second.config_type, theirs["configType"].get<int>()) << theirs["name"];
        EXPECT_EQ(ours->second.read_only, theirs["readOnly"].get<bool>()) << theirs["name"];
        if (theirs["configSource"] == 5) {
          EXPECT_EQ(ours->second.value, theirs["value"].get<std::string>()) << theirs["name"];
        }
        EXPECT_FALSE(ours->second.documentation);
        ++compared;
      }
      EXPECT_EQ(entries.size(), result["configs"].size());
    }
  }
  EXPECT_GT(compared, 30u);
}

TEST(DescribeConfigs, adds_synonyms_and_documentation_when_asked) {
  TestBroker broker(TestBroker::Settings{{"log.retention.hours", "2"}});
  RawSocket socket = broker.connect();
  create_topic(socket, "orders", 1, {{"retention.ms", "5"}});
  DescribeConfigsRequest request = question(kTopic, "orders");
  EXPECT_TRUE(by_name(describe(socket, request))["retention.ms"].synonyms.empty());
  request.include_synonyms = true;
  request.include_documentation = true;
  request.resources[0].configuration_keys = {"retention.ms", "no.such.setting"};
  const auto result = describe(socket, request);
  ASSERT_EQ(result.configs.size(), 1u);
  const Entry& entry = result.configs[0];
  // As Kafka: log.retention.hours, an older name of log.retention.ms, is no synonym while that one is not set.
  ASSERT_EQ(entry.synonyms.size(), 1u);
  EXPECT_EQ(entry.synonyms[0].name, "retention.ms");
  EXPECT_EQ(entry.synonyms[0].source, 1);
  EXPECT_FALSE(entry.documentation.value_or("").empty());
}

TEST(DescribeConfigs, follows_a_topics_setting_to_what_the_broker_says_of_it) {
  TestBroker broker(TestBroker::Settings{{"log.retention.ms", "7"}});
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  DescribeConfigsRequest request = question(kTopic, "orders");
  request.include_synonyms = true;
  auto entries = by_name(describe(socket, request));
  EXPECT_EQ(entries["retention.ms"].value, "7");
  EXPECT_EQ(entries["retention.ms"].config_source, 4);
  ASSERT_EQ(entries["retention.ms"].synonyms.size(), 2u);
  EXPECT_EQ(entries["retention.ms"].synonyms[0].name, "log.retention.ms");
  EXPECT_EQ(entries["retention.ms"].synonyms[1].name, "log.retention.hours");
  EXPECT_TRUE(entries["remote.storage.enable"].synonyms.empty());
}

TEST(DescribeConfigs, tells_the_brokers_settings_and_never_a_secret) {
  TestBroker broker(TestBroker::Settings{{"num.partitions", "7"}});
  RawSocket socket = broker.connect();
  auto entries = by_name(describe(socket, question(kBroker, "1")));
  EXPECT_EQ(entries["num.partitions"].value, "7");
  EXPECT_EQ(entries["num.partitions"].config_source, 4);
  EXPECT_TRUE(entries["num.partitions"].read_only);
  EXPECT_FALSE(entries["log.retention.ms"].read_only);
  EXPECT_EQ(entries["node.id"].value, "1");
  EXPECT_TRUE(entries["ssl.key.password"].is_sensitive);
  EXPECT_FALSE(entries["ssl.key.password"].value);
  EXPECT_EQ(entries.count("internal.metadata.delete.delay.millis"), 0u);
  const auto defaults = describe(socket, question(kBroker, ""));
  ASSERT_EQ(defaults.configs.size(), 1u);
  EXPECT_EQ(defaults.configs[0].name, "min.insync.replicas");
  EXPECT_EQ(defaults.configs[0].config_source, 3);
}

TEST(DescribeConfigs, refuses_what_is_not_here) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const auto error = [&socket](std::int8_t type, const std::string& name) {
    return static_cast<ErrorCode>(describe(socket, question(type, name)).error_code);
  };
  EXPECT_EQ(error(kTopic, "none"), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(error(kTopic, "bad name"), ErrorCode::invalid_topic_exception);
  EXPECT_EQ(error(kBroker, "2"), ErrorCode::invalid_request);
  EXPECT_EQ(error(kBroker, "one"), ErrorCode::invalid_request);
  EXPECT_EQ(error(77, "x"), ErrorCode::invalid_request);
}

}  // namespace
}  // namespace barnabas::broker
