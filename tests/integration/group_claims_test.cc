#include "tests/integration/group_claims.h"

#include <gtest/gtest.h>

namespace barnabas::testing {
namespace {

TEST(GroupClaims, find_a_partition_that_two_members_were_given_in_one_generation) {
  Claims claims;
  EXPECT_TRUE(claims.take(0, "owns 7: 0 1 11"));
  EXPECT_TRUE(claims.take(1, "owns 7: 2 11"));
  EXPECT_EQ(claims.shared(), (std::vector<std::string>{"in generation 7 partition 11 was given to members 0 and 1"}));
}

TEST(GroupClaims, let_partitions_pass_from_one_to_another_by_a_new_generation) {
  Claims claims;
  EXPECT_TRUE(claims.take(0, "owns 7: 0 1"));
  EXPECT_TRUE(claims.take(1, "owns 7:"));
  EXPECT_TRUE(claims.take(1, "owns 8: 0"));
  EXPECT_TRUE(claims.take(0, "owns 8: 1"));
  EXPECT_TRUE(claims.take(0, "owns 8: 1")) << "said twice by the same";
  EXPECT_TRUE(claims.shared().empty());
  EXPECT_EQ(claims.generations(), 2U);
}

TEST(GroupClaims, leave_out_members_that_have_no_generation_any_more) {
  Claims claims;
  EXPECT_TRUE(claims.take(0, "owns -1: 0"));
  EXPECT_TRUE(claims.take(1, "owns -1: 0"));
  EXPECT_TRUE(claims.shared().empty());
  EXPECT_EQ(claims.generations(), 0U);
}

TEST(GroupClaims, know_their_lines_from_others) {
  Claims claims;
  for (const char* line : {"", "0 17", "owns", "owns 7 0 1", "owned 7: 0", "2026-11-22 warning: owns 7: 0"}) {
    EXPECT_FALSE(claims.take(0, line)) << line;
  }
  EXPECT_EQ(claims.generations(), 0U);
}

}  // namespace
}  // namespace barnabas::testing
