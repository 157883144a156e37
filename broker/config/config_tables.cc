#include "broker/config/config_tables.h"

#include <charconv>
#include <map>
#include <string>
#include <vector>

namespace barnabas::config {
namespace {

using runtime::ConfigDef;
using runtime::ConfigStatus;
using runtime::ConfigTable;

struct Reason {
  ConfigStatus status;
  const char* differs;
  const char* doc;
};

Reason reason_for(Why why) {
  switch (why) {
    case Why::acts:
      return {ConfigStatus::acts, "", ""};
    case Why::java:
      return {ConfigStatus::accepted, "There is no Java runtime; see metrics.port.", "Java metrics."};
    case Why::tiered:
      return {ConfigStatus::accepted, "No tiered storage: all data stays local.", "Tiered storage."};
    case Why::single:
      return {ConfigStatus::accepted, "There is one broker, so nothing to replicate, elect or balance.",
              "Replication, quorum and elections."};
    case Why::inside:
      return {ConfigStatus::accepted, "That part is built otherwise here.", "Kafka's own threads and timers."};
    case Why::cleaner:
      return {ConfigStatus::accepted, "Compaction comes later.", "Log compaction."};
    case Why::groups:
      return {ConfigStatus::accepted, "Groups of that protocol come later.", "Consumer, share and streams groups."};
    case Why::transactions:
      return {ConfigStatus::accepted, "Transactions come later.", "Transactions."};
    case Why::security:
      return {ConfigStatus::refused, "not served yet, and without it nothing would be protected", "Security."};
    case Why::plugin:
      return {ConfigStatus::refused, "names a Java class, which cannot run here", "Plug-ins."};
    case Why::refused:
      return {ConfigStatus::refused, "not kept yet, so it cannot be promised", "Limits and promises."};
  }
  return {ConfigStatus::refused, "", ""};
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> elements_of(std::string_view inside) {
  std::vector<std::string> elements;
  while (!inside.empty()) {
    const auto comma = inside.find(',');
    std::string_view element = inside.substr(0, comma);
    while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
    elements.emplace_back(element);
    if (comma == std::string_view::npos) break;
    inside.remove_prefix(comma + 1);
  }
  return elements;
}

/// "[1,...,9] or -1": a range with one value outside it.
void allow_exception(ConfigDef& def, double exception) {
  const double min = *def.min;
  const double max = *def.max;
  def.min = exception;
  def.check = [min, max, exception](const std::string& text) -> std::optional<std::string> {
    const auto value = number(text);
    if (value && (*value == exception || (*value >= min && *value <= max))) return std::nullopt;
    return "allowed: " + std::to_string(static_cast<int>(min)) + " to " + std::to_string(static_cast<int>(max)) +
           ", or " + std::to_string(static_cast<int>(exception));
  };
}

/// Reads Kafka's notation of what a setting allows; what is only said in words there is left to who uses the setting.
void apply_range(ConfigDef& def, std::string_view range) {
  constexpr std::string_view any_case = "(case insensitive) ";
  const bool case_insensitive = range.substr(0, any_case.size()) == any_case;
  if (case_insensitive) range.remove_prefix(any_case.size());
  const auto close = range.rfind(']');
  if (range.empty() || range.front() != '[' || close == std::string_view::npos) return;
  const std::string_view rest = range.substr(close + 1);
  const auto elements = elements_of(range.substr(1, close - 1));
  if (elements.size() >= 2 && elements[1] == "...") {
    def.min = number(elements[0]);
    if (elements.size() > 2) def.max = number(elements[2]);
    constexpr std::string_view exception = " or ";
    if (rest.substr(0, exception.size()) == exception) allow_exception(def, *number(rest.substr(exception.size())));
    return;
  }
  if (range.find("[partitionId]") == 0) return;
  def.allowed = elements;
  def.any_case = case_insensitive;
  if (!case_insensitive || !def.default_value) return;
  for (std::string& one : def.allowed) {  // Kafka writes these in capitals, its own default not always
    if (runtime::equals_in_any_case(one, *def.default_value)) one = *def.default_value;
  }
}

ConfigDef def_of(const SettingRow& row) {
  const Reason reason = reason_for(row.why);
  ConfigDef def;
  def.name = row.name;
  def.type = row.type;
  if (row.default_text != nullptr) def.default_value = row.default_text;
  def.importance = row.importance;
  def.status = reason.status;
  def.doc = *row.doc != '\0' ? row.doc : reason.doc;
  def.differs = *row.differs != '\0' ? row.differs : reason.differs;
  apply_range(def, row.range);
  return def;
}

std::map<std::string, const SettingRow*, std::less<>> by_name(
    std::initializer_list<std::span<const SettingRow>> parts) {
  std::map<std::string, const SettingRow*, std::less<>> rows;
  for (const auto part : parts) {
    for (const SettingRow& row : part) rows.emplace(row.name, &row);
  }
  return rows;
}

const std::map<std::string, const SettingRow*, std::less<>>& broker_rows_by_name() {
  static const auto rows = by_name({acting_broker_rows(), other_broker_rows()});
  return rows;
}

const std::map<std::string, const SettingRow*, std::less<>>& topic_rows_by_name() {
  static const auto rows = by_name({topic_rows()});
  return rows;
}

std::vector<ConfigDef> defs_of(const std::map<std::string, const SettingRow*, std::less<>>& rows) {
  std::vector<ConfigDef> defs;
  defs.reserve(rows.size());
  for (const auto& [name, row] : rows) defs.push_back(def_of(*row));
  return defs;
}

const SettingRow* find_in(const std::map<std::string, const SettingRow*, std::less<>>& rows, std::string_view name) {
  const auto found = rows.find(name);
  return found == rows.end() ? nullptr : found->second;
}

constexpr const char* kHowToRead =
    "Names, types and defaults are those of Apache Kafka 4.3. A setting *acts*, is *accepted* without effect (said "
    "once in\n"
    "the log), or is *refused* at start when it is set to anything but its default.\n\n"
    "This page is written from the tables in `broker/config`; a test keeps it current.\n\n";

}  // namespace

const ConfigTable& broker_table() {
  static const ConfigTable table("broker", defs_of(broker_rows_by_name()));
  return table;
}

const ConfigTable& topic_table() {
  static const ConfigTable table("topic", defs_of(topic_rows_by_name()));
  return table;
}

const SettingRow* find_broker_row(std::string_view name) {
  return find_in(broker_rows_by_name(), name);
}
const SettingRow* find_topic_row(std::string_view name) {
  return find_in(topic_rows_by_name(), name);
}

std::string broker_settings_page() {
  return std::string("# Broker settings\n\n") + kHowToRead + broker_table().to_markdown();
}
std::string topic_settings_page() {
  return std::string("# Topic settings\n\n") + kHowToRead + topic_table().to_markdown();
}

}  // namespace barnabas::config
