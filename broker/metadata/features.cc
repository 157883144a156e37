#include "broker/metadata/features.h"

namespace barnabas::metadata {

const std::map<std::string, FeatureRange>& supported_features() {
  static const std::map<std::string, FeatureRange> ranges = {
      {kMetadataVersion, {7, kMetadataVersion43}},
      {kKRaftVersion, {0, 1}},
      {kElrVersion, {0, 1}},
      {"group.version", {0, 1}},
      {"share.version", {0, 1}},
      {"streams.version", {0, 1}},
      {"transaction.version", {0, 2}},
  };
  return ranges;
}

const std::vector<std::pair<std::string, std::int16_t>>& bootstrap_features() {
  static const std::vector<std::pair<std::string, std::int16_t>> levels = {
      {kMetadataVersion, kMetadataVersion43}, {kElrVersion, std::int16_t{1}},
      {"group.version", std::int16_t{1}},     {"share.version", std::int16_t{1}},
      {"streams.version", std::int16_t{1}},   {"transaction.version", std::int16_t{2}},
  };
  return levels;
}

Result<void> check_feature(const std::string& name, std::int16_t level) {
  if (level == 0) return {};
  const auto known = supported_features().find(name);
  if (known == supported_features().end()) {
    return failure(Errc::unsupported_version, "feature " + name + " is finalised at level " + std::to_string(level) +
                                                  "; this broker does not know it");
  }
  if (level < known->second.min || level > known->second.max) {
    return failure(Errc::unsupported_version, "feature " + name + " is finalised at level " + std::to_string(level) +
                                                  "; this broker works with " + std::to_string(known->second.min) +
                                                  " to " + std::to_string(known->second.max));
  }
  return {};
}

}  // namespace barnabas::metadata
