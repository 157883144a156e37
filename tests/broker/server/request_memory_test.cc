#include "broker/server/request_memory.h"

#include <gtest/gtest.h>

namespace barnabas::broker {
namespace {

TEST(RequestMemory, wakes_those_who_wait_when_enough_is_given_back) {
  RequestMemory memory(100);
  auto one = memory.take(60);
  auto two = memory.take(60);
  EXPECT_FALSE(memory.has_room());
  int woken = 0;
  memory.when_room([&] { ++woken; });
  memory.when_room([&] { ++woken; });
  EXPECT_EQ(woken, 0);
  one = {};
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(memory.used_bytes(), 60U);
  memory.when_room([&] { ++woken; });
  EXPECT_EQ(woken, 3) << "there is room: at once";
}

TEST(RequestMemory, has_no_limit_when_none_is_set) {
  RequestMemory memory(-1);
  const auto share = memory.take(std::size_t{1} << 40);
  EXPECT_TRUE(memory.has_room());
}

TEST(RequestMemory, wakes_nobody_once_it_is_shut_down) {
  RequestMemory memory(1);
  auto share = memory.take(10);
  bool woken = false;
  memory.when_room([&] { woken = true; });
  memory.shut_down();
  share = {};
  EXPECT_FALSE(woken);
}

}  // namespace
}  // namespace barnabas::broker
