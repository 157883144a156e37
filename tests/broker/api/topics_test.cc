// CreateTopics and DeleteTopics over the wire; what is refused and why is topic_control_test's.
#include <gtest/gtest.h>

#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
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

TEST(DeleteTopics, works_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (std::int16_t version = 1; version <= 6; ++version) {
    const std::string name = "t" + std::to_string(version);
    const Uuid id = create_topic(socket, name);
    DeleteTopicsRequest request;
    if (version < 6)
      request.topic_names = {name, "none"};
    else
      request.topics.resize(2);
    if (version == 6) {
      request.topics[0].topic_id = id;
      request.topics[1].name = "none";
    }
    const auto response = ask<DeleteTopicsResponse>(socket, request, version);
    ASSERT_TRUE(response) << version;
    ASSERT_EQ(response->responses.size(), 2u);
    EXPECT_EQ(response->responses[0].error_code, 0);
    EXPECT_EQ(response->responses[0].name, name);
    EXPECT_EQ(static_cast<ErrorCode>(response->responses[1].error_code), ErrorCode::unknown_topic_or_partition);
    EXPECT_EQ(static_cast<ErrorCode>(produce(socket, name, batch_of({"x"})).error_code),
              ErrorCode::unknown_topic_or_partition);
  }
}

TEST(DeleteTopics, a_name_can_be_used_again_at_once) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Uuid first = create_topic(socket, "again");
  EXPECT_EQ(produce(socket, "again", batch_of({"old"})).base_offset, 0);
  DeleteTopicsRequest request;
  request.topics.resize(1);
  request.topics[0].name = "again";
  ASSERT_EQ(ask<DeleteTopicsResponse>(socket, request, 6)->responses.at(0).error_code, 0);
  EXPECT_NE(create_topic(socket, "again"), first);
  EXPECT_EQ(produce(socket, "again", batch_of({"new"})).base_offset, 0);
}

TEST(DeleteTopics, says_that_deletion_is_off_in_the_words_of_the_version) {
  TestBroker broker(TestBroker::Settings{{"delete.topic.enable", "false"}});
  RawSocket socket = broker.connect();
  create_topic(socket, "kept");
  DeleteTopicsRequest request;
  request.topic_names = {"kept"};
  EXPECT_EQ(static_cast<ErrorCode>(ask<DeleteTopicsResponse>(socket, request, 1)->responses.at(0).error_code),
            ErrorCode::invalid_request);
  EXPECT_EQ(static_cast<ErrorCode>(ask<DeleteTopicsResponse>(socket, request, 5)->responses.at(0).error_code),
            ErrorCode::topic_deletion_disabled);
}

}  // namespace
}  // namespace barnabas::broker
