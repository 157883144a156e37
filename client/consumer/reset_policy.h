#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/bytes/result.h"

namespace barnabas::client {

/// Where a partition without a valid position starts: auto.offset.reset.
struct ResetPolicy {
  enum class Kind { none, earliest, latest, by_duration };

  Kind kind = Kind::latest;
  std::chrono::milliseconds duration{0};  ///< by_duration: how far back from now.

  /// The timestamp for ListOffsets: -2 earliest, -1 latest, or the time `duration` ago.
  /// Units: now_ms is the wall clock in milliseconds since 1970.
  std::int64_t timestamp(std::int64_t now_ms) const noexcept;

  bool operator==(const ResetPolicy&) const = default;
};

/// Reads "earliest", "latest", "none" or "by_duration:PnDTnHnMn.nS".
/// Errors: Errc::invalid_config that quotes the text.  Source: Kafka's AutoOffsetResetStrategy.
Result<ResetPolicy> parse_reset_policy(std::string_view text);

std::string to_string(const ResetPolicy& policy);

}  // namespace barnabas::client
