#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/bytes/result.h"

namespace barnabas::runtime {

/// Kafka's ConfigDef.Type.
enum class ConfigType { boolean, short_integer, integer, long_integer, floating, string, list, class_name, password };

/// What a setting does here.
enum class ConfigStatus {
  acts,      ///< As documented.
  accepted,  ///< Taken without effect, because nothing is lost by it; said once in the log.
  refused,   ///< Anything but the default is an error: without it security, durability or delivery would be weaker.
};

enum class ConfigImportance { high, medium, low };

/// One setting: name, type and default are Kafka's, the words are ours.
struct ConfigDef {
  std::string name;
  ConfigType type = ConfigType::string;
  std::optional<std::string> default_value;  ///< As text; none is Kafka's null, or "must be set" where `required`.
  std::optional<double> min;                 ///< Smallest number allowed.
  std::optional<double> max;                 ///< Largest number allowed.
  std::vector<std::string> allowed;          ///< Of a string, or of each element of a list; empty: anything.
  ConfigImportance importance = ConfigImportance::medium;
  std::string doc;  ///< Meaning, one or two sentences.
  ConfigStatus status = ConfigStatus::acts;
  std::string differs;  ///< How it differs from Kafka and why; why it is accepted or refused.
  bool required = false;
  bool any_case = false;  ///< `allowed` holds in any case, and the value is what stands there.
  /// Why a (well-typed) value cannot be, or nothing.
  std::function<std::optional<std::string>(const std::string&)> check;
};

/// A setting's value; monostate is null.
using ConfigValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

class ConfigTable;

/// All settings of one table: what the user gave, and defaults for the rest.
/// Errors: asking for a name that the table lacks, or by the wrong type, is our own mistake and ends the process.
/// Threads: any, as long as nobody assigns to it.
class ParsedConfig {
 public:
  bool get_bool(std::string_view name) const;
  std::int16_t get_short(std::string_view name) const;
  std::int32_t get_int(std::string_view name) const;
  std::int64_t get_long(std::string_view name) const;
  double get_double(std::string_view name) const;
  /// Empty when null; see is_null.
  const std::string& get_string(std::string_view name) const;
  const std::vector<std::string>& get_list(std::string_view name) const;

  bool is_null(std::string_view name) const;
  /// Whether the user gave it, rather than the default.
  bool is_set(std::string_view name) const;
  /// The value as text, as DescribeConfigs shows it; none when null.
  std::optional<std::string> text(std::string_view name) const;
  /// Names that the user gave and that have no effect here: for one line of the log.
  const std::vector<std::string>& without_effect() const noexcept { return without_effect_; }
  const ConfigTable& table() const noexcept { return *table_; }

 private:
  friend class ConfigTable;
  explicit ParsedConfig(const ConfigTable& table) : table_(&table) {}
  const ConfigValue& value(std::string_view name) const;

  struct Entry {
    ConfigValue value;
    bool is_set = false;
  };
  const ConfigTable* table_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> without_effect_;
};

/// The settings of one kind (producer, consumer, admin, broker, topic). Lives as long as what was parsed by it.
class ConfigTable {
 public:
  /// `kind` as in a message: "unknown producer setting".
  ConfigTable(std::string kind, std::vector<ConfigDef> rows);

  /// Errors: Errc::invalid_config with all that is wrong: unknown names with the nearest known one, ill-typed values,
  /// values out of range, refused settings, required ones that are missing.
  Result<ParsedConfig> parse(const std::map<std::string, std::string>& given) const;
  /// One value of one setting (nullopt: null), as an incremental change brings it.
  Result<ConfigValue> parse_value(const ConfigDef& row, const std::optional<std::string>& text) const;

  const std::vector<ConfigDef>& rows() const noexcept { return rows_; }
  /// nullptr when there is none.
  const ConfigDef* find(std::string_view name) const;
  /// "unknown producer setting 'akcs', did you mean 'acks'?"
  std::string unknown_name_message(std::string_view name) const;
  /// A Markdown table of the rows, for docs/reference.
  std::string to_markdown() const;

 private:
  std::optional<std::string> parse_one(const std::string& name, const std::string& text, ParsedConfig& parsed) const;

  std::string kind_;
  std::vector<ConfigDef> rows_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

std::string_view to_string(ConfigType type) noexcept;
/// Of ASCII letters only, as names in settings have.
bool equals_in_any_case(std::string_view a, std::string_view b);
/// As Kafka writes it: list elements with commas between, numbers plain; none for null.
std::optional<std::string> to_text(const ConfigValue& value);

}  // namespace barnabas::runtime
