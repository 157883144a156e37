#include "common/protocol/messages/create_topics.h"

#include <gtest/gtest.h>

#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;

CreateTopicsRequest creation(const std::string& name) {
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = 2;
  topic.replication_factor = 1;
  return request;
}

TEST(CreateTopics, works_in_every_version_and_the_topic_is_usable_at_once) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (std::int16_t version = 2; version <= 7; ++version) {
    const std::string name = "t" + std::to_string(version);
    const auto response = ask<CreateTopicsResponse>(socket, creation(name), version);
    ASSERT_TRUE(response) << version;
    const auto& result = response->topics.at(0);
    EXPECT_EQ(result.error_code, 0) << result.error_message.value_or("");
    EXPECT_EQ(result.name, name);
    EXPECT_FALSE(result.error_message);
    if (version >= 5) {
      EXPECT_EQ(result.num_partitions, 2);
      EXPECT_FALSE(result.configs->empty());
    }
    EXPECT_EQ(result.topic_id.is_zero(), version < 7);
    EXPECT_EQ(produce(socket, name, batch_of({"x"}), -1, 1).error_code, 0);
  }
}

TEST(CreateTopics, answers_a_refusal_with_code_and_message) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const auto response = ask<CreateTopicsResponse>(socket, creation("bad name"), 7);
  ASSERT_TRUE(response);
  EXPECT_EQ(static_cast<ErrorCode>(response->topics.at(0).error_code), ErrorCode::invalid_topic_exception);
  EXPECT_NE(response->topics.at(0).error_message->find("'bad name'"), std::string::npos);
  EXPECT_EQ(response->topics.at(0).num_partitions, -1);
}

}  // namespace
}  // namespace barnabas::broker
