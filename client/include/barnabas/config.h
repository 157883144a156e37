#pragma once

#include <chrono>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "barnabas/export.h"

namespace barnabas {
inline namespace v0 {

/// Settings by Kafka's own names, as text, as in a .properties file:
/// `Config{{"bootstrap.servers", "localhost:9092"}, {"linger.ms", "20"}}`.
/// Nothing is checked here: the client that takes them refuses unknown names and ill-typed values, and suggests the
/// nearest name. Threads: a value, as std::map.
class BARNABAS_API Config {
 public:
  using Properties = std::map<std::string, std::string>;

  Config() = default;
  Config(std::initializer_list<std::pair<const std::string, std::string>> properties) : properties_(properties) {}
  explicit Config(Properties properties) : properties_(std::move(properties)) {}

  /// Reads the text of a .properties file ('#' and '!' comments, '=' or ':', '\' at a line's end continues it).
  static Config from_properties(std::string_view text);

  /// Sets or replaces one. Numbers, booleans and durations (as milliseconds) are written as Kafka writes them.
  Config& set(std::string name, std::string value) {
    properties_.insert_or_assign(std::move(name), std::move(value));
    return *this;
  }
  Config& set(std::string name, const char* value) { return set(std::move(name), std::string(value)); }
  Config& set(std::string name, bool value) { return set(std::move(name), std::string(value ? "true" : "false")); }
  template <typename Number>
  requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>) Config& set(std::string name, Number value) {
    return set(std::move(name), std::to_string(value));
  }
  template <typename Rep, typename Period>
  Config& set(std::string name, std::chrono::duration<Rep, Period> value) {
    return set(std::move(name), std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
  }

  const Properties& properties() const noexcept { return properties_; }

 private:
  Properties properties_;
};

}  // namespace v0
}  // namespace barnabas
