#include "common/protocol/messages/delete_topics.h"

#include <gtest/gtest.h>

#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;

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

TEST(DeleteTopics, deletes_nothing_of_what_is_named_twice) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Uuid id = create_topic(socket, "kept");
  DeleteTopicsRequest by_name;
  by_name.topic_names = {"kept", "kept"};
  DeleteTopicsRequest by_id;
  by_id.topics.resize(2);
  by_id.topics[0].topic_id = by_id.topics[1].topic_id = id;
  DeleteTopicsRequest by_both;
  by_both.topics.resize(2);
  by_both.topics[0].topic_id = id;
  by_both.topics[1].name = "kept";
  const std::pair<DeleteTopicsRequest, std::int16_t> requests[] = {{by_name, 5}, {by_id, 6}, {by_both, 6}};
  for (const auto& [request, version] : requests) {
    const auto response = ask<DeleteTopicsResponse>(socket, request, version);
    ASSERT_EQ(response->responses.size(), 1u);
    EXPECT_EQ(static_cast<ErrorCode>(response->responses[0].error_code), ErrorCode::invalid_request);
  }
  EXPECT_EQ(produce(socket, "kept", batch_of({"x"})).error_code, 0);
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
