#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "common/record/batch_header.h"
#include "common/runtime/config_table.h"

namespace barnabas::log {

/// A topic's settings as the log uses them: resolved to numbers once, so that an append compares no strings.
/// Units: as in the names. Defaults: Kafka's. Source: Kafka's LogConfig.
struct LogConfig {
  std::int64_t segment_bytes = std::int64_t{1} << 30;
  std::int64_t segment_ms = std::int64_t{7} * 24 * 3600 * 1000;
  std::int64_t segment_jitter_ms = 0;
  std::int64_t segment_index_bytes = 10 * 1024 * 1024;
  std::int64_t index_interval_bytes = 4096;
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t retention_ms = std::int64_t{7} * 24 * 3600 * 1000;  ///< -1: for ever.
  std::int64_t retention_bytes = -1;                               ///< -1: any size.
  std::int64_t file_delete_delay_ms = 60'000;
  std::int64_t max_message_bytes = 1048588;
  std::int32_t min_insync_replicas = 1;
  bool cleanup_delete = true;
  bool cleanup_compact = false;
  record::TimestampType timestamp_type = record::TimestampType::create_time;
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3'600'000;
  std::optional<record::CompressionType> compression;  ///< Absent: as the producer sent it.
  int compression_level = 0;                           ///< Of `compression`; means nothing while that is absent.

  /// From config::effective_topic_config().
  static LogConfig from(const runtime::ParsedConfig& topic_config);
};

/// What holds for all logs of a broker.
struct LogSettings {
  std::int64_t producer_id_expiration_ms = 86'400'000;     ///< producer.id.expiration.ms
  std::size_t recompress_limit_bytes = 256 * 1024 * 1024;  ///< The most that a batch to be compressed anew may hold.
};

}  // namespace barnabas::log
