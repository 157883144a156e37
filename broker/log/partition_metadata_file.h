#pragma once

#include <optional>
#include <string>

#include "common/bytes/result.h"
#include "common/bytes/uuid.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// `partition.metadata`: which topic a partition's directory belongs to, so that a topic made anew under an old name
/// never takes over old files. Two lines: "version: 0" and "topic_id: <uuid>". Errors: corrupt_data with the file's
/// name.
Result<std::optional<Uuid>> read_partition_metadata(runtime::Files& files, const std::string& directory);
Result<void> write_partition_metadata(runtime::Files& files, const std::string& directory, const Uuid& topic_id);

}  // namespace barnabas::log
