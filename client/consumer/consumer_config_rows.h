#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "common/runtime/config_table.h"

namespace barnabas::client {

/// One row as it is written below.
struct ConsumerConfigRow {
  const char* name;
  runtime::ConfigType type;
  const char* default_value;  ///< nullptr: Kafka's null.
  std::optional<double> min;
  std::optional<double> max;
  std::string_view allowed;  ///< Words with spaces between; empty: anything.
  runtime::ConfigImportance importance;
  const char* doc;
  runtime::ConfigStatus status;
  const char* differs;
};

/// What only a consumer has; the rest is client/core's common_config_rows().
std::span<const ConsumerConfigRow> consumer_config_rows();

}  // namespace barnabas::client
