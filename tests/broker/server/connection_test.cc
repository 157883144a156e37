#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <thread>

#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/metadata.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using namespace std::chrono_literals;

ApiVersionsRequest hello() {
  ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1.0";
  return request;
}

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

struct Nonsense {
  const char* name;
  Bytes bytes;
};

std::vector<Nonsense> nonsense() {
  using namespace std::string_view_literals;
  Writer lying;  // a Metadata v9 request that claims 2^30 topics
  lying.int32(15);
  lying.int16(3);
  lying.int16(9);
  lying.int32(1);
  lying.int16(-1);
  lying.int8(0);
  lying.unsigned_varint(1U << 30);
  lying.int8(0);
  return {
      {"garbage", bytes_of("\x00\x00\x00\x05hello"sv)},
      {"http", bytes_of("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
      {"tls", bytes_of("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv)},
      {"huge", bytes_of("\x7f\xff\xff\xff"sv)},
      {"negative", bytes_of("\xff\xff\xff\xff"sv)},
      {"empty", bytes_of("\x00\x00\x00\x00"sv)},
      {"short header", bytes_of("\x00\x00\x00\x03\x00\x03\x00"sv)},
      {"client id past the end", bytes_of("\x00\x00\x00\x0a\x00\x03\x00\x00\x00\x00\x00\x01\x7f\xff"sv)},
      {"lying array", lying.take()},
  };
}

TEST(Connection, closes_on_what_is_no_request_with_one_line_that_names_the_peer) {
  TestBroker broker;
  std::size_t lines = 0;
  for (const Nonsense& one : nonsense()) {
    RawSocket socket = broker.connect();
    ASSERT_TRUE(socket.send(one.bytes)) << one.name;
    EXPECT_TRUE(socket.wait_until_closed()) << one.name;
    EXPECT_EQ(broker.logged("127.0.0.1:"), ++lines) << one.name;
    EXPECT_EQ(broker.log_lines().size(), lines) << one.name << ": " << broker.log_lines().back();
  }
  RawSocket sane = broker.connect();
  EXPECT_TRUE(ask<ApiVersionsResponse>(sane, hello(), 3));
}

TEST(Connection, takes_a_request_of_the_largest_size_and_no_larger_one) {
  TestBroker broker(TestBroker::Settings{{"socket.request.max.bytes", "1000"}});
  ApiVersionsRequest request = hello();
  request.client_software_name = std::string(900, 'x');
  RawSocket fits = broker.connect();
  EXPECT_TRUE(ask<ApiVersionsResponse>(fits, request, 3));
  request.client_software_name = std::string(1100, 'x');
  RawSocket too_large = broker.connect();
  EXPECT_FALSE(ask<ApiVersionsResponse>(too_large, request, 3));
  EXPECT_EQ(broker.logged("127.0.0.1:"), 1U);
}

TEST(Connection, says_nothing_when_a_client_just_leaves) {
  TestBroker broker;
  {
    RawSocket socket = broker.connect();
    ASSERT_TRUE(ask<ApiVersionsResponse>(socket, hello(), 3));
  }
  RawSocket other = broker.connect();
  EXPECT_TRUE(ask<ApiVersionsResponse>(other, hello(), 3));
  EXPECT_TRUE(broker.log_lines().empty()) << broker.log_lines().front();
}

TEST(Connection, takes_a_request_that_arrives_byte_by_byte) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (const std::byte byte : request_frame(hello(), 3)) ASSERT_TRUE(socket.send(BytesView(&byte, 1)));
  Bytes frame;
  EXPECT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame));
}

TEST(Connection, a_client_that_reads_nothing_delays_no_other) {
  TestBroker broker(TestBroker::Settings{}, 1);  // both on one reactor
  RawSocket slow = broker.connect();
  create_topic(slow, "big");
  ASSERT_EQ(produce(slow, "big", batch_of({std::string(900'000, 'x')})).error_code, 0);
  const Bytes fetch = request_frame(fetch_request({{"big"}}), 12);
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(slow.send(fetch));  // 54 MB that nobody takes
  for (int i = 0; i < 100; ++i) {
    RawSocket other = broker.connect();
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(ask<ApiVersionsResponse>(other, hello(), 3));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  }
  Bytes frame;
  for (int i = 0; i < 60; ++i) {
    const auto response = receive<protocol::FetchResponse>(slow, 12, frame);
    ASSERT_TRUE(response) << i;
    ASSERT_GT(response->responses.at(0).partitions.at(0).records->bytes.size(), 900'000U) << i;
  }
}

void append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
}

TEST(Connection, answers_requests_that_came_together_in_their_order) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  constexpr int kRequests = 1000;
  Bytes together;
  for (int i = 0; i < kRequests; ++i) append(together, request_frame(hello(), 3, i));
  ASSERT_TRUE(socket.send(together));
  Bytes frame;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, i)) << i;
}

TEST(Connection, no_answer_waits_for_a_request_that_came_with_its_own_and_takes_its_time) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "quiet");
  Bytes together = request_frame(hello(), 3, 1);
  append(together, request_frame(hello(), 3, 2));
  append(together, request_frame(fetch_request({{"quiet"}}, 60'000), 12, 3));
  append(together, request_frame(hello(), 3, 4));
  ASSERT_TRUE(socket.send(together));
  Bytes frame;
  ASSERT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 1));
  ASSERT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 2));
  RawSocket other = broker.connect();
  ASSERT_EQ(produce(other, "quiet", batch_of({"at last"})).error_code, 0);
  ASSERT_TRUE(receive<protocol::FetchResponse>(socket, 12, frame, 3));
  ASSERT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 4));
}

