#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/consumer/group/membership.h"

namespace barnabas::client {

/// The settings of a consumer with a group.id, typed.
struct GroupSettings {
  Membership::Settings membership;
  std::vector<std::string> assignors;  ///< As partition.assignment.strategy names them.
  bool auto_commit = true;
  std::chrono::milliseconds auto_commit_interval{5000};
  bool exclude_internal_topics = true;
};

}  // namespace barnabas::client
