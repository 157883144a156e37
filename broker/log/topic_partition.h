#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace barnabas::log {

/// A partition by its topic's name: what directories and checkpoint files speak of.
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;

  /// "orders-3": the directory's name too.
  std::string to_string() const { return topic + '-' + std::to_string(partition); }
  /// From a directory's name; nothing when it does not end in "-<number>".
  static std::optional<TopicPartition> parse(std::string_view directory_name);

  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

}  // namespace barnabas::log
