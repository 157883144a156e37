#include "client/producer/pending_callbacks.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace barnabas::client {
namespace {

/// How often each was called, and how many callables are alive.
struct Counts {
  std::vector<int> calls = std::vector<int>(1000);
  std::shared_ptr<int> alive = std::make_shared<int>(0);
  long callables() const { return alive.use_count() - 1; }

  template <std::size_t kPadding>
  DeliveryCallback callback(int number) {
    return [number, this, alive = alive, padding = std::array<char, kPadding>{}](const Delivery& delivery) {
      EXPECT_EQ(delivery.offset, number + padding[0]);
      ++calls.at(static_cast<std::size_t>(number));
    };
  }
  DeliveryCallback of_some_size(int number) {
    return number % 3 == 0 ? callback<16>(number) : number % 3 == 1 ? callback<8>(number) : callback<1>(number);
  }
};

void fill(PendingCallbacks& callbacks, Counts& counts, int first, int end) {
  for (int i = first; i < end; ++i) {
    if (!callbacks.has_room()) callbacks.add_room(std::make_unique<std::byte[]>(kCallbackRoomBytes));
    ASSERT_TRUE(callbacks.is_near(i, 5'000 - i));
    callbacks.add(i, 5'000 - i, counts.of_some_size(i));
  }
}

/// Runs all, and looks at what they are told; how many there were.
int run(PendingCallbacks& callbacks, int first) {
  int next = first;
  Delivery delivery;
  callbacks.run_all([&](std::int32_t index, std::int64_t timestamp_ms, const PendingCallbacks::Waiting& callback) {
    EXPECT_EQ(index, next);
    EXPECT_EQ(timestamp_ms, 5'000 - next);
    delivery.offset = next++;
    callback(delivery);
  });
  return next - first;
}

TEST(PendingCallbacks, run_once_in_their_order_whatever_their_sizes) {
  Counts counts;
  PendingCallbacks callbacks;
  for (int round = 1; round <= 3; ++round) {
    EXPECT_TRUE(callbacks.empty());
    fill(callbacks, counts, 0, round * 300);
    EXPECT_EQ(counts.callables(), round * 300);
    EXPECT_EQ(run(callbacks, 0), round * 300);
    EXPECT_EQ(counts.callables(), 0);
    EXPECT_EQ(run(callbacks, 0), 0);
    EXPECT_GE(callbacks.given_rooms().size(), 1U);
    callbacks.given_rooms().clear();
  }
  EXPECT_EQ(counts.calls.at(0), 3);
  EXPECT_EQ(counts.calls.at(299), 3);
  EXPECT_EQ(counts.calls.at(899), 1);
}

TEST(PendingCallbacks, one_has_room_at_once) {
  Counts counts;
  PendingCallbacks callbacks;
  EXPECT_TRUE(callbacks.has_room());
  callbacks.add(7, 4'993, counts.callback<16>(7));
  EXPECT_FALSE(callbacks.has_room());
  EXPECT_EQ(run(callbacks, 7), 1);
  EXPECT_TRUE(callbacks.has_room());
}

TEST(PendingCallbacks, end_without_a_call_when_the_list_does) {
  Counts counts;
  {
    PendingCallbacks callbacks;
    fill(callbacks, counts, 0, 200);
    PendingCallbacks moved(std::move(callbacks));
    EXPECT_EQ(counts.callables(), 200);
    PendingCallbacks other;
    fill(other, counts, 200, 210);
    other = std::move(moved);
    EXPECT_EQ(counts.callables(), 200);
  }
  EXPECT_EQ(counts.callables(), 0);
  EXPECT_EQ(counts.calls.at(0), 0);
}

TEST(PendingCallbacks, move_on_to_other_lists) {
  Counts counts;
  PendingCallbacks callbacks;
  fill(callbacks, counts, 0, 100);
  PendingCallbacks other;
  callbacks.take_all([&other](std::int32_t index, std::int64_t timestamp_ms, DeliveryCallback&& callback) {
    if (!other.has_room()) other.add_room(std::make_unique<std::byte[]>(kCallbackRoomBytes));
    other.add(index, timestamp_ms, std::move(callback));
  });
  EXPECT_TRUE(callbacks.empty());
  EXPECT_EQ(run(other, 0), 100);
  EXPECT_EQ(counts.callables(), 0);
}

TEST(PendingCallbacks, take_none_that_is_too_far_from_the_first) {
  constexpr std::int64_t kMost = std::int64_t{1} << 41;
  Counts counts;
  PendingCallbacks callbacks;
  EXPECT_TRUE(callbacks.is_near(0, INT64_MAX));
  ASSERT_TRUE(callbacks.has_room());
  callbacks.add(0, 0, counts.callback<1>(0));
  EXPECT_TRUE(callbacks.is_near(1, kMost - 1));
  EXPECT_TRUE(callbacks.is_near(1, -kMost));
  EXPECT_FALSE(callbacks.is_near(1, kMost));
  EXPECT_FALSE(callbacks.is_near(1, -kMost - 1));
  EXPECT_FALSE(callbacks.is_near(1, INT64_MAX));
  EXPECT_FALSE(callbacks.is_near(1 << 22, 0));
  callbacks.add_room(std::make_unique<std::byte[]>(kCallbackRoomBytes));
  callbacks.add((1 << 22) - 1, -kMost, counts.callback<1>(1));
  std::vector<std::pair<std::int32_t, std::int64_t>> seen;
  callbacks.run_all([&seen](std::int32_t index, std::int64_t timestamp_ms, const PendingCallbacks::Waiting&) {
    seen.emplace_back(index, timestamp_ms);
  });
  EXPECT_EQ(seen, (std::vector<std::pair<std::int32_t, std::int64_t>>{{0, 0}, {(1 << 22) - 1, -kMost}}));
}

}  // namespace
}  // namespace barnabas::client
