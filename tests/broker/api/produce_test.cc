#include <gtest/gtest.h>

#include "common/protocol/messages/init_producer_id.h"
#include "common/record/batch_view.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;

TEST(Produce, every_version_stores_and_tells_where) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Uuid id = create_topic(socket, "orders");
  const Bytes batch = batch_of({"a", "b"});
  for (std::int16_t version = 3; version <= 13; ++version) {
    ProduceRequest request = produce_request("orders", batch, version % 2 == 0 ? std::int16_t{1} : std::int16_t{-1});
    if (version >= 13) {
      request.topic_data[0].name.clear();
      request.topic_data[0].topic_id = id;
    }
    const auto response = ask<ProduceResponse>(socket, request, version);
    ASSERT_TRUE(response) << version;
    const auto& partition = response->responses.at(0).partition_responses.at(0);
    EXPECT_EQ(partition.error_code, 0) << version;
    EXPECT_EQ(partition.base_offset, 2 * (version - 3)) << version;
    EXPECT_EQ(partition.log_append_time_ms, -1) << version;
    EXPECT_EQ(partition.log_start_offset, version >= 5 ? 0 : -1) << version;
  }
}

TEST(Produce, log_append_time_is_told) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
  EXPECT_GT(produce(socket, "stamped", batch_of({"a"})).log_append_time_ms, 1'600'000'000'000);
}

TEST(Produce, what_does_not_exist_gets_its_own_error_and_the_rest_is_stored) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const Bytes batch = batch_of({"a"});
  ProduceRequest request = produce_request("nowhere", batch);
  request.topic_data.push_back(produce_request("orders", batch, -1, 0).topic_data[0]);
  request.topic_data.push_back(produce_request("orders", batch, -1, 5).topic_data[0]);
  const auto response = ask<ProduceResponse>(socket, request, 12);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->responses.at(0).partition_responses.at(0).error_code,
            code_of(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(response->responses.at(0).partition_responses.at(0).base_offset, -1);
  EXPECT_NE(response->responses.at(0).partition_responses.at(0).error_message->find("nowhere-0"), std::string::npos);
  EXPECT_EQ(response->responses.at(1).partition_responses.at(0).error_code, 0);
  EXPECT_EQ(response->responses.at(2).partition_responses.at(0).error_code,
            code_of(ErrorCode::unknown_topic_or_partition));
}

TEST(Produce, an_unknown_topic_id_is_named_as_such) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const Bytes batch = batch_of({"a"});
  ProduceRequest request = produce_request("", batch);
  request.topic_data[0].topic_id = Uuid(7, 7);
  const auto response = ask<ProduceResponse>(socket, request, 13);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->responses.at(0).partition_responses.at(0).error_code, code_of(ErrorCode::unknown_topic_id));
}

TEST(Produce, refuses_what_may_not_be_stored) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders", 1, {{"max.message.bytes", "1000"}});
  const auto error_of = [&](const Bytes& batch, std::int16_t acks = -1) {
    return produce(socket, "orders", batch, acks).error_code;
  };
  Bytes torn = batch_of({"abc"});
  torn.back() ^= std::byte{1};
  EXPECT_EQ(error_of(torn), code_of(ErrorCode::corrupt_message));
  EXPECT_EQ(error_of(batch_of({std::string(2000, 'x')})), code_of(ErrorCode::message_too_large));
  EXPECT_EQ(error_of(batch_of({"a"}), 2), code_of(ErrorCode::invalid_required_acks));
  EXPECT_EQ(error_of({}), code_of(ErrorCode::invalid_record));
  Bytes two = batch_of({"a"});
  const Bytes second = batch_of({"b"});
  two.insert(two.end(), second.begin(), second.end());
  EXPECT_EQ(error_of(two), code_of(ErrorCode::invalid_record));
  record::BatchOptions transactional;
  transactional.transactional = true;
  transactional.producer_id = 5;
  transactional.producer_epoch = 0;
  transactional.base_sequence = 0;
  EXPECT_EQ(error_of(batch_of({"a"}, transactional)), code_of(ErrorCode::transactional_id_authorization_failed));
  EXPECT_EQ(error_of(batch_of({"a"})), 0);
}

