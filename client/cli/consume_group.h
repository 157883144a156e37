#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/cli/client_options.h"

namespace barnabas::cli {

/// `barnabas consume --group`.
struct ConsumeGroupOptions {
  ClientOptions client;
  std::string group;
  std::string topic;
  std::string from = "beginning";  ///< Where the group has committed nothing: beginning or end.
  std::optional<std::uint64_t> count;
  bool follow = false;
  std::string format;
  bool json = false;
};

/// Reads as a member of the group, from where it committed, and commits what was printed. Ends at the end of what it
/// was given, after `count` records, at SIGINT or SIGTERM, or when nobody reads its output; then it leaves the group.
/// Returns the exit code. Errors: throws UsageError, or barnabas::Error.
int consume_in_group(const ConsumeGroupOptions& options);

}  // namespace barnabas::cli
