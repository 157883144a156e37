#include "broker/metadata/topic_log_config.h"

#include <string>

#include "broker/config/topic_config.h"

namespace barnabas::metadata {
namespace {

/// The overrides that our table can read.
ConfigMap readable(const ConfigMap& overrides) {
  ConfigMap result;
  for (const auto& [name, value] : overrides) {
    if (config::check_topic_overrides({{name, value}})) result.emplace(name, value);
  }
  return result;
}

}  // namespace

log::LogConfig topic_log_config(const ConfigMap& overrides, const MetadataImage& image,
                                const runtime::ParsedConfig& broker, std::int32_t node_id) {
  const ConfigMap topic = readable(overrides);
  const config::ConfigLayers layers{
      .topic = &topic,
      .broker = &image.configs({ConfigResourceType::broker, std::to_string(node_id)}),
      .broker_default = &image.configs({ConfigResourceType::broker, ""}),
      .file = &broker,
  };
  auto effective = config::effective_topic_config(layers);
  // A dynamic broker setting that does not read: what the file says still stands.
  if (!effective) effective = config::effective_topic_config({.topic = &topic, .file = &broker});
  if (!effective) return {};
  log::LogConfig result = log::LogConfig::from(*effective);
  if (!effective->is_null("internal.segment.bytes"))
    result.segment_bytes = effective->get_int("internal.segment.bytes");
  return result;
}

}  // namespace barnabas::metadata
