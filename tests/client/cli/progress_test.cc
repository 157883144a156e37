#include "client/cli/progress.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

TEST(ProgressLine, shows_a_bar_the_rate_and_what_became_of_the_records) {
  EXPECT_EQ(
      progress_line("sending", 1000, {.records = 500, .bytes = 3'000'000, .acknowledged = 499, .failed = 1}, 2.0, 120),
      "sending [###############...............] 500/1000 records  1.5 MB/s  499 acknowledged  1 failed");
  EXPECT_EQ(progress_line("read", 10, {.records = 10, .bytes = 0}, 1.0, 120),
            "read [##############################] 10/10 records  0.0 MB/s");
}

TEST(ProgressLine, has_no_bar_where_the_total_is_unknown) {
  EXPECT_EQ(progress_line("produced", 0, {.records = 7, .bytes = 2'000'000}, 1.0, 120), "produced 7 records  2.0 MB/s");
}

TEST(ProgressLine, never_fills_more_than_the_bar_and_survives_a_clock_that_stood_still) {
  EXPECT_EQ(progress_line("read", 10, {.records = 20, .bytes = 1000}, 0.0, 120),
            "read [##############################] 20/10 records  1.0 MB/s");
}

TEST(ProgressLine, fits_into_every_terminal) {
  const ProgressCounts counts{.records = 63'000, .bytes = 60'000'000, .acknowledged = 62'999, .failed = 1};
  for (int columns = 0; columns < 140; ++columns) {
    const std::string line = progress_line("sending", 63'000, counts, 1.0, columns);
    EXPECT_LE(line.size(), static_cast<std::size_t>(std::max(columns, 1))) << line;
  }
  EXPECT_NE(progress_line("sending", 63'000, counts, 1.0, 90).find("] 63000/63000"), std::string::npos)
      << "a narrow bar is better than none";
  EXPECT_EQ(progress_line("sending", 63'000, counts, 1.0, 72),
            "sending 63000/63000 records  60.0 MB/s  62999 acknowledged  1 failed");
}

}  // namespace
}  // namespace barnabas::cli