TEST(Connection, nothing_takes_effect_behind_a_produce_that_closes_the_connection) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "good");
  Bytes together = request_frame(hello(), 3, 1);
  append(together, request_frame(produce_request("no such topic", batch_of({"lost"}), 0), 12, 2));
  append(together, request_frame(produce_request("good", batch_of({"too late"}), 1), 12, 3));
  ASSERT_TRUE(socket.send(together));
  Bytes frame;
  EXPECT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 1));
  EXPECT_TRUE(socket.wait_until_closed());
  RawSocket other = broker.connect();
  const auto fetched = ask<protocol::FetchResponse>(other, fetch_request({{"good"}}), 12);
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->responses.at(0).partitions.at(0).high_watermark, 0);
}

TEST(Connection, what_is_no_request_takes_no_answer_away_from_those_before_it) {
  TestBroker broker;
  for (const Nonsense& one : nonsense()) {
    RawSocket socket = broker.connect();
    Bytes together = request_frame(hello(), 3, 1);
    append(together, request_frame(hello(), 3, 2));
    append(together, one.bytes);
    ASSERT_TRUE(socket.send(together)) << one.name;
    Bytes frame;
    EXPECT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 1)) << one.name;
    EXPECT_TRUE(receive<ApiVersionsResponse>(socket, 3, frame, 2)) << one.name;
    EXPECT_TRUE(socket.wait_until_closed()) << one.name;
  }
}

TEST(Connection, a_client_that_reads_late_gets_every_answer_whole) {
  TestBroker broker(TestBroker::Settings{}, 1);
  RawSocket late = broker.connect();
  create_topic(late, "wide", 1000);
  protocol::MetadataRequest request;
  request.topics.emplace().emplace_back().name = "wide";
  constexpr int kRequests = 400;  // some 30 KB each: more than the sockets hold
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(late.send(request_frame(request, 12, i)));
  RawSocket other = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(other, hello(), 3)) << "nobody else is delayed";
  Bytes frame;
  for (int i = 0; i < kRequests; ++i) {
    const auto response = receive<protocol::MetadataResponse>(late, 12, frame, i);
    ASSERT_TRUE(response) << i;
    ASSERT_EQ(response->topics.at(0).partitions.size(), 1000U) << i;
  }
}

