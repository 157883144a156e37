#include "common/protocol/messages/init_producer_id.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

/// As an idempotent producer asks.
InitProducerIdRequest idempotent() {
  InitProducerIdRequest request;
  request.transactional_id = std::nullopt;
  return request;
}

TEST(InitProducerId, gives_each_producer_another_id_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  std::set<std::int64_t> seen;
  for (std::int16_t version = 0; version <= 5; ++version) {
    const auto response = ask<InitProducerIdResponse>(socket, idempotent(), version);
    ASSERT_TRUE(response) << version;
    EXPECT_EQ(response->error_code, 0);
    EXPECT_EQ(response->producer_epoch, 0);
    EXPECT_TRUE(seen.insert(response->producer_id).second);
  }
}

TEST(InitProducerId, refuses_transactions_by_a_code_that_no_client_retries) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  InitProducerIdRequest request = idempotent();
  request.transactional_id = "payments";
  const auto refused = ask<InitProducerIdResponse>(socket, request, 5);
  ASSERT_TRUE(refused);
  EXPECT_EQ(static_cast<ErrorCode>(refused->error_code), ErrorCode::unsupported_version);
  EXPECT_EQ(refused->producer_id, -1);
  request.transactional_id = "";
  EXPECT_EQ(static_cast<ErrorCode>(ask<InitProducerIdResponse>(socket, request, 5)->error_code),
            ErrorCode::invalid_request);
}

TEST(InitProducerId, refuses_an_id_without_its_epoch) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  InitProducerIdRequest request = idempotent();
  request.producer_id = 5;
  EXPECT_EQ(static_cast<ErrorCode>(ask<InitProducerIdResponse>(socket, request, 5)->error_code),
            ErrorCode::invalid_request);
}

}  // namespace
}  // namespace barnabas::broker
