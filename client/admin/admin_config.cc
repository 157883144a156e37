#include "client/admin/admin_config.h"

#include <utility>

namespace barnabas::client {
namespace {

std::vector<runtime::ConfigDef> rows() {
  using runtime::ConfigImportance;
  using runtime::ConfigType;
  std::vector<runtime::ConfigDef> all = common_config_rows(ClientKind::admin);
  runtime::ConfigDef controllers;
  controllers.name = "bootstrap.controllers";
  controllers.type = ConfigType::list;
  controllers.default_value = "";
  controllers.importance = ConfigImportance::high;
  controllers.doc = "Addresses of KRaft controllers, to be asked instead of brokers.";
  controllers.status = runtime::ConfigStatus::refused;
  controllers.differs = "controllers are not talked to directly yet; use bootstrap.servers";
  all.push_back(std::move(controllers));
  runtime::ConfigDef timeout;
  timeout.name = "default.api.timeout.ms";
  timeout.type = ConfigType::integer;
  timeout.default_value = "60000";
  timeout.min = 0;
  timeout.doc = "How long a call may take that is given no timeout of its own.";
  all.push_back(std::move(timeout));
  runtime::ConfigDef retries;
  retries.name = "retries";
  retries.type = ConfigType::integer;
  retries.default_value = "2147483647";
  retries.min = 0;
  retries.importance = ConfigImportance::low;
  retries.doc = "How often a request that failed for a passing reason is sent again, within the call's timeout.";
  all.push_back(std::move(retries));
  return all;
}

}  // namespace

const runtime::ConfigTable& admin_config_table() {
  static const runtime::ConfigTable table("admin", rows());
  return table;
}

Result<AdminConfig> admin_config_of(const runtime::ParsedConfig& parsed) {
  auto client = client_config_of(parsed);
  if (!client) return failure(client.error());
  AdminConfig config;
  config.client = std::move(*client);
  config.default_api_timeout = std::chrono::milliseconds(parsed.get_int("default.api.timeout.ms"));
  config.retries = parsed.get_int("retries");
  return config;
}

}  // namespace barnabas::client
