#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <system_error>

#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

TEST(EmbeddedBroker, serves_on_a_free_port_from_a_directory_that_goes_away) {
  std::string directory;
  {
    const EmbeddedBroker broker;
    directory = broker.data_directory();
    EXPECT_EQ(broker.bootstrap_servers(), "127.0.0.1:" + std::to_string(broker.port()));
    RawSocket socket(broker.port());
    create_topic(socket, "orders");
    EXPECT_EQ(produce(socket, "orders", batch_of({"a"})).error_code, 0);
    EXPECT_TRUE(std::ifstream(directory + "/meta.properties").good());
  }
  EXPECT_FALSE(std::ifstream(directory + "/meta.properties").good());
}

TEST(EmbeddedBroker, stops_and_starts_again_with_its_data_and_port) {
  EmbeddedBroker broker;
  const std::uint16_t port = broker.port();
  RawSocket socket(port);
  create_topic(socket, "orders");
  EXPECT_EQ(produce(socket, "orders", batch_of({"a"})).base_offset, 0);
  broker.stop();
  EXPECT_TRUE(socket.wait_until_closed());
  broker.start();
  EXPECT_EQ(broker.port(), port);
  RawSocket again(port);
  EXPECT_EQ(produce(again, "orders", batch_of({"b"})).base_offset, 1);
}

TEST(EmbeddedBroker, takes_settings_and_refuses_unknown_ones_by_name) {
  try {
    EmbeddedBroker broker({.config = {{"num.partition", "2"}}, .data_directory = {}});
    FAIL() << "was started";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'num.partitions'?"), std::string::npos) << error.what();
  }
}

TEST(EmbeddedBroker, many_live_in_one_process) {
  const EmbeddedBroker one;
  const EmbeddedBroker two;
  EXPECT_NE(one.port(), two.port());
  EXPECT_NE(one.data_directory(), two.data_directory());
}

#ifdef NDEBUG
TEST(EmbeddedBroker, starts_in_under_20_ms) {
  auto best = std::chrono::steady_clock::duration::max();  // of several, since other tests share the machine's disk
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const EmbeddedBroker broker;
    best = std::min(best, std::chrono::steady_clock::now() - begin);
  }
  EXPECT_LT(best, std::chrono::milliseconds(20));
}
#endif

}  // namespace
}  // namespace barnabas::testing
