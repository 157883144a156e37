#include "broker/server/spare_frames.h"

#include <gtest/gtest.h>

namespace barnabas::broker {
namespace {

TEST(SpareFrames, gives_what_it_was_given_to_large_requests_alone) {
  SpareFrames spares;
  EXPECT_TRUE(spares.take(100'000).empty());
  Bytes frame(100'000);
  const std::byte* const memory = frame.data();
  spares.keep(std::move(frame));
  EXPECT_TRUE(spares.take(SpareFrames::kLeastKeptBytes - 1).empty());
  const Bytes again = spares.take(SpareFrames::kLeastKeptBytes);
  EXPECT_EQ(again.data(), memory);
  EXPECT_TRUE(spares.take(100'000).empty());
}

TEST(SpareFrames, keeps_few_and_none_that_is_small_or_huge) {
  SpareFrames spares;
  spares.keep(Bytes(SpareFrames::kLeastKeptBytes - 1));
  spares.keep(Bytes(SpareFrames::kMostKeptBytes + 1));
  EXPECT_TRUE(spares.take(100'000).empty());
  for (std::size_t i = 0; i < SpareFrames::kMostKept + 3; ++i) spares.keep(Bytes(SpareFrames::kMostKeptBytes));
  for (std::size_t i = 0; i < SpareFrames::kMostKept; ++i) EXPECT_FALSE(spares.take(100'000).empty());
  EXPECT_TRUE(spares.take(100'000).empty());
}

}  // namespace
}  // namespace barnabas::broker
