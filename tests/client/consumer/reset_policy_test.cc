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

TEST(ResetPolicy, refuses_what_is_no_duration_and_says_so) {
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
