#include "client/cli/start_point.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

using Kind = StartPoint::Kind;

TEST(StartPoint, reads_all_that_consume_from_takes) {
  const std::pair<const char*, StartPoint> cases[] = {
      {"beginning", {Kind::beginning, 0}},
      {"end", {Kind::end, 0}},
      {"0", {Kind::offset, 0}},
      {"42", {Kind::offset, 42}},
      {"@1700000000000", {Kind::time, 1700000000000}},
      {"1970-01-02", {Kind::time, 86'400'000}},
      {"2023-11-14T22:13:20Z", {Kind::time, 1700000000000}},
      {"2023-11-14T22:13:20.5Z", {Kind::time, 1700000000500}},
      {"2023-11-15T00:13:20+02:00", {Kind::time, 1700000000000}},
      {"2023-11-14T17:43-0430", {Kind::time, 1699999980000}},
      {"2023-11-14 22:13:20", {Kind::time, 1700000000000}},
  };
  for (const auto& [text, point] : cases) {
    const auto parsed = parse_start_point(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, point) << text << " " << parsed->value;
  }
}

TEST(StartPoint, refuses_everything_else_and_quotes_it) {
  for (const char* text : {"", "start", "-1", "@", "@x", "2023-13-01", "2023-02-30", "2023-11-14T25:00",
                           "2023-11-14T22", "2023-11-14T22:13:20X", "2023-11-14T22:13:20+2", "99999999999999999999"}) {
    const auto parsed = parse_start_point(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().subject.find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace barnabas::cli
