#include "common/runtime/config_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "common/runtime/edit_distance.h"

namespace barnabas::runtime {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\f\v");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\f\v") - first + 1);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  text = trimmed(text);
  while (!text.empty()) {
    const auto comma = text.find(',');
    elements.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return elements;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string lower = lower_case(trimmed(text));
  if (lower == "true") return true;
  if (lower == "false") return false;
  return std::nullopt;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);  // as Java takes it
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int64_t largest(ConfigType type) {
  if (type == ConfigType::short_integer) return std::numeric_limits<std::int16_t>::max();
  if (type == ConfigType::integer) return std::numeric_limits<std::int32_t>::max();
  return std::numeric_limits<std::int64_t>::max();
}

std::optional<ConfigValue> typed(ConfigType type, const std::string& text) {
  switch (type) {
    case ConfigType::boolean:
      if (const auto value = parse_boolean(text)) return ConfigValue(*value);
      return std::nullopt;
    case ConfigType::short_integer:
    case ConfigType::integer:
    case ConfigType::long_integer: {
      const auto value = parse_number<std::int64_t>(text);
      if (!value || *value > largest(type) || *value < -largest(type) - 1) return std::nullopt;
      return ConfigValue(*value);
    }
    case ConfigType::floating:
      if (const auto value = parse_number<double>(text)) return ConfigValue(*value);
      return std::nullopt;
    case ConfigType::list:
      return ConfigValue(split_list(text));
    case ConfigType::class_name:
      return ConfigValue(std::string(trimmed(text)));
    case ConfigType::string:
    case ConfigType::password:
      return ConfigValue(text);
  }
  return std::nullopt;
}

std::string plain(double number) {
  return std::abs(number) < 1e18 && number == std::floor(number) ? fmt::format("{:.0f}", number)
                                                                 : fmt::format("{}", number);
}

std::string range_text(const ConfigDef& row) {
  if (!row.allowed.empty()) {
    return fmt::format("{}{}", fmt::join(row.allowed, ", "), row.any_case ? " (in any case)" : "");
  }
  if (row.min && row.max) return plain(*row.min) + " to " + plain(*row.max);
  if (row.min) return "at least " + plain(*row.min);
  if (row.max) return "at most " + plain(*row.max);
  return {};
}

bool is_allowed(const ConfigDef& row, const std::string& text) {
  return row.allowed.empty() || std::find(row.allowed.begin(), row.allowed.end(), text) != row.allowed.end();
}

bool is_in_range(const ConfigDef& row, const ConfigValue& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return std::all_of(list->begin(), list->end(), [&row](const auto& element) { return is_allowed(row, element); });
  }
  if (const auto* text = std::get_if<std::string>(&value)) return is_allowed(row, *text);
  double number = 0;
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    number = static_cast<double>(*integer);
  else if (const auto* floating = std::get_if<double>(&value))
    number = *floating;
  else
    return true;
  return !(row.min && number < *row.min) && !(row.max && number > *row.max);
}

/// The setting's own spelling of what was given in another one; else as it was given.
void apply_spelling(const ConfigDef& row, ConfigValue& value) {
  auto* text = std::get_if<std::string>(&value);
  if (!row.any_case || text == nullptr) return;
  const auto same = [text](const std::string& one) { return equals_in_any_case(one, *text); };
  const auto found = std::find_if(row.allowed.begin(), row.allowed.end(), same);
  if (found != row.allowed.end()) *text = *found;
}

/// A password must not reach a log line.
std::string shown(const ConfigDef& row, const std::string& text) {
  return row.type == ConfigType::password ? "[hidden]" : text;
}

std::string in_table_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|')
      cell += "\\|";
    else
      cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

[[noreturn]] void wrong_getter(std::string_view name) {
  fmt::print(stderr, "barnabas: setting '{}' does not exist or has another type\n", name);
  std::abort();
}

template <typename T>
const T& get_as(const ConfigValue& value, std::string_view name) {
  if (const T* typed_value = std::get_if<T>(&value)) return *typed_value;
  wrong_getter(name);
}

}  // namespace

std::string_view to_string(ConfigType type) noexcept {
  switch (type) {
    case ConfigType::boolean:
      return "boolean";
    case ConfigType::short_integer:
      return "short";
    case ConfigType::integer:
      return "int";
    case ConfigType::long_integer:
      return "long";
    case ConfigType::floating:
      return "double";
    case ConfigType::string:
      return "string";
    case ConfigType::list:
      return "list";
    case ConfigType::class_name:
      return "class";
    case ConfigType::password:
      return "password";
  }
  return "unknown";
}

bool equals_in_any_case(std::string_view a, std::string_view b) {
  return lower_case(a) == lower_case(b);
}

std::optional<std::string> to_text(const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* floating = std::get_if<double>(&value)) return fmt::format("{:#}", *floating);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return fmt::format("{}", fmt::join(*list, ","));
  return std::nullopt;
}

bool ParsedConfig::get_bool(std::string_view name) const {
  return get_as<bool>(value(name), name);
}
std::int16_t ParsedConfig::get_short(std::string_view name) const {
  return static_cast<std::int16_t>(get_long(name));
}
std::int32_t ParsedConfig::get_int(std::string_view name) const {
  return static_cast<std::int32_t>(get_long(name));
}
std::int64_t ParsedConfig::get_long(std::string_view name) const {
  return get_as<std::int64_t>(value(name), name);
}
double ParsedConfig::get_double(std::string_view name) const {
  return get_as<double>(value(name), name);
}

