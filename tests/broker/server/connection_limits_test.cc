#include "broker/server/connection_limits.h"

#include <gtest/gtest.h>

namespace barnabas::broker {
namespace {

TEST(ConnectionLimits, counts_by_address_and_gives_places_back) {
  ConnectionLimits limits({.total = 3, .per_ip = 1, .per_ip_overrides = {{"10.0.0.1", 2}}});
  auto one = limits.enter("10.0.0.1:1000");
  auto two = limits.enter("10.0.0.1:1001");
  ASSERT_TRUE(one && two);
  const auto third = limits.enter("10.0.0.1:1002");
  ASSERT_FALSE(third);
  EXPECT_NE(third.error().subject.find("max.connections.per.ip (2)"), std::string::npos);
  one->reset();
  EXPECT_EQ(limits.count(), 1U);
  EXPECT_TRUE(limits.enter("10.0.0.1:1003"));
}

TEST(ConnectionLimits, refuses_more_than_the_broker_takes_in_all) {
  ConnectionLimits limits({.total = 1, .per_ip = 10, .per_ip_overrides = {}});
  const auto one = limits.enter("10.0.0.1:1000");
  const auto two = limits.enter("10.0.0.2:1000");
  ASSERT_TRUE(one);
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().subject.find("max.connections (1)"), std::string::npos);
}

TEST(ConnectionLimits, takes_the_address_out_of_a_peers_name) {
  EXPECT_EQ(address_of("127.0.0.1:9092"), "127.0.0.1");
  EXPECT_EQ(address_of("[::1]:9092"), "::1");
}

}  // namespace
}  // namespace barnabas::broker
