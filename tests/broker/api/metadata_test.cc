#include "common/protocol/messages/metadata.h"

#include <gtest/gtest.h>

#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

constexpr std::int16_t kLatest = 13;

MetadataRequest by_name(const std::vector<std::string>& names) {
  MetadataRequest request;
  request.topics.emplace();
  for (const auto& name : names) request.topics->emplace_back().name = name;
  request.allow_auto_topic_creation = false;
  return request;
}

ErrorCode error_of(const MetadataResponse::MetadataResponseTopic& topic) {
  return static_cast<ErrorCode>(topic.error_code);
}

TEST(Metadata, tells_brokers_topics_and_partitions_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Uuid id = create_topic(socket, "orders", 3);
  for (std::int16_t version = 0; version <= kLatest; ++version) {
    MetadataRequest request = by_name({"orders"});
    request.allow_auto_topic_creation = version < 4;  // could not be declined before
    const auto response = ask<MetadataResponse>(socket, request, version);
    ASSERT_TRUE(response) << version;
    ASSERT_EQ(response->brokers.size(), 1u);
    EXPECT_EQ(response->brokers[0].node_id, 1);
    EXPECT_EQ(response->brokers[0].port, broker->port());
    ASSERT_EQ(response->topics.size(), 1u);
    const auto& topic = response->topics[0];
    EXPECT_EQ(topic.error_code, 0);
    EXPECT_EQ(topic.name, "orders");
    ASSERT_EQ(topic.partitions.size(), 3u);
    EXPECT_EQ(topic.partitions[2].leader_id, 1);
    EXPECT_EQ(topic.partitions[2].isr_nodes, std::vector<std::int32_t>{1});
    if (version >= 1) {
      EXPECT_EQ(response->controller_id, 1);
    }
    if (version >= 2) {
      EXPECT_EQ(response->cluster_id, broker->cluster_id());
    }
    if (version >= 10) {
      EXPECT_EQ(topic.topic_id, id);
    }
  }
}

TEST(Metadata, lists_all_topics_where_none_are_named) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "a");
  create_topic(socket, "b");
  for (const std::int16_t version : {std::int16_t{1}, kLatest}) {
    MetadataRequest all;
    all.topics = std::nullopt;
    const auto response = ask<MetadataResponse>(socket, all, version);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->topics.size(), 2u);
  }
  MetadataRequest none = by_name({});
  none.allow_auto_topic_creation = true;
  EXPECT_EQ(ask<MetadataResponse>(socket, none, 0)->topics.size(), 2u);
  EXPECT_EQ(ask<MetadataResponse>(socket, none, kLatest)->topics.size(), 0u);
}

TEST(Metadata, finds_topics_by_id_from_version_12_on) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Uuid id = create_topic(socket, "orders");
  MetadataRequest request;
  request.topics.emplace(2);
  (*request.topics)[0].topic_id = id;
  (*request.topics)[1].topic_id = Uuid(7, 7);
  const auto response = ask<MetadataResponse>(socket, request, kLatest);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->topics.at(0).name, "orders");
  EXPECT_EQ(error_of(response->topics.at(1)), ErrorCode::unknown_topic_id);
  EXPECT_EQ(response->topics.at(1).topic_id, Uuid(7, 7));
  EXPECT_FALSE(response->topics.at(1).name);
  const auto too_early = ask<MetadataResponse>(socket, request, 11);
  ASSERT_TRUE(too_early);
  EXPECT_EQ(error_of(too_early->topics.at(0)), ErrorCode::invalid_request);
}

TEST(Metadata, says_of_each_name_why_it_is_not_there) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const auto response = ask<MetadataResponse>(socket, by_name({"none", "bad name", "none"}), kLatest);
  ASSERT_TRUE(response);
  ASSERT_EQ(response->topics.size(), 2u);
  EXPECT_EQ(error_of(response->topics[0]), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(error_of(response->topics[1]), ErrorCode::invalid_topic_exception);
}

TEST(Metadata, makes_a_topic_on_demand_and_answers_when_it_can_be_used) {
  TestBroker broker(TestBroker::Settings{{"num.partitions", "2"}});
  RawSocket socket = broker.connect();
  MetadataRequest request = by_name({"wanted", "__consumer_offsets"});
  request.allow_auto_topic_creation = true;
  const auto response = ask<MetadataResponse>(socket, request, kLatest);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->topics.at(0).error_code, 0);
  EXPECT_EQ(response->topics.at(0).partitions.size(), 2u);
  EXPECT_EQ(error_of(response->topics.at(1)), ErrorCode::unknown_topic_or_partition);
  EXPECT_TRUE(response->topics.at(1).is_internal);
  EXPECT_EQ(produce(socket, "wanted", batch_of({"x"})).error_code, 0);
}

TEST(Metadata, makes_nothing_when_either_side_says_no) {
  TestBroker broker(TestBroker::Settings{{"auto.create.topics.enable", "false"}});
  RawSocket socket = broker.connect();
  MetadataRequest request = by_name({"wanted"});
  request.allow_auto_topic_creation = true;
  EXPECT_EQ(error_of(ask<MetadataResponse>(socket, request, kLatest)->topics.at(0)),
            ErrorCode::unknown_topic_or_partition);
  TestBroker willing;
  RawSocket other = willing.connect();
  EXPECT_EQ(error_of(ask<MetadataResponse>(other, by_name({"wanted"}), kLatest)->topics.at(0)),
            ErrorCode::unknown_topic_or_partition);
}

TEST(Metadata, tells_what_may_be_done_only_when_asked) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  constexpr std::int32_t not_asked = -2147483648;
  MetadataRequest request = by_name({"orders"});
  EXPECT_EQ(ask<MetadataResponse>(socket, request, kLatest)->topics.at(0).topic_authorized_operations, not_asked);
  request.include_topic_authorized_operations = true;
  EXPECT_EQ(ask<MetadataResponse>(socket, request, kLatest)->topics.at(0).topic_authorized_operations, 3576);
  request.include_cluster_authorized_operations = true;
  EXPECT_EQ(ask<MetadataResponse>(socket, request, 10)->cluster_authorized_operations, 8096);
}

}  // namespace
}  // namespace barnabas::broker
