#include "client/consumer/reset_policy.h"

#include <gtest/gtest.h>

namespace barnabas::client {
namespace {

TEST(ResetPolicy, reads_kafkas_four_forms) {
  EXPECT_EQ(parse_reset_policy("earliest")->timestamp(1000), -2);
  EXPECT_EQ(parse_reset_policy("latest")->timestamp(1000), -1);
  EXPECT_EQ(parse_reset_policy("none")->kind, ResetPolicy::Kind::none);
  EXPECT_EQ(parse_reset_policy("by_duration:PT1.5S")->timestamp(10'000), 8'500);
}

TEST(ResetPolicy, reads_iso_durations_as_java_does) {
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

TEST(ResetPolicy, refuses_what_is_no_duration_and_says_so) {
  for (const char* text : {"", "P", "PT", "P1DT", "1D", "PT1", "P1M", "PT1S1H", "PT1.5H", "PT-1S",
                           "P99999999999999999999D", "PT1S ", "P1DT1D"}) {
    EXPECT_FALSE(parse_iso_duration(text)) << text;
  }
  const auto bad = parse_reset_policy("by_duration:tomorrow");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().subject.find("tomorrow"), std::string::npos);
  EXPECT_FALSE(parse_reset_policy("Earliest"));
}

TEST(ResetPolicy, survives_the_way_to_text_and_back) {
  for (const char* text : {"earliest", "latest", "none", "by_duration:P1DT2H3M4.500S"}) {
    const auto policy = parse_reset_policy(text);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(*parse_reset_policy(to_string(*policy)), *policy) << text;
  }
}

}  // namespace
}  // namespace barnabas::client
