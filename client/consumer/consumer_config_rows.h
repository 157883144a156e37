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

/// Everything but SASL and TLS.
std::span<const ConsumerConfigRow> consumer_config_rows();
/// SASL and TLS: refused until they act.
std::span<const ConsumerConfigRow> consumer_security_config_rows();

}  // namespace barnabas::client
