#include "broker/log/log_config.h"

#include <algorithm>

namespace barnabas::log {
namespace {

void set_compression(LogConfig& config, const runtime::ParsedConfig& topic) {
  const std::string& type = topic.get_string("compression.type");
  if (type == "uncompressed") config.compression = record::CompressionType::none;
  if (type == "gzip") config.compression = record::CompressionType::gzip;
  if (type == "snappy") config.compression = record::CompressionType::snappy;
  if (type == "lz4") config.compression = record::CompressionType::lz4;
  if (type == "zstd") config.compression = record::CompressionType::zstd;
  if (type == "gzip") config.compression_level = topic.get_int("compression.gzip.level");
  if (type == "lz4") config.compression_level = topic.get_int("compression.lz4.level");
  if (type == "zstd") config.compression_level = topic.get_int("compression.zstd.level");
}

}  // namespace

LogConfig LogConfig::from(const runtime::ParsedConfig& topic) {
  LogConfig config;
  config.segment_bytes = topic.get_int("segment.bytes");
  config.segment_ms = topic.get_long("segment.ms");
  config.segment_jitter_ms = topic.get_long("segment.jitter.ms");
  config.segment_index_bytes = topic.get_int("segment.index.bytes");
  config.index_interval_bytes = topic.get_int("index.interval.bytes");
  config.flush_messages = topic.get_long("flush.messages");
  config.flush_ms = topic.get_long("flush.ms");
  config.retention_ms = topic.get_long("retention.ms");
  config.retention_bytes = topic.get_long("retention.bytes");
  config.file_delete_delay_ms = topic.get_long("file.delete.delay.ms");
  config.max_message_bytes = topic.get_int("max.message.bytes");
  config.min_insync_replicas = topic.get_int("min.insync.replicas");
  const auto& policy = topic.get_list("cleanup.policy");
  config.cleanup_delete = std::find(policy.begin(), policy.end(), "delete") != policy.end();
  config.cleanup_compact = std::find(policy.begin(), policy.end(), "compact") != policy.end();
  config.timestamp_type = topic.get_string("message.timestamp.type") == "LogAppendTime"
                              ? record::TimestampType::log_append_time
                              : record::TimestampType::create_time;
  config.timestamp_before_max_ms = topic.get_long("message.timestamp.before.max.ms");
  config.timestamp_after_max_ms = topic.get_long("message.timestamp.after.max.ms");
  set_compression(config, topic);
  return config;
}

}  // namespace barnabas::log
