#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "common/protocol/api_keys.h"
#include "common/protocol/errors.h"
#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"
#include "tests/support/golden.h"

namespace barnabas::protocol {
namespace {

nlohmann::json kafka(const char* section) {
  return nlohmann::json::parse(testing::golden_text("protocol.json")).at(section);
}

bool lists(const nlohmann::json& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(ErrorTable, is_kafkas) {
  const nlohmann::json errors = kafka("errors");
  ASSERT_EQ(errors.size(), all_errors().size());
  for (const nlohmann::json& error : errors) {
    SCOPED_TRACE(error["name"]);
    const ErrorInfo* info = find_error(error["code"].get<std::int16_t>());
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(code_of(info->code), error["code"].get<std::int16_t>());
    EXPECT_EQ(to_string(info->code), error["name"].get<std::string>());
    EXPECT_EQ(is_retriable(info->code), error["retriable"].get<bool>());
    EXPECT_EQ(means_stale_metadata(info->code), error["invalidMetadata"].get<bool>());
    EXPECT_EQ(message_of(info->code), error["message"].is_null() ? "" : error["message"].get<std::string>());
  }
}

TEST(ErrorTable, gives_error_codes_of_a_category_of_their_own) {
  const std::error_code code = ErrorCode::unknown_topic_or_partition;
  EXPECT_EQ(code.value(), 3);
  EXPECT_STREQ(code.category().name(), "kafka");
  EXPECT_EQ(code.message(), "UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition.");
  EXPECT_FALSE(std::error_code(ErrorCode::none));
  EXPECT_EQ(error_of(12345), ErrorCode::unknown_server_error);
  EXPECT_EQ(find_error(-2), nullptr);
}

TEST(ApiTable, is_kafkas) {
  const nlohmann::json apis = kafka("apiKeys");
  ASSERT_EQ(apis.size(), all_apis().size());
  for (const nlohmann::json& api : apis) {
    SCOPED_TRACE(api["name"]);
    const ApiInfo* info = find_api(api["apiKey"].get<std::int16_t>());
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(to_string(info->key), api["name"].get<std::string>());
    EXPECT_EQ(info->valid(), api["hasValidVersion"].get<bool>());
    EXPECT_EQ(info->on_broker_listener, lists(api["listeners"], "BROKER"));
    EXPECT_EQ(info->on_controller_listener, lists(api["listeners"], "CONTROLLER"));
    EXPECT_EQ(info->cluster_action, api["clusterAction"].get<bool>());
    EXPECT_EQ(info->forwardable, api["forwardable"].get<bool>());
    if (!info->valid()) continue;
    EXPECT_EQ(info->min_version, api["oldestVersion"].get<int>());
    EXPECT_EQ(info->max_version, api["latestVersion"].get<int>());
    EXPECT_EQ(info->max_stable_version, api["latestStableVersion"].get<int>());
    if (api.contains("advertisedByBrokerMin") && api["advertisedByBrokerMin"].is_number()) {
      EXPECT_EQ(info->advertised_min, api["advertisedByBrokerMin"].get<int>());
    }
    for (const auto& [version, headers] : api["headerVersions"].items()) {
      const auto number = static_cast<std::int16_t>(std::stoi(version));
      EXPECT_EQ(request_header_version(info->key, number), headers[0].get<int>()) << version;
      EXPECT_EQ(response_header_version(info->key, number), headers[1].get<int>()) << version;
    }
  }
}

TEST(ApiTable, agrees_with_the_messages) {
  for (const ApiInfo& api : all_apis()) {
    SCOPED_TRACE(api.name);
    const auto key = static_cast<std::int16_t>(api.key);
    for (const MessageKind kind : {MessageKind::request, MessageKind::response}) {
      const MessageInfo* message = find_message(kind, key);
      ASSERT_EQ(message != nullptr, api.valid());
      if (message == nullptr) continue;
      EXPECT_EQ(message->min_version, api.min_version);
      EXPECT_EQ(message->max_version, api.max_version);
      EXPECT_EQ(message->first_flexible_version, api.first_flexible);
    }
  }
  EXPECT_EQ(find_api(std::int16_t{-1}), nullptr);
  EXPECT_EQ(find_api(static_cast<std::int16_t>(all_apis().size())), nullptr);
}

}  // namespace
}  // namespace barnabas::protocol
