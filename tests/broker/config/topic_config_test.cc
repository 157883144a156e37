#include "broker/config/topic_config.h"

#include <gtest/gtest.h>

namespace barnabas::config {
namespace {

TEST(TopicConfig, prefers_the_topic_to_the_broker_to_the_default) {
  const auto file = broker_table().parse({{"log.retention.ms", "1000"}, {"log.segment.bytes", "2097152"}}).value();
  const ConfigMap topic = {{"retention.ms", "-1"}};
  const ConfigLayers layers{.topic = &topic, .file = &file};
  const auto config = effective_topic_config(layers);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->get_long("retention.ms"), -1);
  EXPECT_EQ(config->get_int("segment.bytes"), 2097152);
  EXPECT_EQ(config->get_int("index.interval.bytes"), 4096);
}

TEST(TopicConfig, turns_hours_and_minutes_into_milliseconds) {
  const auto hours = broker_table().parse({{"log.retention.hours", "2"}, {"log.roll.hours", "3"}}).value();
  EXPECT_EQ(topic_value("retention.ms", {.file = &hours}), "7200000");
  EXPECT_EQ(topic_value("segment.ms", {.file = &hours}), "10800000");
  const auto minutes = broker_table().parse({{"log.retention.hours", "2"}, {"log.retention.minutes", "5"}}).value();
  EXPECT_EQ(topic_value("retention.ms", {.file = &minutes}), "300000");
  const auto forever = broker_table().parse({{"log.retention.hours", "-1"}}).value();
  EXPECT_EQ(topic_value("retention.ms", {.file = &forever}), "-1");
  const auto nothing = broker_table().parse({}).value();
  EXPECT_EQ(topic_value("retention.ms", {.file = &nothing}), "604800000");
  EXPECT_EQ(topic_value("flush.ms", {.file = &nothing}), "9223372036854775807");
}

TEST(TopicConfig, shows_where_a_value_comes_from_in_the_order_that_counts) {
  const auto file = broker_table().parse({{"min.insync.replicas", "2"}}).value();
  const ConfigMap topic = {{"min.insync.replicas", "4"}};
  const ConfigMap all = {{"min.insync.replicas", "3"}};
  const auto found = topic_synonyms("min.insync.replicas", {.topic = &topic, .broker_default = &all, .file = &file});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].source, ConfigSource::topic);
  EXPECT_EQ(found[1].source, ConfigSource::dynamic_default);
  EXPECT_EQ(found[2].source, ConfigSource::static_broker);
  EXPECT_EQ(found[3].source, ConfigSource::default_value);
  EXPECT_EQ(found[2].value, "2");
  EXPECT_TRUE(topic_synonyms("no.such", {}).empty());
}

TEST(TopicConfig, every_setting_has_an_effective_value_of_its_type) {
  const auto file = broker_table().parse({}).value();
  const auto config = effective_topic_config({.file = &file});
  ASSERT_TRUE(config) << config.error().message();
  for (const auto& row : topic_table().rows()) {
    if (!row.default_value) continue;
    EXPECT_EQ(config->text(row.name), row.default_value) << row.name;
  }
}

TEST(TopicOverrides, are_refused_by_name) {
  EXPECT_TRUE(check_topic_overrides({{"retention.ms", "5"}}));
  const auto unknown = check_topic_overrides({{"retention.msec", "5"}});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().subject.find("retention.msec"), std::string::npos);
  EXPECT_FALSE(check_topic_overrides({{"retention.ms", "soon"}}));
  EXPECT_FALSE(check_topic_overrides({{"segment.bytes", "1"}}));
  EXPECT_FALSE(check_topic_overrides({{"retention.ms", std::nullopt}}));
}

}  // namespace
}  // namespace barnabas::config
