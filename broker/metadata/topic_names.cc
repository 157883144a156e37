#include "broker/metadata/topic_names.h"

#include <algorithm>

#include "common/protocol/errors.h"

namespace barnabas::metadata {
namespace {

bool is_allowed(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string unified(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '.', '_');
  return result;
}

std::string problem_of(std::string_view name) {
  const std::string quoted = "'" + std::string(name) + "'";
  if (name.empty()) return "the empty string is not allowed";
  if (name == "." || name == "..") return quoted + " is not allowed";
  if (name.size() > kMaxTopicNameLength) {
    return "the length of " + quoted + " is longer than the max allowed length " + std::to_string(kMaxTopicNameLength);
  }
  if (!std::all_of(name.begin(), name.end(), is_allowed)) {
    return quoted + " contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
  }
  return {};
}

}  // namespace

Result<void> check_topic_name(std::string_view name) {
  const std::string problem = problem_of(name);
  if (problem.empty()) return {};
  return failure(protocol::ErrorCode::invalid_topic_exception, "Topic name is invalid: " + problem);
}

bool is_internal_topic(std::string_view name) noexcept {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

bool has_collision_characters(std::string_view name) noexcept {
  return name.find_first_of("._") != std::string_view::npos;
}

bool topic_names_collide(std::string_view a, std::string_view b) noexcept {
  return unified(a) == unified(b);
}

}  // namespace barnabas::metadata