const std::string& ParsedConfig::get_string(std::string_view name) const {
  static const std::string empty;
  return is_null(name) ? empty : get_as<std::string>(value(name), name);
}

const std::vector<std::string>& ParsedConfig::get_list(std::string_view name) const {
  static const std::vector<std::string> empty;
  return is_null(name) ? empty : get_as<std::vector<std::string>>(value(name), name);
}

bool ParsedConfig::is_null(std::string_view name) const {
  return std::holds_alternative<std::monostate>(value(name));
}

bool ParsedConfig::is_set(std::string_view name) const {
  const auto entry = entries_.find(name);
  return entry != entries_.end() && entry->second.is_set;
}

std::optional<std::string> ParsedConfig::text(std::string_view name) const {
  return to_text(value(name));
}

const ConfigValue& ParsedConfig::value(std::string_view name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) wrong_getter(name);
  return entry->second.value;
}

ConfigTable::ConfigTable(std::string kind, std::vector<ConfigDef> rows)
    : kind_(std::move(kind)), rows_(std::move(rows)) {
  for (std::size_t i = 0; i < rows_.size(); ++i) by_name_.emplace(rows_[i].name, i);
}

const ConfigDef* ConfigTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &rows_[found->second];
}

std::string ConfigTable::unknown_name_message(std::string_view name) const {
  const ConfigDef* nearest = nullptr;
  std::size_t nearest_distance = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const ConfigDef& row : rows_) {
    // Each letter more or less is an edit: a name of another length by far costs no comparison, however long it is.
    const std::size_t size = row.name.size();
    if (std::max(name.size(), size) - std::min(name.size(), size) >= nearest_distance) continue;
    const std::size_t distance = edit_distance(name, row.name);
    if (distance < nearest_distance) {
      nearest = &row;
      nearest_distance = distance;
    }
  }
  if (nearest == nullptr) return fmt::format("unknown {} setting '{}'", kind_, name);
  return fmt::format("unknown {} setting '{}', did you mean '{}'?", kind_, name, nearest->name);
}

Result<ConfigValue> ConfigTable::parse_value(const ConfigDef& row, const std::optional<std::string>& text) const {
  if (!text) return ConfigValue();
  auto value = typed(row.type, *text);
  if (!value) {
    return failure(Errc::invalid_config,
                   fmt::format("{}={} (it takes {} {})", row.name, shown(row, *text),
                               row.type == ConfigType::integer ? "an" : "a", to_string(row.type)));
  }
  apply_spelling(row, *value);
  if (!is_in_range(row, *value)) {
    return failure(Errc::invalid_config,
                   fmt::format("{}={} (allowed: {})", row.name, shown(row, *text), range_text(row)));
  }
  if (row.check) {
    if (const auto problem = row.check(*text)) {
      return failure(Errc::invalid_config, fmt::format("{}={} ({})", row.name, shown(row, *text), *problem));
    }
  }
  return std::move(*value);
}

/// What is wrong with the setting, or nothing once it is in `parsed`.
std::optional<std::string> ConfigTable::parse_one(const std::string& name, const std::string& text,
                                                  ParsedConfig& parsed) const {
  const ConfigDef* row = find(name);
  if (row == nullptr) return unknown_name_message(name);
  auto value = parse_value(*row, text);
  if (!value) return value.error().subject;
  ParsedConfig::Entry& entry = parsed.entries_.find(name)->second;
  // Saying the default aloud asks for nothing that is not there. Null is said by leaving a setting empty.
  const bool is_default = *value == entry.value || (text.empty() && !row->default_value);
  if (row->status == ConfigStatus::refused && !is_default) {
    return fmt::format("{}={} is refused: {}", name, shown(*row, text), row->differs);
  }
  if (row->status == ConfigStatus::accepted) parsed.without_effect_.push_back(name);
  entry.value = std::move(*value);
  entry.is_set = true;
  return std::nullopt;
}

Result<ParsedConfig> ConfigTable::parse(const std::map<std::string, std::string>& given) const {
  ParsedConfig parsed(*this);
  std::vector<std::string> problems;
  for (const ConfigDef& row : rows_) {
    auto value = parse_value(row, row.default_value);
    if (!value) problems.push_back("default of " + value.error().subject);
    parsed.entries_.emplace(row.name, ParsedConfig::Entry{value ? std::move(*value) : ConfigValue(), false});
    if (row.required && !row.default_value && given.count(row.name) == 0) problems.push_back(row.name + " must be set");
  }
  for (const auto& [name, text] : given) {
    if (auto problem = parse_one(name, text, parsed)) problems.push_back(std::move(*problem));
  }
  if (!problems.empty()) return failure(Errc::invalid_config, fmt::format("{}", fmt::join(problems, "; ")));
  return parsed;
}

std::string ConfigTable::to_markdown() const {
  std::string out =
      "| name | type | default | range | meaning | here | differs from Kafka, why |\n|---|---|---|---|---|---|---|\n";
  for (const ConfigDef& row : rows_) {
    std::string default_text = row.required ? "(must be set)" : "null";
    if (row.default_value) default_text = row.default_value->empty() ? "(empty)" : *row.default_value;
    const char* status = "acts";
    if (row.status == ConfigStatus::accepted) status = "accepted, no effect";
    if (row.status == ConfigStatus::refused) status = "refused";
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", row.name, to_string(row.type),
                       in_table_cell(default_text), in_table_cell(range_text(row)), in_table_cell(row.doc), status,
                       in_table_cell(row.differs));
  }
  return out;
}

}  // namespace barnabas::runtime
