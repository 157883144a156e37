#include "client/admin/admin_config.h"

#include <gtest/gtest.h>

#include <mutex>

#include "barnabas/admin.h"
#include "tests/support/generated_page.h"
#include "tests/support/golden.h"
#include "tests/support/kafka_config_type.h"

namespace barnabas::client {
namespace {

using runtime::ConfigStatus;

TEST(AdminConfig, has_every_setting_of_kafkas_admin_client_with_its_default) {
  const auto kafka = nlohmann::json::parse(barnabas::testing::golden_text("configs.json")).at("admin");
  for (const auto& entry : kafka) {
    const std::string name = entry.at("name");
    const auto* row = admin_config_table().find(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(barnabas::testing::kafka_name_of(row->type), entry.at("type")) << name;
    const bool takes_any_case = entry.value("valid", "").rfind("(case insensitive)", 0) == 0;
    EXPECT_TRUE(row->any_case == takes_any_case || row->allowed.empty()) << name;
    if (row->required) continue;
    const bool has_default = entry.contains("default") && !entry.at("default").is_null();
    ASSERT_EQ(row->default_value.has_value(), has_default) << name;
    if (!has_default) continue;
    EXPECT_EQ(*row->default_value, entry.at("default").get<std::string>()) << name;
  }
  EXPECT_EQ(admin_config_table().rows().size(), kafka.size());
}

TEST(AdminConfig, says_why_where_a_setting_does_not_act) {
  for (const auto& row : admin_config_table().rows()) {
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_TRUE(row.status == ConfigStatus::acts || !row.differs.empty()) << row.name;
  }
}

TEST(AdminConfig, says_once_which_settings_have_no_effect) {
  std::mutex mutex;
  std::vector<std::string> lines;  // mutex
  const LogSink sink{.write = [&](LogLevel, std::string_view, std::string_view line) {
    const std::lock_guard lock(mutex);
    if (line.find("without effect") != std::string_view::npos) lines.emplace_back(line);  // others tell of connections
  }};
  {
    const Admin admin({{"bootstrap.servers", "127.0.0.1:1"}, {"metric.reporters", "x.Y"}, {"metrics.num.samples", "3"}},
                      {.log = sink});
  }
  EXPECT_EQ(
      lines,
      (std::vector<std::string>{"barnabas: settings without effect here: metric.reporters, metrics.num.samples"}));
}

TEST(AdminConfig, page_is_current) {
  barnabas::testing::expect_page_is_current("reference/admin_settings.md",
                                            "# Settings of the admin client\n\n" + admin_config_table().to_markdown());
}

void expect_refused(const Config& config, const std::string& part) {
  try {
    const Admin admin(config);
    FAIL() << "taken: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::invalid_config);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(AdminConfig, is_checked_when_the_client_is_made) {
  expect_refused({{"bootstrap.server", "localhost:9092"}}, "bootstrap.servers");
  expect_refused({{"bootstrap.servers", "localhost"}}, "localhost");
  expect_refused({{"bootstrap.servers", "localhost:1"}, {"retries", "many"}}, "retries");
  expect_refused({{"bootstrap.servers", "localhost:1"}, {"security.protocol", "SSL"}}, "security.protocol");
  expect_refused({{"bootstrap.servers", "localhost:1"}, {"sasl.jaas.config", "secret"}}, "sasl.jaas.config");
}

}  // namespace
}  // namespace barnabas::client
