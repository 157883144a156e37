#pragma once

#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "client/core/cluster_snapshot.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// What a consumer subscribes to: topics by name, or all whose whole name matches an expression.
struct Subscription {
  std::set<std::string> topics;  ///< With a pattern: those that matched when it was looked last.
  std::string pattern_text;
  std::shared_ptr<const std::regex> pattern;  ///< nullptr: by name.

  bool is_empty() const noexcept { return topics.empty() && pattern == nullptr; }
  /// Whether it may be given partitions of a topic: an assignor of another member may have seen newer metadata.
  bool covers(const std::string& topic) const;
  /// Whether the metadata say something else of what the pattern matches; takes it over.
  bool match_again(const ClusterSnapshot& cluster, bool exclude_internal_topics);
};

/// Errors: Errc::invalid_argument for an empty name, or an expression that std::regex (ECMAScript) does not take.
Result<Subscription> subscription_to(const std::vector<std::string>& topics);
Result<Subscription> subscription_to_pattern(const std::string& expression);

}  // namespace barnabas::client
