#include "client/core/connection_setup.h"

#include <gtest/gtest.h>

#include "common/bytes/writer.h"
#include "common/protocol/errors.h"

namespace barnabas::client {
namespace {

using protocol::ApiKey;
using protocol::ErrorCode;

protocol::ApiVersionsResponse response(ErrorCode error, std::int16_t api_versions_max) {
  protocol::ApiVersionsResponse body;
  body.error_code = protocol::code_of(error);
  auto& row = body.api_keys.emplace_back();
  row.api_key = static_cast<std::int16_t>(ApiKey::api_versions);
  row.max_version = api_versions_max;
  auto& fetch = body.api_keys.emplace_back();
  fetch.api_key = static_cast<std::int16_t>(ApiKey::fetch);
  fetch.min_version = 4;
  fetch.max_version = 11;
  return body;
}

TEST(ConnectionSetup, asks_in_the_highest_version_and_keeps_the_ranges) {
  ConnectionSetup setup;
  const auto first = setup.start();
  ASSERT_TRUE(std::holds_alternative<ConnectionSetup::Send>(first));
  EXPECT_EQ(std::get<ConnectionSetup::Send>(first).version, 4);
  const auto second = setup.on_response(response(ErrorCode::none, 4));
  ASSERT_TRUE(std::holds_alternative<ConnectionSetup::Done>(second));
  const auto& versions = std::get<ConnectionSetup::Done>(second).versions;
  EXPECT_EQ(*versions.pick(ApiKey::fetch, {4, 18}), 11);
}

TEST(ConnectionSetup, asks_an_old_broker_again_in_its_own_version) {
  ConnectionSetup setup;
  setup.start();
  const auto again = setup.on_response(response(ErrorCode::unsupported_version, 2));
  ASSERT_TRUE(std::holds_alternative<ConnectionSetup::Send>(again));
  EXPECT_EQ(std::get<ConnectionSetup::Send>(again).version, 2);
  EXPECT_TRUE(std::holds_alternative<ConnectionSetup::Done>(setup.on_response(response(ErrorCode::none, 2))));
}

TEST(ConnectionSetup, asks_in_version_0_when_the_broker_names_none_and_gives_up_then) {
  ConnectionSetup setup;
  setup.start();
  protocol::ApiVersionsResponse empty;
  empty.error_code = protocol::code_of(ErrorCode::unsupported_version);
  const auto again = setup.on_response(empty);
  ASSERT_TRUE(std::holds_alternative<ConnectionSetup::Send>(again));
  EXPECT_EQ(std::get<ConnectionSetup::Send>(again).version, 0);
  const auto last = setup.on_response(empty);
  ASSERT_TRUE(std::holds_alternative<ConnectionSetup::Fail>(last));
  EXPECT_EQ(std::get<ConnectionSetup::Fail>(last).why.code, ErrorCode::unsupported_version);
}

TEST(ConnectionSetup, reads_a_version_0_answer_to_a_newer_request) {
  Writer writer;
  ASSERT_TRUE(response(ErrorCode::unsupported_version, 3).encode(writer, 0));
  const auto decoded = decode_api_versions(writer.view(), 4);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->error_code, 35);
  EXPECT_EQ(decoded->api_keys.at(0).max_version, 3);
}

TEST(BrokerVersions, picks_the_highest_common_version_or_says_why_not) {
  BrokerVersions versions;
  versions.set(1, {4, 11});
  EXPECT_EQ(*versions.pick(ApiKey::fetch, {4, 18}), 11);
  EXPECT_EQ(*versions.pick(ApiKey::fetch, {0, 6}), 6);
  const auto too_new = versions.pick(ApiKey::fetch, {12, 18});
  ASSERT_FALSE(too_new);
  EXPECT_EQ(too_new.error().code, Errc::unsupported_version);
  EXPECT_EQ(too_new.error().subject, "Fetch: the broker speaks versions 4-11, this call needs one of 12-18");
  EXPECT_EQ(versions.pick(ApiKey::produce, {3, 13}).error().subject, "the broker does not serve Produce");
  EXPECT_TRUE(versions.supports(ApiKey::fetch, 4));
  EXPECT_FALSE(versions.supports(ApiKey::fetch, 12));
}

}  // namespace
}  // namespace barnabas::client
