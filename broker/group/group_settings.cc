#include "broker/group/group_settings.h"

#include "common/runtime/config_table.h"

namespace barnabas::group {

Result<GroupSettings> GroupSettings::of(const runtime::ParsedConfig& config) {
  constexpr std::int64_t kMsPerMinute = 60'000;
  GroupSettings settings;
  settings.initial_rebalance_delay_ms = config.get_int("group.initial.rebalance.delay.ms");
  settings.min_session_timeout_ms = config.get_int("group.min.session.timeout.ms");
  settings.max_session_timeout_ms = config.get_int("group.max.session.timeout.ms");
  settings.max_size = config.get_int("group.max.size");
  settings.offset_metadata_max_bytes = config.get_int("offset.metadata.max.bytes");
  settings.offsets_retention_ms = config.get_int("offsets.retention.minutes") * kMsPerMinute;
  settings.offsets_retention_check_interval_ms = config.get_long("offsets.retention.check.interval.ms");
  settings.topic_partitions = config.get_int("offsets.topic.num.partitions");
  settings.topic_replication_factor = static_cast<std::int16_t>(config.get_int("offsets.topic.replication.factor"));
  settings.topic_segment_bytes = config.get_int("offsets.topic.segment.bytes");
  const std::int32_t codec = config.get_int("offsets.topic.compression.codec");
  if (codec < 0 || codec > static_cast<std::int32_t>(record::CompressionType::zstd)) {
    return failure(Errc::invalid_config, "offsets.topic.compression.codec: there is no codec " + std::to_string(codec));
  }
  settings.topic_compression = static_cast<record::CompressionType>(codec);
  settings.load_buffer_bytes = config.get_int("offsets.load.buffer.size");
  return settings;
}

}  // namespace barnabas::group
