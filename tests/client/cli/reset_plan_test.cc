#include "client/cli/reset_plan.h"

#include <gtest/gtest.h>

#include <limits>

#include "client/cli/table.h"

namespace barnabas::cli {
namespace {

using Kind = ResetTarget::Kind;

const TopicPartition kOrders{"orders", 0};

/// Of one partition with the records 10 to 29, where the group has committed `committed`.
std::optional<std::int64_t> planned(const ResetTarget& target, std::optional<std::int64_t> committed,
                                    std::optional<std::int64_t> at_time = {}) {
  Offsets offsets;
  if (committed) offsets[kOrders] = {.offset = *committed};
  const auto plan = plan_reset(target, {{kOrders, {.earliest = 10, .latest = 30, .at_time = at_time}}}, offsets);
  EXPECT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].partition, kOrders);
  EXPECT_EQ(plan[0].from, committed);
  return plan[0].to;
}

TEST(ResetPlan, goes_to_either_end) {
  EXPECT_EQ(planned({Kind::earliest}, 20), 10);
  EXPECT_EQ(planned({Kind::latest}, 20), 30);
}

TEST(ResetPlan, never_leaves_the_records_that_are_there) {
  EXPECT_EQ(planned({Kind::offset, 5}, 20), 10);
  EXPECT_EQ(planned({Kind::offset, 25}, 20), 25);
  EXPECT_EQ(planned({Kind::offset, 99}, 20), 30);
  EXPECT_EQ(planned({Kind::current}, 3), 10);
}

TEST(ResetPlan, shifts_from_what_is_committed_only) {
  EXPECT_EQ(planned({Kind::shift, 4}, 20), 24);
  EXPECT_EQ(planned({Kind::shift, -4}, 20), 16);
  EXPECT_EQ(planned({Kind::shift, std::numeric_limits<std::int64_t>::max()}, 20), 30);
  EXPECT_EQ(planned({Kind::shift, std::numeric_limits<std::int64_t>::min()}, 20), 10);
  EXPECT_EQ(planned({Kind::shift, 4}, std::nullopt), std::nullopt);
}

TEST(ResetPlan, goes_to_the_end_where_no_record_is_so_late_and_where_nothing_is_committed) {
  EXPECT_EQ(planned({Kind::time, 1000}, 20, 17), 17);
  EXPECT_EQ(planned({Kind::time, 1000}, 20), 30);
  EXPECT_EQ(planned({Kind::current}, std::nullopt), 30);
}

TEST(Table, stands_in_columns_with_numbers_to_the_right) {
  Table table({{"TOPIC"}, {"LAG", true}, {"OWNER"}});
  table.add({"orders", "7", ""});
  table.add({"x", "12345", "me"});
  EXPECT_EQ(table.text(),
            "TOPIC     LAG  OWNER\n"
            "orders      7\n"
            "x       12345  me\n");
}

}  // namespace
}  // namespace barnabas::cli
