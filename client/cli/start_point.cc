#include "client/cli/start_point.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>

namespace barnabas::cli {
namespace {

/// Reads fields from the left; the first that does not fit makes the rest fail.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `digits` digits.
  std::optional<int> number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return std::nullopt;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, value);
    if (error != std::errc{} || end != rest_.data() + digits || value < 0) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }
  /// ".5" as 500; digits beyond milliseconds are dropped.
  std::optional<int> fraction_ms() {
    int value = 0;
    int scale = 100;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value += (rest_.front() - '0') * scale;
      scale /= 10;
      any = true;
      rest_.remove_prefix(1);
    }
    return any ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<std::int64_t> read_date_ms(TimeText& text) {
  const auto year = text.number(4);
  if (!year || !text.take('-')) return std::nullopt;
  const auto month = text.number(2);
  if (!month || !text.take('-')) return std::nullopt;
  const auto day = text.number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<std::int64_t> read_clock_ms(TimeText& text) {
  const auto hour = text.number(2);
  if (!hour || *hour > 23 || !text.take(':')) return std::nullopt;
  const auto minute = text.number(2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (*hour * 60 + *minute) * 60'000LL;
  if (!text.take(':')) return ms;
  const auto second = text.number(2);
  if (!second || *second > 59) return std::nullopt;
  ms += *second * 1000LL;
  if (!text.take('.')) return ms;
  const auto fraction = text.fraction_ms();
  if (!fraction) return std::nullopt;
  return ms + *fraction;
}

/// What to subtract: "Z", "+02:00", "-0530", or nothing (UTC).
std::optional<std::int64_t> read_zone_ms(TimeText& text) {
  if (text.done() || text.take('Z')) return 0;
  const bool west = text.take('-');
  if (!west && !text.take('+')) return std::nullopt;
  const auto hours = text.number(2);
  if (!hours) return std::nullopt;
  text.take(':');
  const auto minutes = text.done() ? std::optional(0) : text.number(2);
  if (!minutes) return std::nullopt;
  const std::int64_t ms = (*hours * 60 + *minutes) * 60'000LL;
  return west ? -ms : ms;
}

std::optional<std::int64_t> read_time_ms(std::string_view whole) {
  TimeText text(whole);
  const auto date = read_date_ms(text);
  if (!date || text.done()) return date;
  if (!text.take('T') && !text.take(' ')) return std::nullopt;
  const auto clock = read_clock_ms(text);
  if (!clock) return std::nullopt;
  const auto zone = read_zone_ms(text);
  if (!zone || !text.done()) return std::nullopt;
  return *date + *clock - *zone;
}

std::optional<std::int64_t> read_whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Result<std::int64_t> parse_iso_time_ms(std::string_view text) {
  const auto ms = read_time_ms(text);
  if (!ms) return failure(Errc::invalid_argument, fmt::format("'{}' is no time like 2026-01-31T12:00:00Z", text));
  return *ms;
}

Result<StartPoint> parse_start_point(std::string_view text) {
  if (text == "beginning") return StartPoint{StartPoint::Kind::beginning, 0};
  if (text == "end") return StartPoint{StartPoint::Kind::end, 0};
  if (const auto offset = read_whole_number(text)) return StartPoint{StartPoint::Kind::offset, *offset};
  if (!text.empty() && text.front() == '@') {
    if (const auto time_ms = read_whole_number(text.substr(1))) return StartPoint{StartPoint::Kind::time, *time_ms};
  }
  if (const auto time_ms = read_time_ms(text)) return StartPoint{StartPoint::Kind::time, *time_ms};
  return failure(
      Errc::invalid_argument,
      fmt::format("--from '{}' is none of: beginning, end, an offset, an ISO 8601 time, @milliseconds", text));
}

}  // namespace barnabas::cli
