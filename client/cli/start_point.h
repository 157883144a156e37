#pragma once

#include <cstdint>
#include <string_view>

#include "common/bytes/result.h"

namespace barnabas::cli {

/// Where `consume --from` starts.
struct StartPoint {
  enum class Kind { beginning, end, offset, time };

  Kind kind = Kind::beginning;
  std::int64_t value = 0;  ///< offset: the offset; time: milliseconds since 1970 (UTC).

  bool operator==(const StartPoint&) const = default;
};

/// Reads "beginning", "end", an offset ("42"), or a time: ISO 8601 ("2026-01-31", "2026-01-31T12:00:00.5+02:00", UTC
/// where no zone is given) or milliseconds since 1970 behind an @ ("@1700000000000"). Errors: Errc::invalid_argument
/// that quotes the text.
Result<StartPoint> parse_start_point(std::string_view text);

/// An ISO 8601 date or date and time as milliseconds since 1970.
/// Errors: Errc::invalid_argument that quotes the text.
Result<std::int64_t> parse_iso_time_ms(std::string_view text);

}  // namespace barnabas::cli
