#include "broker/config/config_tables.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/config/setting_rows.h"
#include "tests/support/generated_page.h"
#include "tests/support/golden.h"
#include "tests/support/kafka_config_type.h"

namespace barnabas::config {
namespace {

const std::set<std::string> kOurOwn = {"metrics.port"};

/// The vectors leave out where the machine that made them keeps temporary files and programs.
std::string with_real_paths(std::string text) {
  if (text.rfind("{tmp}", 0) == 0) text.replace(0, 5, "/tmp");
  if (text.rfind("{bin}", 0) == 0) text.replace(0, 5, "/usr/bin");
  return text;
}

void expect_agreement(const nlohmann::json& facts, const runtime::ConfigTable& table,
                      const SettingRow* (*find)(std::string_view)) {
  std::set<std::string> known;
  for (const auto& fact : facts) {
    const std::string name = fact["name"];
    known.insert(name);
    const runtime::ConfigDef* def = table.find(name);
    const SettingRow* row = find(name);
    ASSERT_TRUE(def != nullptr && row != nullptr) << name;
    EXPECT_EQ(testing::kafka_name_of(def->type), fact["type"]) << name;
    const bool has_default = fact.contains("default") && !fact["default"].is_null();
    ASSERT_EQ(def->default_value.has_value(), has_default) << name;
    if (has_default) {
      EXPECT_EQ(*def->default_value, with_real_paths(fact["default"])) << name;
    }
    EXPECT_EQ(row->range, fact.value("valid", "")) << name;
    EXPECT_EQ(row->access == Access::internal, fact["internal"].get<bool>()) << name;
    if (fact.contains("dynamic")) {
      EXPECT_EQ(row->access == Access::dynamic, fact["dynamic"].get<bool>()) << name;
    }
    if (fact.contains("brokerDefaultKey")) {
      const auto& key = fact["brokerDefaultKey"];
      EXPECT_EQ(row->broker_default, key.is_null() ? std::string() : key.get<std::string>()) << name;
    }
    EXPECT_FALSE(def->doc.empty()) << name;
    EXPECT_TRUE(def->status == runtime::ConfigStatus::acts || !def->differs.empty()) << name;
  }
  for (const auto& def : table.rows())
    EXPECT_TRUE(known.count(def.name) == 1 || kOurOwn.count(def.name) == 1) << def.name;
}

TEST(BrokerTable, has_every_setting_of_kafka_with_its_type_range_and_default) {
  expect_agreement(nlohmann::json::parse(testing::golden_text("configs.json"))["broker"], broker_table(),
                   find_broker_row);
}

TEST(TopicTable, has_every_setting_of_kafka_with_its_type_range_and_default) {
  expect_agreement(nlohmann::json::parse(testing::golden_text("configs.json"))["topic"], topic_table(), find_topic_row);
}

TEST(BrokerTable, takes_its_own_defaults) {
  const auto parsed = broker_table().parse({});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_TRUE(topic_table().parse({}));
}

TEST(BrokerTable, refuses_what_would_weaken_security_and_names_the_nearest_of_an_unknown_name) {
  const auto secured = broker_table().parse({{"ssl.client.auth", "required"}});
  ASSERT_FALSE(secured);
  EXPECT_NE(secured.error().subject.find("ssl.client.auth"), std::string::npos);
  const auto typo = broker_table().parse({{"num.partition", "3"}});
  ASSERT_FALSE(typo);
  EXPECT_NE(typo.error().subject.find("'num.partitions'"), std::string::npos) << typo.error().subject;
}

TEST(BrokerTable, keeps_the_ranges_that_kafka_writes_in_words) {
  EXPECT_TRUE(broker_table().parse({{"compression.gzip.level", "-1"}}));
  EXPECT_TRUE(broker_table().parse({{"compression.gzip.level", "9"}}));
  EXPECT_FALSE(broker_table().parse({{"compression.gzip.level", "0"}}));
  EXPECT_FALSE(broker_table().parse({{"compression.gzip.level", "10"}}));
  EXPECT_TRUE(broker_table().parse({{"group.consumer.migration.policy", "Upgrade"}}));
  EXPECT_EQ(broker_table().parse({})->text("group.consumer.migration.policy"), "bidirectional") << "as Kafka spells it";
  EXPECT_FALSE(broker_table().parse({{"group.consumer.migration.policy", "sideways"}}));
  EXPECT_FALSE(topic_table().parse({{"cleanup.policy", "shred"}}));
  EXPECT_TRUE(topic_table().parse({{"cleanup.policy", "compact,delete"}}));
}

TEST(BrokerTable, page_is_current) {
  testing::expect_page_is_current("reference/broker_settings.md", broker_settings_page());
}

TEST(TopicTable, page_is_current) {
  testing::expect_page_is_current("reference/topic_settings.md", topic_settings_page());
}

}  // namespace
}  // namespace barnabas::config
