#include "broker/config/topic_config.h"

#include <charconv>

namespace barnabas::config {
namespace {

/// A broker setting and the older ones that stand in for it, each with what its unit is worth.
struct Unit {
  std::string_view name;
  std::int64_t factor;
};

std::vector<Unit> with_older_names(std::string_view name) {
  constexpr std::int64_t minute_ms = 60 * 1000;
  constexpr std::int64_t hour_ms = 60 * minute_ms;
  if (name == "log.retention.ms")
    return {{name, 1}, {"log.retention.minutes", minute_ms}, {"log.retention.hours", hour_ms}};
  if (name == "log.roll.ms") return {{name, 1}, {"log.roll.hours", hour_ms}};
  if (name == "log.roll.jitter.ms") return {{name, 1}, {"log.roll.jitter.hours", hour_ms}};
  if (name == "log.flush.interval.ms") return {{name, 1}, {"log.flush.scheduler.interval.ms", 1}};
  return {{name, 1}};
}

void add_dynamic(std::vector<ConfigSynonym>& found, std::string_view name, const ConfigMap* layer,
                 ConfigSource source) {
  if (layer == nullptr) return;
  const auto entry = layer->find(std::string(name));
  if (entry != layer->end()) found.push_back({std::string(name), entry->second, source});
}

std::string in_milliseconds(const std::string& text, std::int64_t factor) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::to_string(value < 0 ? value : value * factor);
}

}  // namespace

std::vector<ConfigSynonym> broker_synonyms(std::string_view name, const ConfigLayers& layers) {
  std::vector<ConfigSynonym> found;
  if (find_broker_row(name) == nullptr) return found;
  const auto units = with_older_names(name);
  for (const Unit& unit : units) add_dynamic(found, unit.name, layers.broker, ConfigSource::dynamic_broker);
  for (const Unit& unit : units) add_dynamic(found, unit.name, layers.broker_default, ConfigSource::dynamic_default);
  for (const Unit& unit : units) {
    if (layers.file != nullptr && layers.file->is_set(unit.name)) {
      found.push_back({std::string(unit.name), layers.file->text(unit.name), ConfigSource::static_broker});
    }
  }
  for (const Unit& unit : units) {
    const SettingRow& row = *find_broker_row(unit.name);
    if (row.default_text != nullptr) found.push_back({row.name, row.default_text, ConfigSource::default_value});
  }
  return found;
}

std::vector<ConfigSynonym> topic_synonyms(std::string_view name, const ConfigLayers& layers) {
  std::vector<ConfigSynonym> found;
  const SettingRow* row = find_topic_row(name);
  if (row == nullptr) return found;
  add_dynamic(found, name, layers.topic, ConfigSource::topic);
  if (*row->broker_default != '\0') {
    for (ConfigSynonym& synonym : broker_synonyms(row->broker_default, layers)) found.push_back(std::move(synonym));
  } else if (row->default_text != nullptr) {
    found.push_back({row->name, row->default_text, ConfigSource::default_value});
  }
  return found;
}

std::optional<std::string> topic_value(std::string_view name, const ConfigLayers& layers) {
  const auto found = topic_synonyms(name, layers);
  if (found.empty() || !found.front().value) return std::nullopt;
  const ConfigSynonym& first = found.front();
  const SettingRow* row = find_topic_row(name);
  for (const Unit& unit : with_older_names(row->broker_default)) {
    if (unit.name == first.name) return unit.factor == 1 ? first.value : in_milliseconds(*first.value, unit.factor);
  }
  return first.value;
}

Result<runtime::ParsedConfig> effective_topic_config(const ConfigLayers& layers) {
  std::map<std::string, std::string> given;
  for (const SettingRow& row : topic_rows()) {
    auto value = topic_value(row.name, layers);
    const bool is_default = value && row.default_text != nullptr && *value == row.default_text;
    if (value && !is_default) given.emplace(row.name, std::move(*value));
  }
  return topic_table().parse(given);
}

Result<void> check_topic_overrides(const std::map<std::string, std::optional<std::string>>& overrides) {
  std::map<std::string, std::string> given;
  for (const auto& [name, value] : overrides) {
    if (!value) return failure(Errc::invalid_config, "Null value not supported for topic configs: " + name);
    given.emplace(name, *value);
  }
  auto parsed = topic_table().parse(given);
  if (!parsed) return failure(parsed.error());
  return {};
}

}  // namespace barnabas::config
