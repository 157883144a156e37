#include "client/core/backoff.h"

#include <gtest/gtest.h>

#include "common/runtime/virtual_env.h"

namespace barnabas::client {
namespace {

using std::chrono::milliseconds;

double ms(runtime::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

TEST(Backoff, doubles_up_to_the_maximum_within_a_fifth_by_chance) {
  runtime::VirtualEnv env(3);
  Backoff backoff(milliseconds(100), milliseconds(1000), env.random());
  const double expected[] = {100, 200, 400, 800, 1000, 1000, 1000};
  for (const double middle : expected) {
    const double wait = ms(backoff.next());
    EXPECT_GE(wait, middle * 0.8 - 0.001);
    EXPECT_LE(wait, middle * 1.2 + 0.001);
  }
}

TEST(Backoff, varies_and_starts_over_after_a_success) {
  runtime::VirtualEnv env(4);
  Backoff backoff(milliseconds(50), milliseconds(10000), env.random());
  const double first = ms(backoff.next());
  for (int i = 0; i < 6; ++i) backoff.next();
  EXPECT_GT(ms(backoff.next()), 4000.0);
  backoff.reset();
  const double again = ms(backoff.next());
  EXPECT_LE(again, 60.0);
  EXPECT_NE(first, again);
}

TEST(Backoff, stays_finite_after_any_number_of_failures) {
  runtime::VirtualEnv env;
  const Backoff backoff(milliseconds(100), milliseconds(1000), env.random());
  EXPECT_LE(ms(backoff.after(1'000'000)), 1200.0);
  EXPECT_EQ(ms(Backoff(milliseconds(0), milliseconds(0), env.random()).after(5)), 0.0);
}

}  // namespace
}  // namespace barnabas::client
