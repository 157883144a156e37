#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "client/consumer/group/group_settings.h"
#include "client/consumer/reset_policy.h"
#include "common/runtime/config_table.h"

namespace barnabas::client {

/// All settings of a consumer: docs/reference/consumer_settings.md is made from it.
const runtime::ConfigTable& consumer_config_table();

/// The settings that the consumer itself acts on, typed; those of connections and metadata are read by client/core.
struct ConsumerSettings {
  ResetPolicy reset_policy;
  bool check_crcs = true;
  bool read_committed = false;
  bool skip_corrupt_batches = false;
  bool allow_auto_create_topics = true;
  std::string client_rack;
  std::int32_t fetch_min_bytes = 1;
  std::int32_t fetch_max_bytes = 0;
  std::int32_t max_partition_fetch_bytes = 0;
  std::chrono::milliseconds fetch_max_wait{0};
  std::size_t max_poll_records = 500;
  std::size_t buffer_memory_bytes = 0;
  std::chrono::milliseconds default_api_timeout{0};
  std::chrono::milliseconds request_timeout{0};
  std::chrono::milliseconds retry_backoff{0};
  std::chrono::milliseconds retry_backoff_max{0};
  std::optional<GroupSettings> group;  ///< With group.id.
};

/// `config` was parsed by consumer_config_table().
ConsumerSettings consumer_settings(const runtime::ParsedConfig& config);
/// Errors: Errc::invalid_config for settings of a group that contradict each other, or need group.id.
Result<void> check_group_settings(const runtime::ParsedConfig& config);

}  // namespace barnabas::client
