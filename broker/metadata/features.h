#pragma once

#include <map>
#include <string>

#include "broker/metadata/image.h"
#include "common/bytes/result.h"

namespace barnabas::metadata {

constexpr const char* kMetadataVersion = "metadata.version";
constexpr const char* kKRaftVersion = "kraft.version";
constexpr const char* kElrVersion = "eligible.leader.replicas.version";
constexpr std::int16_t kMetadataVersion43 = 30;  ///< 4.3-IV0.

/// The features of Apache Kafka 4.3 with the levels that we can work with; kraft.version among them.
const std::map<std::string, FeatureRange>& supported_features();
/// The levels that a fresh directory is finalised at, in the order in which Kafka writes them (metadata.version first).
const std::vector<std::pair<std::string, std::int16_t>>& bootstrap_features();
/// Errors: unsupported_version naming feature, level and range, for a level that we cannot work with.
Result<void> check_feature(const std::string& name, std::int16_t level);

}  // namespace barnabas::metadata
