#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/config/config_tables.h"
#include "common/bytes/result.h"
#include "common/runtime/config_table.h"
#include "common/runtime/properties.h"

namespace barnabas::config {

/// server.properties as it is understood here: all values with their defaults, and what is drawn from several of them.
/// Threads: any, it never changes.
class BrokerConfig {
 public:
  /// Errors: invalid_config with all that is wrong: unknown names (with the nearest known one), ill-typed or refused
  /// values, and settings that contradict one another.
  static Result<BrokerConfig> parse(const runtime::Properties& given);
  /// What a broker that was started without a configuration file begins with, below any override: as in the file
  /// that comes with Kafka, a group's first members are not waited for, and the replication settings of the internal
  /// topics are what one broker can keep.
  static runtime::Properties without_configuration();

  const runtime::ParsedConfig& values() const noexcept { return values_; }
  /// What the user set and has no effect here, for the log: without what without_configuration() says by itself.
  std::vector<std::string> settings_without_effect() const;
  std::int32_t node_id() const noexcept { return node_id_; }
  /// log.dirs, else log.dir where it is set, else ./barnabas-data. Never empty.
  const std::vector<std::string>& data_directories() const noexcept { return data_directories_; }
  /// Where meta.properties of the cluster and __cluster_metadata-0 are.
  const std::string& metadata_directory() const noexcept { return metadata_directory_; }

 private:
  explicit BrokerConfig(runtime::ParsedConfig values) : values_(std::move(values)) {}
  Result<void> draw_conclusions();

  runtime::ParsedConfig values_;
  std::int32_t node_id_ = 1;
  std::vector<std::string> data_directories_;
  std::string metadata_directory_;
};

}  // namespace barnabas::config
