// DescribeConfigs.
#include <charconv>

#include "client/admin/admin_call.h"
#include "common/protocol/messages/describe_configs.h"

namespace barnabas::client {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;

constexpr std::int16_t kFirstWithDocumentation = 3;
constexpr std::int8_t kDefaultConfig = 5;

const char* source_name(std::int8_t source) {
  switch (source) {
    case 1:
      return "DYNAMIC_TOPIC_CONFIG";
    case 2:
      return "DYNAMIC_BROKER_CONFIG";
    case 3:
      return "DYNAMIC_DEFAULT_BROKER_CONFIG";
    case 4:
      return "STATIC_BROKER_CONFIG";
    case kDefaultConfig:
      return "DEFAULT_CONFIG";
    case 6:
      return "DYNAMIC_BROKER_LOGGER_CONFIG";
    case 7:
      return "DYNAMIC_CLIENT_METRICS_CONFIG";
    case 8:
      return "DYNAMIC_GROUP_CONFIG";
    default:
      return "UNKNOWN";
  }
}

ConfigEntry entry_of(const DescribeConfigsResponse::DescribeConfigsResourceResult& config) {
  return {.name = config.name,
          .value = config.value,
          .is_default = config.config_source == kDefaultConfig,
          .is_read_only = config.read_only,
          .is_sensitive = config.is_sensitive,
          .source = source_name(config.config_source),
          .documentation = config.documentation.value_or(std::string())};
}

std::string subject_of(const ConfigResource& resource) {
  return (resource.type == ConfigResourceType::broker ? "broker '" : "topic '") + resource.name + "'";
}

/// A broker's own configuration is known to that broker alone.
Result<Target> target_of(const ConfigResource& resource) {
  if (resource.type != ConfigResourceType::broker || resource.name.empty()) return Target{};
  Target target{Target::Kind::broker, -1};
  const char* const end = resource.name.data() + resource.name.size();
  const auto [stopped, error] = std::from_chars(resource.name.data(), end, target.broker_id);
  if (error == std::errc() && stopped == end && target.broker_id >= 0) return target;
  return failure(Errc::invalid_argument, subject_of(resource) + " is no broker id");
}

}  // namespace

asio::awaitable<Result<std::vector<ConfigDescription>>> describe_configs(AdminPtr admin,
                                                                         std::vector<ConfigResource> resources,
                                                                         AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::vector<ConfigDescription> all;
  for (const ConfigResource& resource : resources) {
    const auto target = target_of(resource);
    if (!target) co_return failure(target.error());
    std::function<DescribeConfigsRequest(std::int16_t)> build = [&resource](std::int16_t version) {
      DescribeConfigsRequest request;
      auto& asked = request.resources.emplace_back();
      asked.resource_type = static_cast<std::int8_t>(resource.type);
      asked.resource_name = resource.name;
      asked.configuration_keys = std::nullopt;
      request.include_documentation = version >= kFirstWithDocumentation;
      return request;
    };
    const auto reply = co_await ask<DescribeConfigsResponse>(admin, *target, build, deadline);
    if (!reply) co_return failure(reply.error());
    for (const auto& result : reply->body.results) {
      auto& description = all.emplace_back();
      description.resource = resource;
      description.error = item_error(result.error_code, subject_of(resource), result.error_message);
      for (const auto& config : result.configs) description.entries.push_back(entry_of(config));
    }
  }
  co_return all;
}

}  // namespace barnabas::client
