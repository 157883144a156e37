#pragma once

#include <vector>

#include "common/runtime/config_table.h"

namespace barnabas::client {

/// sasl.* and ssl.*, the same for every client.
std::vector<runtime::ConfigDef> security_config_rows();

}  // namespace barnabas::client