TEST(Connection, counts_connections_of_one_address_against_the_limit) {
  TestBroker broker(TestBroker::Settings{{"max.connections.per.ip", "2"}});
  RawSocket one = broker.connect();
  RawSocket two = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(one, hello(), 3));
  ASSERT_TRUE(ask<ApiVersionsResponse>(two, hello(), 3));
  RawSocket three = broker.connect();
  EXPECT_TRUE(three.wait_until_closed());
  EXPECT_EQ(broker.logged("max.connections.per.ip (2) is reached for 127.0.0.1"), 1U);
}

TEST(Connection, above_the_brokers_limit_waits_until_another_connection_ends) {
  TestBroker broker(TestBroker::Settings{{"max.connections", "2"}});
  auto one = std::make_unique<RawSocket>(broker->port());
  RawSocket two = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(*one, hello(), 3));
  ASSERT_TRUE(ask<ApiVersionsResponse>(two, hello(), 3));
  RawSocket three = broker.connect();
  ASSERT_TRUE(three.send(request_frame(hello(), 3)));
  ASSERT_TRUE(ask<ApiVersionsResponse>(two, hello(), 3)) << "nobody else is delayed";
  EXPECT_EQ(broker->connection_count(), 2U);
  one.reset();
  Bytes frame;
  EXPECT_TRUE(receive<ApiVersionsResponse>(three, 3, frame)) << "it was never closed";
  EXPECT_EQ(broker.logged("closed: max.connections"), 0U);
}

TEST(Connection, a_broker_stops_while_connections_wait_for_a_place) {
  TestBroker broker(TestBroker::Settings{{"max.connections", "1"}});
  RawSocket one = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(one, hello(), 3));
  RawSocket two = broker.connect();
  RawSocket three = broker.connect();
  ASSERT_TRUE(two.send(request_frame(hello(), 3)));
  EXPECT_TRUE(broker->stop());
  EXPECT_TRUE(two.wait_until_closed());
}

TEST(Connection, single_addresses_may_have_a_limit_of_their_own) {
  TestBroker broker(TestBroker::Settings{{"max.connections.per.ip", "10"},
                                         {"max.connections.per.ip.overrides", "10.1.1.1:5,127.0.0.1:1"}});
  RawSocket one = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(one, hello(), 3));
  RawSocket two = broker.connect();
  EXPECT_TRUE(two.wait_until_closed());
}

TEST(Connection, reads_no_further_request_while_the_memory_for_requests_is_used_up) {
  TestBroker broker(TestBroker::Settings{{"queued.max.request.bytes", "1000"}});
  RawSocket waiting = broker.connect();
  create_topic(waiting, "quiet");
  ASSERT_TRUE(waiting.send(request_frame(fetch_request({{"quiet"}}, 300), 12)));
  RawSocket other = broker.connect();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask<ApiVersionsResponse>(other, hello(), 3));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  Bytes frame;
  EXPECT_TRUE(receive<protocol::FetchResponse>(waiting, 12, frame));
}

TEST(Connection, closes_what_is_idle_for_connections_max_idle_ms) {
  TestBroker broker(TestBroker::Settings{{"connections.max.idle.ms", "50"}});
  RawSocket socket = broker.connect();
  ASSERT_TRUE(ask<ApiVersionsResponse>(socket, hello(), 3));
  EXPECT_TRUE(socket.wait_until_closed());
}

TEST(Connection, a_fetch_that_waits_is_not_idle) {
  // Long enough for this thread to get from one request to the next on a busy machine.
  TestBroker broker(TestBroker::Settings{{"connections.max.idle.ms", "1000"}});
  RawSocket socket = broker.connect();
  create_topic(socket, "quiet");
  EXPECT_TRUE(ask<protocol::FetchResponse>(socket, fetch_request({{"quiet"}}, 1500), 12));
}

TEST(Broker, stops_within_a_second_with_clients_that_wait) {
  auto broker = std::make_unique<TestBroker>();
  RawSocket waiting = broker->connect();
  create_topic(waiting, "quiet");
  ASSERT_TRUE(waiting.send(request_frame(fetch_request({{"quiet"}}, 30'000), 12)));
  RawSocket silent = broker->connect();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE((*broker)->stop());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
}

}  // namespace
}  // namespace barnabas::testing
