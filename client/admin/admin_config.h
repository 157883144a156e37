#pragma once

#include <chrono>

#include "client/core/client_config.h"

namespace barnabas::client {

/// All settings of an admin client; docs/reference/admin_settings.md is made from it.
const runtime::ConfigTable& admin_config_table();

struct AdminConfig {
  ClientConfig client;
  std::chrono::milliseconds default_api_timeout{60000};
  int retries = 0;
};

/// Errors: Errc::invalid_config.
Result<AdminConfig> admin_config_of(const runtime::ParsedConfig& parsed);

}  // namespace barnabas::client
