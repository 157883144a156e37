#pragma once

#include <cstdint>

#include "broker/log/log_config.h"
#include "broker/metadata/image.h"
#include "common/runtime/config_table.h"

namespace barnabas::metadata {

/// The settings of a topic with these overrides as its logs use them: what is set on the topic, else on the broker
/// (while it ran, then in server.properties), else the default. What cannot be read (a value that a newer broker wrote)
/// counts as not set.
log::LogConfig topic_log_config(const ConfigMap& overrides, const MetadataImage& image,
                                const runtime::ParsedConfig& broker, std::int32_t node_id);

}  // namespace barnabas::metadata
