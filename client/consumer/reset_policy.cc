#include "client/consumer/reset_policy.h"

#include <fmt/format.h>

#include "common/runtime/iso_duration.h"

namespace barnabas::client {
namespace {

constexpr std::int64_t kEarliestTimestamp = -2;
constexpr std::int64_t kLatestTimestamp = -1;
constexpr std::string_view kByDuration = "by_duration:";
constexpr std::int64_t kMsPerSecond = 1000;

}  // namespace

std::int64_t ResetPolicy::timestamp(std::int64_t now_ms) const noexcept {
  switch (kind) {
    case Kind::earliest:
      return kEarliestTimestamp;
    case Kind::by_duration:
      return now_ms - duration.count();
    default:
      return kLatestTimestamp;
  }
}

Result<ResetPolicy> parse_reset_policy(std::string_view text) {
  if (text == "earliest") return ResetPolicy{ResetPolicy::Kind::earliest, {}};
  if (text == "latest") return ResetPolicy{ResetPolicy::Kind::latest, {}};
  if (text == "none") return ResetPolicy{ResetPolicy::Kind::none, {}};
  if (text.substr(0, kByDuration.size()) == kByDuration) {
    const auto duration = runtime::parse_iso_duration(text.substr(kByDuration.size()));
    if (!duration) return failure(Errc::invalid_config, "auto.offset.reset: " + duration.error().subject);
    return ResetPolicy{ResetPolicy::Kind::by_duration, *duration};
  }
  return failure(
      Errc::invalid_config,
      fmt::format("auto.offset.reset: '{}' is none of earliest, latest, none, by_duration:PnDTnHnMn.nS", text));
}

std::string to_string(const ResetPolicy& policy) {
  switch (policy.kind) {
    case ResetPolicy::Kind::none:
      return "none";
    case ResetPolicy::Kind::earliest:
      return "earliest";
    case ResetPolicy::Kind::latest:
      return "latest";
    case ResetPolicy::Kind::by_duration:
      return fmt::format("by_duration:PT{}.{:03}S", policy.duration.count() / kMsPerSecond,
                         policy.duration.count() % kMsPerSecond);
  }
  return {};
}

}  // namespace barnabas::client
