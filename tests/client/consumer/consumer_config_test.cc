#include "client/consumer/consumer_config.h"

#include <gtest/gtest.h>

#include "tests/support/generated_page.h"
#include "tests/support/golden.h"
#include "tests/support/kafka_config_type.h"

namespace barnabas::client {
namespace {

using runtime::ConfigStatus;

TEST(ConsumerConfig, has_every_setting_of_kafkas_consumer_with_its_type_and_default) {
  const auto kafka = nlohmann::json::parse(barnabas::testing::golden_text("configs.json")).at("consumer");
  for (const auto& entry : kafka) {
    const std::string name = entry.at("name");
    const auto* row = consumer_config_table().find(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(testing::kafka_name_of(row->type), entry.at("type").get<std::string>()) << name;
    const bool has_default = entry.contains("default") && !entry.at("default").is_null();
    EXPECT_EQ(row->default_value.has_value(), has_default) << name;
    if (!has_default) continue;
    EXPECT_EQ(*row->default_value, entry.at("default").get<std::string>()) << name;
  }
  EXPECT_EQ(consumer_config_table().rows().size(), kafka.size() + 2) << "buffer.memory and on.corrupt.batch are ours";
}

TEST(ConsumerConfig, says_why_where_a_setting_does_not_act) {
  for (const auto& row : consumer_config_table().rows()) {
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_TRUE(row.status == ConfigStatus::acts || !row.differs.empty()) << row.name;
  }
}

TEST(ConsumerConfig, reads_what_the_consumer_acts_on) {
  const auto parsed = consumer_config_table().parse({{"bootstrap.servers", "localhost:9092"},
                                                     {"auto.offset.reset", "by_duration:PT1H"},
                                                     {"isolation.level", "read_committed"},
                                                     {"max.poll.records", "7"}});
  ASSERT_TRUE(parsed) << parsed.error().subject;
  const auto settings = consumer_settings(*parsed);
  EXPECT_EQ(settings.reset_policy.kind, ResetPolicy::Kind::by_duration);
  EXPECT_TRUE(settings.read_committed);
  EXPECT_EQ(settings.max_poll_records, 7U);
  EXPECT_EQ(settings.fetch_max_bytes, 52428800);
  EXPECT_EQ(settings.buffer_memory_bytes, 64U * 1024 * 1024);
}

TEST(ConsumerConfig, refuses_what_would_weaken_security_or_delivery) {
  const std::pair<const char*, const char*> cases[] = {
      {"security.protocol", "SSL"},    {"sasl.mechanism", "PLAIN"},     {"ssl.truststore.location", "/x"},
      {"group.protocol", "consumer"},  {"auto.offset.reset", "newest"}, {"max.poll.records", "0"},
      {"isolation.level", "committed"}};
  for (const auto& [name, value] : cases) {
    const auto parsed = consumer_config_table().parse({{"bootstrap.servers", "localhost:9092"}, {name, value}});
    ASSERT_FALSE(parsed) << name;
    EXPECT_NE(parsed.error().subject.find(name), std::string::npos) << parsed.error().subject;
  }
}

TEST(ConsumerConfig, names_the_nearest_setting_for_an_unknown_one) {
  const auto parsed =
      consumer_config_table().parse({{"bootstrap.servers", "localhost:9092"}, {"max.poll.record", "1"}});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().subject.find("max.poll.records"), std::string::npos) << parsed.error().subject;
}

TEST(ConsumerConfig, page_is_current) {
  barnabas::testing::expect_page_is_current("reference/consumer_settings.md",
                                            "# Settings of the consumer\n\n" + consumer_config_table().to_markdown());
}

}  // namespace
}  // namespace barnabas::client
