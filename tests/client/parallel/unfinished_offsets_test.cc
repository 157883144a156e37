#include "client/parallel/unfinished_offsets.h"

#include <gtest/gtest.h>

namespace barnabas::client {
namespace {

using Mark = UnfinishedOffsets::Mark;

TEST(UnfinishedOffsets, have_no_mark_before_the_first_record_is_finished) {
  UnfinishedOffsets offsets;
  offsets.add(10, 1);
  const std::uint64_t second = offsets.add(11, 1);
  offsets.finish(second);
  EXPECT_EQ(offsets.mark(), std::nullopt);
  EXPECT_EQ(offsets.size(), 2u);
}

TEST(UnfinishedOffsets, move_the_mark_to_the_lowest_unfinished_record_in_whatever_order_they_finish) {
  UnfinishedOffsets offsets;
  std::vector<std::uint64_t> numbers;
  for (const std::int64_t offset : {10, 11, 15, 16}) numbers.push_back(offsets.add(offset, offset < 15 ? 1 : 2));
  offsets.finish(numbers[2]);
  offsets.finish(numbers[0]);
  EXPECT_EQ(offsets.mark(), (Mark{11, 1}));
  EXPECT_EQ(offsets.size(), 3u);
  offsets.finish(numbers[1]);
  EXPECT_EQ(offsets.mark(), (Mark{16, 2}));  // behind 15, which was finished long ago
  offsets.finish(numbers[3]);
  EXPECT_EQ(offsets.mark(), (Mark{17, 2}));
  EXPECT_EQ(offsets.size(), 0u);
}

TEST(UnfinishedOffsets, keep_their_numbers_while_records_come_and_go) {
  UnfinishedOffsets offsets;
  std::vector<std::uint64_t> numbers;
  for (std::int64_t offset = 0; offset < 1000; ++offset) {
    numbers.push_back(offsets.add(offset, 0));
    if (offset >= 7) offsets.finish(numbers[static_cast<std::size_t>(offset - 7)]);
  }
  EXPECT_EQ(offsets.mark(), (Mark{993, 0}));
  EXPECT_EQ(offsets.size(), 7u);
}

}  // namespace
}  // namespace barnabas::client
