#include <gtest/gtest.h>

#include <array>

#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/metadata.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

ApiVersionsRequest hello() {
  ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1.0";
  return request;
}

/// A header alone: key, version, correlation id, null client id.
Bytes bare_request(std::int16_t key, std::int16_t version, bool flexible = false) {
  Writer out;
  out.int32(flexible ? 11 : 10);
  out.int16(key);
  out.int16(version);
  out.int32(1);
  out.int16(-1);
  if (flexible) out.int8(0);
  return out.take();
}

TEST(Dispatch, answers_every_version_of_api_versions) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto response = ask<ApiVersionsResponse>(socket, hello(), version);
    ASSERT_TRUE(response) << version;
    EXPECT_EQ(response->error_code, 0);
    EXPECT_EQ(response->api_keys.size(), 22U);
    EXPECT_EQ(response->finalized_features.empty(), version < 3) << version;
  }
}

TEST(Dispatch, advertises_kafkas_versions_with_produce_from_0) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const auto response = ask<ApiVersionsResponse>(socket, hello(), 4);
  ASSERT_TRUE(response);
  for (const auto& api : response->api_keys) {
    const protocol::ApiInfo& info = *protocol::find_api(api.api_key);
    EXPECT_EQ(api.min_version, info.advertised_min) << info.name;
    EXPECT_EQ(api.max_version, info.max_stable_version) << info.name;
    if (info.key == protocol::ApiKey::produce) {
      EXPECT_EQ(api.min_version, 0);
    }
  }
}

TEST(Dispatch, answers_an_api_versions_of_the_future_in_version_0) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  ASSERT_TRUE(socket.send(bare_request(18, 99, true)));
  Bytes frame;
  const auto response = receive<ApiVersionsResponse>(socket, 0, frame);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->error_code, protocol::code_of(protocol::ErrorCode::unsupported_version));
  ASSERT_EQ(response->api_keys.size(), 1U);
  EXPECT_EQ(response->api_keys[0].api_key, 18);
  EXPECT_EQ(response->api_keys[0].max_version, 4);
  EXPECT_TRUE(ask<ApiVersionsResponse>(socket, hello(), 4)) << "the connection stays usable";
}

TEST(Dispatch, closes_on_an_api_or_version_that_it_does_not_serve) {
  TestBroker broker;
  const std::array<std::pair<std::int16_t, std::int16_t>, 8> cases{
      {{999, 0}, {-1, 0}, {4, 0}, {52, 0}, {3, 14}, {1, 3}, {0, 2}, {0, 0}}};
  for (const auto& [key, version] : cases) {
    RawSocket socket = broker.connect();
    ASSERT_TRUE(socket.send(bare_request(key, version)));
    EXPECT_TRUE(socket.wait_until_closed()) << key << " v" << version;
  }
  EXPECT_EQ(broker.log_lines().size(), cases.size());
  EXPECT_EQ(broker.logged("127.0.0.1:"), cases.size());
  EXPECT_EQ(broker.logged("Produce request of version 2; served are 3 to 13"), 1U);
}

TEST(Dispatch, refuses_a_client_name_that_is_none) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  ApiVersionsRequest request = hello();
  request.client_software_name = "-dash-";
  const auto response = ask<ApiVersionsResponse>(socket, request, 3);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->error_code, protocol::code_of(protocol::ErrorCode::invalid_request));
}

TEST(Dispatch, answers_pipelined_requests_in_order) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "quiet");
  Bytes all;
  const auto add = [&](const Bytes& frame) { all.insert(all.end(), frame.begin(), frame.end()); };
  add(request_frame(fetch_request({{"quiet"}}, 300), 12, 100));  // waits
  for (std::int32_t id = 101; id < 150; ++id) add(request_frame(hello(), 3, id));
  ASSERT_TRUE(socket.send(all));
  Bytes frame;
  ASSERT_TRUE(receive<protocol::FetchResponse>(socket, 12, frame, 100));
  for (std::int32_t id = 101; id < 150; ++id) ASSERT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, id)) << id;
}

TEST(Dispatch, lets_a_produce_behind_a_waiting_fetch_take_effect) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "both");
  ASSERT_TRUE(socket.send(request_frame(fetch_request({{"both"}}, 20'000), 12, 1)));
  const Bytes batch = batch_of({"wakes the fetch"});
  ASSERT_TRUE(socket.send(request_frame(produce_request("both", batch), 12, 2)));
  Bytes frame;
  const auto fetched = receive<protocol::FetchResponse>(socket, 12, frame, 1);
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->responses.at(0).partitions.at(0).records->bytes.size(), batch.size());
  ASSERT_TRUE(receive<protocol::ProduceResponse>(socket, 12, frame, 2));
}

}  // namespace
}  // namespace barnabas::testing
