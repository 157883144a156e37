#include "broker/metadata/topic_log_config.h"

#include <gtest/gtest.h>

#include "broker/config/broker_config.h"
#include "broker/metadata/image_builder.h"
#include "common/protocol/messages/config_record.h"

namespace barnabas::metadata {
namespace {

/// An image in which all brokers have this setting.
ImagePtr image_with_default(const std::string& name, const std::string& value) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(ConfigResourceType::broker);
  record.name = name;
  record.value = value;
  ImageBuilder builder;
  EXPECT_TRUE(builder.replay(frame_record(record, record_version::kOthers), 0, 1));
  return builder.build();
}

TEST(TopicLogConfig, takes_the_topic_then_the_dynamic_default_then_the_file) {
  const auto broker =
      config::BrokerConfig::parse({{"log.retention.hours", "1"}, {"log.index.interval.bytes", "99"}}).value();
  const ImagePtr image = image_with_default("log.retention.ms", "777");
  EXPECT_EQ(topic_log_config({{"retention.ms", "5"}}, *image, broker.values(), 1).retention_ms, 5);
  EXPECT_EQ(topic_log_config({}, *image, broker.values(), 1).retention_ms, 777);
  EXPECT_EQ(topic_log_config({}, MetadataImage{}, broker.values(), 1).retention_ms, 3600000);
  EXPECT_EQ(topic_log_config({}, *image, broker.values(), 1).index_interval_bytes, 99);
}

TEST(TopicLogConfig, leaves_out_what_it_cannot_read) {
  const auto broker = config::BrokerConfig::parse({}).value();
  const auto config = topic_log_config({{"retention.ms", "soon"}, {"from.the.future", "1"}, {"segment.ms", "60000"}},
                                       *image_with_default("log.retention.ms", "never"), broker.values(), 1);
  EXPECT_EQ(config.retention_ms, 604800000);
  EXPECT_EQ(config.segment_ms, 60000);
}

TEST(TopicLogConfig, small_segments_are_for_tests) {
  const auto broker = config::BrokerConfig::parse({}).value();
  EXPECT_EQ(topic_log_config({{"internal.segment.bytes", "500"}}, MetadataImage{}, broker.values(), 1).segment_bytes,
            500);
}

}  // namespace
}  // namespace barnabas::metadata
