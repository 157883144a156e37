#pragma once

#include <chrono>
#include <string_view>

#include "common/bytes/result.h"

namespace barnabas::runtime {

/// An ISO 8601 duration of days, hours, minutes and seconds, not negative.
/// Errors: Errc::invalid_config.  Source: java.time.Duration.parse, without its negative forms.
Result<std::chrono::milliseconds> parse_iso_duration(std::string_view text);

}  // namespace barnabas::runtime
