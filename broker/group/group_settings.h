#pragma once

#include <cstdint>
#include <string>

#include "common/bytes/result.h"
#include "common/record/compress/codec.h"

namespace barnabas::runtime {
class ParsedConfig;
}  // namespace barnabas::runtime

namespace barnabas::group {

/// What server.properties says of groups; each is the setting of that name.
struct GroupSettings {
  std::int32_t initial_rebalance_delay_ms = 3000;
  std::int32_t min_session_timeout_ms = 6000;
  std::int32_t max_session_timeout_ms = 1'800'000;
  std::int32_t max_size = 2'147'483'647;
  /// How long a member whose first JoinGroup is not answered yet is kept; Kafka's constant.
  std::int32_t new_member_join_timeout_ms = 300'000;
  std::int32_t offset_metadata_max_bytes = 4096;
  std::int64_t offsets_retention_ms = std::int64_t{10080} * 60 * 1000;
  std::int64_t offsets_retention_check_interval_ms = 600'000;
  std::int32_t topic_partitions = 50;
  std::int16_t topic_replication_factor = 3;
  std::int32_t topic_segment_bytes = 104'857'600;
  record::CompressionType topic_compression = record::CompressionType::none;
  std::int32_t load_buffer_bytes = 5'242'880;

  /// Errors: Errc::invalid_config.
  static Result<GroupSettings> of(const runtime::ParsedConfig& config);
};

}  // namespace barnabas::group
