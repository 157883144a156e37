#include "client/admin/admin_config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "barnabas/admin.h"
#include "tests/support/golden.h"

namespace barnabas::client {
namespace {

using runtime::ConfigStatus;

TEST(AdminConfig, has_every_setting_of_kafkas_admin_client_with_its_default) {
  const auto kafka = nlohmann::json::parse(barnabas::testing::golden_text("configs.json")).at("admin");
  for (const auto& entry : kafka) {
    const std::string name = entry.at("name");
    const auto* row = admin_config_table().find(name);
    ASSERT_NE(row, nullptr) << name;
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

TEST(AdminConfig, is_documented_as_it_is) {
  const std::string path = std::string(BARNABAS_SOURCE_DIR) + "/docs/reference/admin_settings.md";
  const std::string page = "# Settings of the admin client\n\n" + admin_config_table().to_markdown();
  if (std::getenv("BARNABAS_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_TRUE(written.str() == page) << path << " is out of date: run this test with BARNABAS_WRITE_DOCS=1";
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
