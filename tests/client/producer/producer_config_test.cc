#include "client/producer/producer_config.h"

#include <gtest/gtest.h>

#include "common/runtime/clock.h"
#include "tests/support/generated_page.h"
#include "tests/support/golden.h"
#include "tests/support/kafka_config_type.h"

namespace barnabas::client {
namespace {

Result<ProducerConfig> read(std::map<std::string, std::string> given) {
  given.emplace("bootstrap.servers", "localhost:9092");
  const auto parsed = producer_config_table().parse(given);
  if (!parsed) return failure(parsed.error());
  return producer_config_of(*parsed);
}

TEST(ProducerConfig, has_every_setting_of_kafka_with_its_type_and_default) {
  const auto all = nlohmann::json::parse(testing::golden_text("configs.json"));
  for (const auto& expected : all["producer"]) {
    const auto name = expected["name"].get<std::string>();
    SCOPED_TRACE(name);
    const runtime::ConfigDef* row = producer_config_table().find(name);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(testing::kafka_name_of(row->type), expected["type"].get<std::string>());
    const bool has_default = expected.contains("default") && !expected["default"].is_null();
    EXPECT_EQ(row->default_value.has_value(), has_default);
    if (has_default && row->default_value) {
      EXPECT_EQ(*row->default_value, expected["default"].get<std::string>());
    }
    EXPECT_FALSE(row->doc.empty());
  }
}

TEST(ProducerConfig, page_is_current) {
  barnabas::testing::expect_page_is_current("reference/producer_settings.md",
                                            "# Settings of the producer\n\n" + producer_config_table().to_markdown());
}

TEST(ProducerConfig, turns_idempotence_off_only_where_nobody_asked_for_it) {
  EXPECT_TRUE(read({})->idempotent);
  EXPECT_FALSE(read({{"acks", "1"}})->idempotent);
  EXPECT_FALSE(read({{"retries", "0"}})->idempotent);
  EXPECT_FALSE(read({{"acks", "1"}, {"enable.idempotence", "true"}}));
  EXPECT_FALSE(read({{"retries", "0"}, {"enable.idempotence", "true"}}));
  EXPECT_FALSE(read({{"max.in.flight.requests.per.connection", "6"}}));
  EXPECT_TRUE(read({{"max.in.flight.requests.per.connection", "6"}, {"enable.idempotence", "false"}}));
}

TEST(ProducerConfig, takes_javas_largest_number_for_ever) {
  const auto config = read({{"max.block.ms", "9223372036854775807"}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_LT(runtime::Duration(config->max_block), runtime::Duration::max() / 2) << "a time may be added to it";
}

TEST(ProducerConfig, says_what_is_wrong_by_name) {
  const auto unknown = read({{"linger.sm", "1"}});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message().find("linger.ms"), std::string::npos) << unknown.error().message();
  const auto timeout = read({{"delivery.timeout.ms", "100"}});
  ASSERT_FALSE(timeout);
  EXPECT_NE(timeout.error().message().find("delivery.timeout.ms"), std::string::npos);
  EXPECT_FALSE(read({{"transactional.id", "t"}}));
  EXPECT_FALSE(read({{"compression.type", "zip"}}));
  EXPECT_FALSE(read({{"partitioner.class", "com.example.Mine"}}));
  EXPECT_EQ(read({{"partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner"}})->partitioner,
            PartitionerKind::round_robin);
  EXPECT_EQ(read({{"compression.type", "zstd"}, {"compression.zstd.level", "7"}})->compression_level, 7);
}

}  // namespace
}  // namespace barnabas::client
