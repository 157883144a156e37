#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/config_tables.h"
#include "common/bytes/result.h"

namespace barnabas::config {

using ConfigMap = std::map<std::string, std::string>;

/// Where a value comes from: DescribeConfigs' codes, first in this order goes before the later ones.
enum class ConfigSource : std::int8_t {
  unknown = 0,
  topic = 1,            ///< Set on the topic.
  dynamic_broker = 2,   ///< Set on this broker while it ran.
  dynamic_default = 3,  ///< Set on all brokers while they ran.
  static_broker = 4,    ///< server.properties.
  default_value = 5,
};

struct ConfigSynonym {
  std::string name;
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::unknown;
};

/// The places where a topic's or broker's setting may be said. The pointers may be null where there is nothing to say.
struct ConfigLayers {
  const ConfigMap* topic = nullptr;
  const ConfigMap* broker = nullptr;          ///< Dynamic, of this broker.
  const ConfigMap* broker_default = nullptr;  ///< Dynamic, of all brokers.
  const runtime::ParsedConfig* file = nullptr;
};

/// All that is said about a setting, what counts first; the default is last. Empty for an unknown name.
/// log.retention.ms also counts minutes and hours, log.roll.ms hours, log.flush.interval.ms its scheduler's interval;
/// they appear under their own names with their own values.
std::vector<ConfigSynonym> broker_synonyms(std::string_view name, const ConfigLayers& layers);
std::vector<ConfigSynonym> topic_synonyms(std::string_view name, const ConfigLayers& layers);

/// The value that counts for a topic setting, in the topic setting's own unit (hours become milliseconds).
std::optional<std::string> topic_value(std::string_view name, const ConfigLayers& layers);

/// All topic settings as they count.
/// Errors: invalid_config naming the setting.
Result<runtime::ParsedConfig> effective_topic_config(const ConfigLayers& layers);

/// What CreateTopics checks of the settings it is given.
/// Errors: invalid_config naming the setting: unknown, ill-typed, out of range, refused.
Result<void> check_topic_overrides(const std::map<std::string, std::optional<std::string>>& overrides);

}  // namespace barnabas::config
