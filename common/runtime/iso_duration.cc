#include "common/runtime/iso_duration.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <limits>
#include <optional>

namespace barnabas::runtime {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::int64_t kMaxMs = std::numeric_limits<std::int64_t>::max();

std::int64_t unit_ms(char unit, bool in_time) {
  if (!in_time) return unit == 'D' ? 86'400 * kMsPerSecond : 0;
  switch (unit) {
    case 'H':
      return 3'600 * kMsPerSecond;
    case 'M':
      return 60 * kMsPerSecond;
    case 'S':
      return kMsPerSecond;
    default:
      return 0;
  }
}

/// "12" or, for seconds only, "12.345": in thousandths.
std::optional<std::int64_t> read_thousandths(std::string_view& text, bool& has_fraction) {
  std::int64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) {
    if (value > kMaxMs / 10 / kMsPerSecond - 1) return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  value *= kMsPerSecond;
  has_fraction = at < text.size() && text[at] == '.';
  if (has_fraction) {
    std::int64_t scale = kMsPerSecond / 10;
    for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) {
      value += (text[at] - '0') * scale;
      scale /= 10;
    }
  }
  text.remove_prefix(at);
  return value;
}

std::optional<std::int64_t> read_duration_ms(std::string_view text) {
  if (text.empty() || text.front() != 'P') return std::nullopt;
  text.remove_prefix(1);
  std::int64_t total = 0;
  std::int64_t smallest_unit = kMaxMs;
  bool in_time = false;
  bool any = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      any = false;  // a T with nothing behind it is wrong
      text.remove_prefix(1);
      continue;
    }
    bool has_fraction = false;
    const auto thousandths = read_thousandths(text, has_fraction);
    if (!thousandths || text.empty()) return std::nullopt;
    const std::int64_t unit = unit_ms(text.front(), in_time);
    if (unit == 0 || unit >= smallest_unit || (has_fraction && text.front() != 'S')) return std::nullopt;
    if (*thousandths / kMsPerSecond > (kMaxMs - total) / unit - 1) return std::nullopt;
    total += *thousandths * (unit / kMsPerSecond);
    smallest_unit = unit;
    any = true;
    text.remove_prefix(1);
  }
  return any ? std::optional(total) : std::nullopt;
}

}  // namespace

Result<std::chrono::milliseconds> parse_iso_duration(std::string_view text) {
  const auto ms = read_duration_ms(text);
  if (!ms) return failure(Errc::invalid_config, fmt::format("'{}' is no duration like P1DT2H3M4.5S", text));
  return std::chrono::milliseconds(*ms);
}

}  // namespace barnabas::runtime
