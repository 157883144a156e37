#include "client/consumer/group/subscription.h"

#include <fmt/format.h>

namespace barnabas::client {

bool Subscription::covers(const std::string& topic) const {
  return topics.count(topic) > 0 || (pattern != nullptr && std::regex_match(topic, *pattern));
}

bool Subscription::match_again(const ClusterSnapshot& cluster, bool exclude_internal_topics) {
  if (pattern == nullptr) return false;
  std::set<std::string> matched;
  for (const auto& [name, topic] : cluster.topics) {
    if (topic->error != protocol::ErrorCode::none || (topic->is_internal && exclude_internal_topics)) continue;
    if (std::regex_match(name, *pattern)) matched.insert(name);
  }
  if (matched == topics) return false;
  topics = std::move(matched);
  return true;
}

Result<Subscription> subscription_to(const std::vector<std::string>& topics) {
  Subscription made;
  for (const std::string& topic : topics) {
    if (topic.empty()) return failure(Errc::invalid_argument, "subscribe: a topic without a name");
    made.topics.insert(topic);
  }
  return made;
}

Result<Subscription> subscription_to_pattern(const std::string& expression) {
  Subscription made;
  made.pattern_text = expression;
  try {
    made.pattern = std::make_shared<const std::regex>(expression, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    return failure(Errc::invalid_argument, fmt::format("subscribe: the expression '{}': {}", expression, error.what()));
  }
  if (expression.empty()) return failure(Errc::invalid_argument, "subscribe: an empty expression");
  return made;
}

}  // namespace barnabas::client
