#include "broker/config/broker_config.h"

#include <gtest/gtest.h>

#include "broker/config/listeners.h"

namespace barnabas::config {
namespace {

runtime::ParsedConfig values(const runtime::Properties& given) {
  return broker_table().parse(given).value();
}

TEST(BrokerConfig, stands_on_its_own_without_a_configuration) {
  const auto config = BrokerConfig::parse(BrokerConfig::without_configuration());
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->node_id(), 1);
  EXPECT_EQ(config->data_directories(), std::vector<std::string>{"./barnabas-data"});
  EXPECT_EQ(config->values().get_short("offsets.topic.replication.factor"), 1);
  EXPECT_EQ(config->values().get_int("group.initial.rebalance.delay.ms"), 0);
  EXPECT_EQ(config->values().get_short("transaction.state.log.replication.factor"), 1);
  EXPECT_EQ(config->values().get_int("transaction.state.log.min.isr"), 1);
  EXPECT_EQ(BrokerConfig::parse({})->values().get_short("offsets.topic.replication.factor"), 3);
}

TEST(BrokerConfig, says_what_has_no_effect_only_of_what_the_user_set) {
  runtime::Properties given = BrokerConfig::without_configuration();
  EXPECT_TRUE(BrokerConfig::parse(given)->settings_without_effect().empty());
  given["transaction.state.log.replication.factor"] = "2";
  given["num.io.threads"] = "8";
  const std::vector<std::string> expected = {"num.io.threads", "transaction.state.log.replication.factor"};
  EXPECT_EQ(BrokerConfig::parse(given)->settings_without_effect(), expected);
}

TEST(BrokerConfig, takes_the_server_properties_that_kafka_ships) {
  const auto config =
      BrokerConfig::parse({{"process.roles", "broker,controller"},
                           {"node.id", "7"},
                           {"controller.quorum.bootstrap.servers", "localhost:9093"},
                           {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
                           {"inter.broker.listener.name", "PLAINTEXT"},
                           {"advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"},
                           {"controller.listener.names", "CONTROLLER"},
                           {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"},
                           {"num.network.threads", "3"},
                           {"num.io.threads", "8"},
                           {"socket.send.buffer.bytes", "102400"},
                           {"log.dirs", "/tmp/kraft-combined-logs"},
                           {"log.retention.hours", "168"}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->node_id(), 7);
  EXPECT_EQ(config->metadata_directory(), "/tmp/kraft-combined-logs");
  const auto listeners = listeners_of(config->values());
  ASSERT_TRUE(listeners);
  ASSERT_EQ(listeners->size(), 1u);
  EXPECT_EQ((*listeners)[0].port, 9092);
}

TEST(BrokerConfig, refuses_settings_that_contradict_one_another) {
  EXPECT_FALSE(BrokerConfig::parse({{"node.id", "1"}, {"broker.id", "2"}}));
  EXPECT_FALSE(BrokerConfig::parse({{"process.roles", "broker"}}));
  EXPECT_FALSE(BrokerConfig::parse({{"controller.quorum.voters", "1@a:9093,2@b:9093"}}));
  EXPECT_FALSE(BrokerConfig::parse({{"log.dirs", "a,,b"}}));
}

TEST(Listeners, parse_as_in_kafka) {
  const auto listeners =
      listeners_of(values({{"listeners", "plaintext://[::1]:9092,INSIDE://0.0.0.0:0"},
                           {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT"}}));
  ASSERT_TRUE(listeners) << listeners.error().message();
  EXPECT_EQ((*listeners)[0].name, "PLAINTEXT");
  EXPECT_EQ((*listeners)[0].host, "::1");
  EXPECT_EQ((*listeners)[1].name, "INSIDE");
  EXPECT_EQ((*listeners)[1].port, 0);
}

TEST(Listeners, refuse_what_cannot_be_and_name_it) {
  const std::vector<std::string> bad = {
      "localhost:9092",     "PLAINTEXT://localhost",   "PLAINTEXT://a:b",
      "PLAINTEXT://:70000", "PLAINTEXT://:-1",         "NOBODY://:9092",
      "SSL://:9093",        "PLAINTEXT://:1,SSL://:1", "PLAINTEXT://:1,PLAINTEXT://:2",
      "CONTROLLER://:9093", "PLAINTEXT://sp ace:9092"};
  for (const auto& text : bad) {
    const auto listeners = listeners_of(values({{"listeners", text}}));
    ASSERT_FALSE(listeners) << text;
    EXPECT_EQ(listeners.error().subject.rfind("listeners: ", 0), 0u) << listeners.error().subject;
  }
}

TEST(AdvertisedListeners, fall_back_to_the_listener_and_the_host_name) {
  const auto plain = advertised_listeners_of(values({}), "myhost");
  ASSERT_TRUE(plain);
  EXPECT_EQ((*plain)[0].host, "myhost");
  EXPECT_EQ((*plain)[0].port, 9092);
  const auto given =
      advertised_listeners_of(values({{"advertised.listeners", "PLAINTEXT://kafka.example.org:19092"}}), "myhost");
  ASSERT_TRUE(given);
  EXPECT_EQ((*given)[0].host, "kafka.example.org");
  EXPECT_EQ((*given)[0].port, 19092);
}

TEST(AdvertisedListeners, refuse_the_address_that_nobody_can_reach_and_listeners_that_are_not_there) {
  EXPECT_FALSE(advertised_listeners_of(values({{"advertised.listeners", "PLAINTEXT://0.0.0.0:9092"}}), "h"));
  EXPECT_FALSE(advertised_listeners_of(values({{"advertised.listeners", "SSL://h:9092"}}), "h"));
  EXPECT_FALSE(advertised_listeners_of(values({{"listeners", "A://:1,B://:2"},
                                               {"listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT"},
                                               {"advertised.listeners", "A://h:1"}}),
                                       "h"));
}

}  // namespace
}  // namespace barnabas::config
