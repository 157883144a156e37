#include "client/core/client_config.h"

#include <gtest/gtest.h>

#include "barnabas/error.h"

namespace barnabas::client {
namespace {

using std::chrono::milliseconds;

Result<ClientConfig> read(const Config& config) {
  static const runtime::ConfigTable table("test", common_config_rows(ClientKind::producer));
  const auto parsed = table.parse(config.properties());
  if (!parsed) return failure(parsed.error());
  return client_config_of(*parsed);
}

TEST(ClientConfig, reads_settings_by_kafkas_names) {
  Config given{{"bootstrap.servers", "a:1,[::1]:2"}, {"client.id", "me"}, {"reconnect.backoff.ms", "7"}};
  given.set("request.timeout.ms", std::chrono::seconds(3))
      .set("retry.backoff.max.ms", 99)
      .set("send.buffer.bytes", "-1");
  const auto config = read(given);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->bootstrap_servers.at(1), (HostAndPort{"::1", 2}));
  EXPECT_EQ(config->client_id, "me");
  EXPECT_EQ(config->reconnect_backoff, milliseconds(7));
  EXPECT_EQ(config->request_timeout, milliseconds(3000));
  EXPECT_EQ(config->retry_backoff_max, milliseconds(99));
  EXPECT_EQ(config->send_buffer_bytes, -1);
  EXPECT_EQ(config->metadata_max_age, milliseconds(300000));
  EXPECT_TRUE(config->rebootstrap);
}

TEST(ClientConfig, comes_from_a_properties_file_as_well) {
  const Config given = Config::from_properties("# mine\nbootstrap.servers = a:1, \\\n  b:2\nclient.id=x\n");
  const auto config = read(given);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->bootstrap_servers.size(), 2u);
}

TEST(ClientConfig, refuses_what_it_cannot_keep) {
  for (const char* name : {"ssl.truststore.location", "sasl.mechanism", "security.providers"}) {
    const auto refused = read({{"bootstrap.servers", "a:1"}, {name, "x"}});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Errc::invalid_config);
    EXPECT_NE(refused.error().subject.find(name), std::string::npos);
  }
  EXPECT_TRUE(read({{"bootstrap.servers", "a:1"}, {"security.protocol", "PLAINTEXT"}}));
  EXPECT_FALSE(read({{"bootstrap.servers", "a:1"}, {"security.protocol", "SASL_SSL"}}));
  EXPECT_FALSE(read({{"bootstrap.servers", "a:1"}, {"metadata.recovery.strategy", "hope"}}));
  EXPECT_FALSE(read({{"bootstrap.servers", "a:1"}, {"client.id", std::string(40000, 'x')}}));
}

TEST(Error, tells_what_may_be_tried_again) {
  EXPECT_TRUE(is_retriable(kafka_error(6)));
  EXPECT_FALSE(is_retriable(kafka_error(17)));
  EXPECT_TRUE(is_retriable(make_error_code(Errc::timed_out)));
  EXPECT_TRUE(is_fatal(kafka_error(90)));
  EXPECT_FALSE(is_fatal(kafka_error(3)));
  EXPECT_FALSE(requires_abort(kafka_error(3)));
  EXPECT_TRUE(requires_abort(kafka_error(120)));
  const Error error(kafka_error(3), "topic 'x'");
  EXPECT_EQ(error.context(), "topic 'x'");
  EXPECT_EQ(std::string(error.what()).rfind("topic 'x': ", 0), 0u) << error.what();
}

}  // namespace
}  // namespace barnabas::client
