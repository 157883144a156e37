#include "client/core/bootstrap.h"

#include <gtest/gtest.h>

namespace barnabas::client {
namespace {

TEST(Bootstrap, reads_names_addresses_and_listeners) {
  EXPECT_EQ(*parse_host_and_port("localhost:9092"), (HostAndPort{"localhost", 9092}));
  EXPECT_EQ(*parse_host_and_port("[::1]:9092"), (HostAndPort{"::1", 9092}));
  EXPECT_EQ(*parse_host_and_port("PLAINTEXT://10.0.0.1:65535"), (HostAndPort{"10.0.0.1", 65535}));
  EXPECT_EQ((HostAndPort{"::1", 9092}.to_string()), "[::1]:9092");
}

TEST(Bootstrap, refuses_what_is_no_address_and_names_it) {
  for (const char* text : {"localhost", "localhost:", ":9092", "localhost:0", "localhost:65536", "localhost:9o92",
                           "::1:9092", "host name:1", "[::1]"}) {
    const auto parsed = parse_host_and_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::invalid_config);
    EXPECT_NE(parsed.error().subject.find(text), std::string::npos) << parsed.error().subject;
  }
}

TEST(Bootstrap, takes_several_servers_and_needs_one) {
  EXPECT_EQ(parse_bootstrap_servers({"a:1", "b:2"})->size(), 2u);
  EXPECT_FALSE(parse_bootstrap_servers({}));
  EXPECT_FALSE(parse_bootstrap_servers({""}));
  EXPECT_NE(parse_bootstrap_servers({"a"}).error().subject.find("bootstrap.servers"), std::string::npos);
}

}  // namespace
}  // namespace barnabas::client