TEST(Produce, names_the_record_that_is_at_fault) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "compacted", 1, {{"cleanup.policy", "compact"}});
  const auto refused = produce(socket, "compacted", batch_of({"no", "keys"}));
  EXPECT_EQ(refused.error_code, code_of(ErrorCode::invalid_record));
  ASSERT_EQ(refused.record_errors.size(), 2U);
  EXPECT_EQ(refused.record_errors[1].batch_index, 1);
}

TEST(Produce, too_few_replicas_in_sync_for_acks_all) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "strict", 1, {{"min.insync.replicas", "2"}});
  EXPECT_EQ(produce(socket, "strict", batch_of({"a"})).error_code, code_of(ErrorCode::not_enough_replicas));
  EXPECT_EQ(produce(socket, "strict", batch_of({"a"}), 1).error_code, 0);
}

TEST(Produce, acks_0_is_not_answered_and_closes_when_it_fails) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  ASSERT_TRUE(socket.send(request_frame(produce_request("orders", batch_of({"a"}), 0), 12, 1)));
  EXPECT_EQ(produce(socket, "orders", batch_of({"b"})).base_offset, 1) << "the next answer on the wire";
  ASSERT_TRUE(socket.send(request_frame(produce_request("nowhere", batch_of({"a"}), 0), 12, 1)));
  EXPECT_TRUE(socket.wait_until_closed());
  EXPECT_EQ(broker.logged("UNKNOWN_TOPIC_OR_PARTITION"), 1U);
}

record::BatchOptions sequence(std::int64_t producer_id, std::int32_t base_sequence, std::int16_t epoch = 0) {
  record::BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = epoch;
  options.base_sequence = base_sequence;
  return options;
}

std::int64_t new_producer_id(RawSocket& socket) {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = 60'000;
  const auto response = ask<protocol::InitProducerIdResponse>(socket, request, 5);
  EXPECT_TRUE(response);
  EXPECT_EQ(response->error_code, 0);
  return response->producer_id;
}

TEST(Produce, a_duplicate_is_answered_with_the_stored_offset) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const std::int64_t id = new_producer_id(socket);
  for (std::int32_t i = 0; i < 5; ++i)
    EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(id, i))).base_offset, i);
  for (std::int32_t i = 0; i < 5; ++i) {
    const auto again = produce(socket, "orders", batch_of({"v"}, sequence(id, i)));
    EXPECT_EQ(again.error_code, 0) << i;
    EXPECT_EQ(again.base_offset, i);
  }
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(id, 5))).base_offset, 5) << "nothing was stored twice";
}

TEST(Produce, a_gap_in_the_sequence_is_refused) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const std::int64_t id = new_producer_id(socket);
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(id, 0))).error_code, 0);
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(id, 2))).error_code,
            code_of(ErrorCode::out_of_order_sequence_number));
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(id, 1))).error_code, 0);
}

TEST(Produce, an_unknown_producer_may_start_anywhere_and_an_old_epoch_is_fenced) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(4711, 37, 3))).error_code, 0);
  EXPECT_EQ(produce(socket, "orders", batch_of({"v"}, sequence(4711, 38, 2))).error_code,
            code_of(ErrorCode::invalid_producer_epoch));
}

TEST(Produce, a_topic_is_usable_the_moment_create_topics_answers) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const std::int64_t id = new_producer_id(socket);
  for (int i = 0; i < 50; ++i) {
    const std::string name = "topic-" + std::to_string(i);
    create_topic(socket, name, 3);
    for (std::int32_t p = 0; p < 3; ++p) {
      EXPECT_EQ(produce(socket, name, batch_of({"v"}, sequence(id, 0)), -1, p).error_code, 0) << name << '-' << p;
    }
  }
}

}  // namespace
}  // namespace barnabas::testing
