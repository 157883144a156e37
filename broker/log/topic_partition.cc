#include "broker/log/topic_partition.h"

#include <charconv>

namespace barnabas::log {

std::optional<TopicPartition> TopicPartition::parse(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return std::nullopt;
  TopicPartition result{std::string(name.substr(0, dash)), 0};
  const char* const end = name.data() + name.size();
  const auto [stop, why] = std::from_chars(name.data() + dash + 1, end, result.partition);
  if (why != std::errc{} || stop != end || result.partition < 0) return std::nullopt;
  return result;
}

}  // namespace barnabas::log
