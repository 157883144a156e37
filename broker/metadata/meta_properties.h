#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/bytes/result.h"
#include "common/bytes/uuid.h"
#include "common/runtime/env.h"

namespace barnabas::metadata {

/// What meta.properties says of a data directory. Format: docs/formats/meta_properties.md.
struct MetaProperties {
  std::string cluster_id;
  std::int32_t node_id = 1;
  Uuid directory_id;
};

/// Errors: not_found where there is no such file; corrupt_data for a field that is missing or does not read;
/// unsupported_version for any version but 1. All name the file.
Result<MetaProperties> read_meta_properties(runtime::Files& files, const std::string& directory);
/// Whole or not at all, also after a power failure: in that case only once `sync`, or a later one, is done.
Result<void> write_meta_properties(runtime::Env& env, const std::string& directory, const MetaProperties& properties,
                                   bool sync = true);

/// The data directories of one broker.
struct DataDirectories {
  std::string cluster_id;
  Uuid metadata_directory_id;
  std::vector<std::string> paths;  ///< Those that hold partitions.
  std::vector<Uuid> ids;           ///< Of `paths`, in the same order.
  /// Of the metadata directory where it holds no partitions; the others are locked by their log managers.
  std::unique_ptr<runtime::FileLock> metadata_lock;
  bool fresh = false;  ///< No directory belonged to a cluster before.
  /// Written and not synced: those of a fresh set, which hold nothing yet. The controller syncs them before its first
  /// request.
  std::vector<std::string> unsynced_files;
};

/// Makes and checks all directories; those that are empty are given a meta.properties of the cluster, a wholly
/// fresh set a new cluster id. Errors, each naming the directory: locked when another process holds it, io_error when
/// it cannot be written, invalid_config for another cluster's or node's directory, and those of read_meta_properties.
Result<DataDirectories> open_data_directories(runtime::Env& env, const std::vector<std::string>& directories,
                                              const std::string& metadata_directory, std::int32_t node_id);

}  // namespace barnabas::metadata
