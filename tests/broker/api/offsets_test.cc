#include <gtest/gtest.h>

#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

ListOffsetsRequest list_request(const std::string& topic, std::int64_t timestamp, std::int32_t partition = 0) {
  ListOffsetsRequest request;
  request.replica_id = -1;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  asked.partitions.emplace_back().partition_index = partition;
  asked.partitions[0].timestamp = timestamp;
  return request;
}

ListOffsetsResponse::ListOffsetsPartitionResponse list(RawSocket& socket, const ListOffsetsRequest& request,
                                                       std::int16_t version = 11) {
  const auto response = ask<ListOffsetsResponse>(socket, request, version);
  if (!response) throw std::runtime_error("closed");
  return response->topics.at(0).partitions.at(0);
}

Bytes batch_at(std::vector<std::int64_t> timestamps) {
  record::BatchBuilder builder;
  for (const std::int64_t timestamp : timestamps)
    builder.append({.timestamp_ms = timestamp, .key = std::nullopt, .value = as_bytes("v")});
  return builder.finish().value();
}

TEST(ListOffsets, knows_the_specials_and_times_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  ASSERT_EQ(produce(socket, "orders", batch_at({1000, 5000, 2000})).error_code, 0);
  ASSERT_EQ(produce(socket, "orders", batch_at({3000})).error_code, 0);
  for (std::int16_t version = 1; version <= 11; ++version) {
    EXPECT_EQ(list(socket, list_request("orders", -1), version).offset, 4) << version;
    EXPECT_EQ(list(socket, list_request("orders", -2), version).offset, 0) << version;
    const auto by_time = list(socket, list_request("orders", 1500), version);
    EXPECT_EQ(by_time.offset, 1) << version;
    EXPECT_EQ(by_time.timestamp, 5000) << version;
    const auto none = list(socket, list_request("orders", 6000), version);
    EXPECT_EQ(none.offset, -1) << version;
    EXPECT_EQ(none.error_code, 0) << version;
  }
  const auto newest = list(socket, list_request("orders", -3), 7);
  EXPECT_EQ(newest.offset, 1);
  EXPECT_EQ(newest.timestamp, 5000);
  EXPECT_EQ(list(socket, list_request("orders", -4), 8).offset, 0);
  EXPECT_EQ(list(socket, list_request("orders", -5), 9).offset, -1);
}

TEST(ListOffsets, refuses_a_special_that_the_version_does_not_have) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const auto unsupported = code_of(ErrorCode::unsupported_version);
  EXPECT_EQ(list(socket, list_request("orders", -3), 6).error_code, unsupported);
  EXPECT_EQ(list(socket, list_request("orders", -4), 7).error_code, unsupported);
  EXPECT_EQ(list(socket, list_request("orders", -5), 8).error_code, unsupported);
  EXPECT_EQ(list(socket, list_request("orders", -6), 10).error_code, unsupported);
  EXPECT_EQ(list(socket, list_request("orders", -99), 11).error_code, unsupported);
}

TEST(ListOffsets, tells_errors_by_partition) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  EXPECT_EQ(list(socket, list_request("orders", -1, 3)).error_code, code_of(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(list(socket, list_request("nowhere", -1)).error_code, code_of(ErrorCode::unknown_topic_or_partition));
  ListOffsetsRequest twice = list_request("orders", -1);
  twice.topics[0].partitions.push_back(twice.topics[0].partitions[0]);
  EXPECT_EQ(list(socket, twice).error_code, code_of(ErrorCode::invalid_request));
  ListOffsetsRequest early = list_request("orders", -1);
  early.topics[0].partitions[0].current_leader_epoch = 12;
  EXPECT_EQ(list(socket, early).error_code, code_of(ErrorCode::unknown_leader_epoch));
}

TEST(OffsetForLeaderEpoch, tells_where_an_epoch_ends) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  ASSERT_EQ(produce(socket, "orders", batch_of({"a", "b", "c"})).error_code, 0);
  for (std::int16_t version = 2; version <= 4; ++version) {
    OffsetForLeaderEpochRequest request;
    auto& topic = request.topics.emplace_back();
    topic.topic = "orders";
    topic.partitions.emplace_back().leader_epoch = 0;
    topic.partitions.emplace_back().leader_epoch = 5;
    topic.partitions.emplace_back().partition = 9;
    const auto response = ask<OffsetForLeaderEpochResponse>(socket, request, version);
    ASSERT_TRUE(response);
    const auto& partitions = response->topics.at(0).partitions;
    EXPECT_EQ(partitions.at(0).error_code, 0);
    EXPECT_EQ(partitions.at(0).leader_epoch, 0);
    EXPECT_EQ(partitions.at(0).end_offset, 3);
    EXPECT_EQ(partitions.at(1).end_offset, -1) << "an epoch that never was";
    EXPECT_EQ(partitions.at(2).error_code, code_of(ErrorCode::unknown_topic_or_partition));
  }
}

}  // namespace
}  // namespace barnabas::testing
