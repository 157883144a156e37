#include "common/runtime/iso_duration.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace barnabas::runtime {
namespace {

TEST(IsoDuration, is_read_as_java_does) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"P1D", 86'400'000}, {"PT1H", 3'600'000}, {"PT2M3S", 123'000},    {"P1DT1H1M1.001S", 90'061'001},
      {"PT0S", 0},         {"PT0.0009S", 0},    {"PT36H", 129'600'000},
  };
  for (const auto& [text, ms] : cases) {
    const auto duration = parse_iso_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(duration->count(), ms) << text;
  }
}

TEST(IsoDuration, is_nothing_else) {
  for (const char* text : {"", "P", "PT", "P1DT", "1D", "PT1", "P1M", "PT1S1H", "PT1.5H", "PT-1S",
                           "P99999999999999999999D", "PT1S ", "P1DT1D"}) {
    EXPECT_FALSE(parse_iso_duration(text)) << text;
  }
}

}  // namespace
}  // namespace barnabas::runtime
