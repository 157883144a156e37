#include "broker/metadata/topic_control.h"

#include <gtest/gtest.h>

#include "common/protocol/errors.h"
#include "tests/broker/metadata/controller_fixture.h"

namespace barnabas::metadata {
namespace {

using protocol::ErrorCode;
using Creatable = protocol::CreateTopicsRequest::CreatableTopic;

Creatable with_config(const std::string& name, const std::string& key, std::optional<std::string> value) {
  Creatable topic = ControllerFixture::topic(name);
  topic.configs.emplace_back();
  topic.configs.back().name = key;
  topic.configs.back().value = std::move(value);
  return topic;
}

Creatable with_assignment(const std::string& name,
                          const std::vector<std::pair<int, std::vector<std::int32_t>>>& partitions) {
  Creatable topic = ControllerFixture::topic(name, -1);
  topic.replication_factor = -1;
  for (const auto& [index, brokers] : partitions) {
    topic.assignments.emplace_back();
    topic.assignments.back().partition_index = index;
    topic.assignments.back().broker_ids = brokers;
  }
  return topic;
}

Creatable replicated(const std::string& name, std::int16_t factor) {
  Creatable topic = ControllerFixture::topic(name);
  topic.replication_factor = factor;
  return topic;
}

TEST(TopicControl, refuses_what_kafka_refuses_with_its_code_and_the_name) {
  ControllerFixture fixture;
  fixture.start();
  ASSERT_EQ(fixture.create_one(ControllerFixture::topic("here.there")).error_code, 0);
  const std::vector<std::pair<Creatable, ErrorCode>> cases = {
      {ControllerFixture::topic("here.there"), ErrorCode::topic_already_exists},
      {ControllerFixture::topic("here_there"), ErrorCode::invalid_topic_exception},
      {ControllerFixture::topic("bad name"), ErrorCode::invalid_topic_exception},
      {ControllerFixture::topic(std::string(250, 'x')), ErrorCode::invalid_topic_exception},
      {ControllerFixture::topic("__cluster_metadata"), ErrorCode::invalid_request},
      {ControllerFixture::topic("t", 0), ErrorCode::invalid_partitions},
      {ControllerFixture::topic("t", -2), ErrorCode::invalid_partitions},
      {ControllerFixture::topic("t", 10001), ErrorCode::policy_violation},
      {replicated("t", 0), ErrorCode::invalid_replication_factor},
      {replicated("t", 3), ErrorCode::invalid_replication_factor},
      {with_config("t", "retention.msec", "1"), ErrorCode::invalid_config},
      {with_config("t", "retention.ms", "soon"), ErrorCode::invalid_config},
      {with_config("t", "retention.ms", std::nullopt), ErrorCode::invalid_config},
      {with_assignment("t", {{0, {1}}, {2, {1}}}), ErrorCode::invalid_replica_assignment},
      {with_assignment("t", {{0, {9}}}), ErrorCode::invalid_replica_assignment},
      {with_assignment("t", {{0, {1, 1}}}), ErrorCode::invalid_replica_assignment},
      {with_assignment("t", {{0, {}}}), ErrorCode::invalid_replica_assignment},
  };
  for (const auto& [topic, code] : cases) {
    const auto result = fixture.create_one(topic);
    EXPECT_EQ(static_cast<ErrorCode>(result.error_code), code)
        << topic.name << ": " << result.error_message.value_or("");
    EXPECT_NE(result.error_message.value_or("").find(topic.name), std::string::npos)
        << result.error_message.value_or("");
    EXPECT_EQ(result.num_partitions, -1);
  }
  EXPECT_EQ(fixture.controller->image()->topics().size(), 1u);
}

TEST(TopicControl, one_bad_topic_does_not_keep_the_others_from_being_made) {
  ControllerFixture fixture;
  fixture.start();
  const auto results = fixture.create({ControllerFixture::topic("a"), ControllerFixture::topic("bad name"),
                                       ControllerFixture::topic("b"), ControllerFixture::topic("twice"),
                                       ControllerFixture::topic("twice")});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].error_code, 0);
  EXPECT_NE(results[1].error_code, 0);
  EXPECT_EQ(results[2].error_code, 0);
  EXPECT_EQ(static_cast<ErrorCode>(results[3].error_code), ErrorCode::invalid_request);
  EXPECT_EQ(fixture.controller->image()->topics().size(), 2u);
}

TEST(TopicControl, takes_the_brokers_defaults_and_manual_assignments) {
  ControllerFixture fixture(runtime::Properties{{"num.partitions", "4"}});
  fixture.start();
  auto by_default = ControllerFixture::topic("defaults", -1);
  by_default.replication_factor = -1;
  EXPECT_EQ(fixture.create_one(by_default).num_partitions, 4);
  EXPECT_EQ(fixture.create_one(with_assignment("manual", {{1, {1}}, {0, {1}}})).num_partitions, 2);
}

TEST(TopicControl, only_validates_when_asked_to) {
  ControllerFixture fixture;
  fixture.start();
  const auto results = fixture.create({ControllerFixture::topic("a")}, true);
  EXPECT_EQ(results.at(0).error_code, 0);
  EXPECT_TRUE(fixture.controller->image()->topics().empty());
}

TEST(TopicControl, tells_the_settings_that_the_new_topic_has) {
  ControllerFixture fixture(runtime::Properties{{"log.retention.hours", "1"}});
  fixture.start();
  const auto result = fixture.create_one(with_config("t", "segment.bytes", "2097152"));
  ASSERT_TRUE(result.configs);
  std::map<std::string, std::pair<std::string, int>> told;
  for (const auto& one : *result.configs) told[one.name] = {one.value.value_or("null"), one.config_source};
  EXPECT_EQ(told["segment.bytes"], (std::pair<std::string, int>("2097152", 1)));
  EXPECT_EQ(told["retention.ms"], (std::pair<std::string, int>("3600000", 4)));
  EXPECT_EQ(told["min.insync.replicas"], (std::pair<std::string, int>("1", 3)));
  EXPECT_EQ(told["cleanup.policy"], (std::pair<std::string, int>("delete", 5)));
  EXPECT_EQ(told.count("internal.segment.bytes"), 0u);
}

TEST(TopicControl, deletes_nothing_when_deletion_is_off_or_the_request_is_ambiguous) {
  ControllerFixture fixture(runtime::Properties{{"delete.topic.enable", "false"}});
  fixture.start();
  fixture.create({ControllerFixture::topic("a")});
  protocol::DeleteTopicsRequest request;
  request.topics.resize(3);
  request.topics[0].name = "a";
  request.topics[1].name = "a";
  request.topics[1].topic_id = Uuid(7, 7);
  const auto response = fixture.wait(fixture.controller->delete_topics(request));
  EXPECT_EQ(static_cast<ErrorCode>(response.responses[0].error_code), ErrorCode::topic_deletion_disabled);
  EXPECT_EQ(static_cast<ErrorCode>(response.responses[1].error_code), ErrorCode::invalid_request);
  EXPECT_EQ(static_cast<ErrorCode>(response.responses[2].error_code), ErrorCode::invalid_request);
  EXPECT_TRUE(fixture.controller->image()->topic("a"));
}

}  // namespace
}  // namespace barnabas::metadata
