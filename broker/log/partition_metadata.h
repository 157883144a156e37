#pragma once

#include <string>

#include "common/bytes/result.h"
#include "common/bytes/uuid.h"
#include "common/runtime/files.h"

namespace barnabas::log {

inline constexpr const char* kPartitionMetadataFile = "partition.metadata";

/// The topic's id, from a partition's partition.metadata. Errors: not_found, also where a crash left no byte of it;
/// corrupt_data.
/// Shape: "version: 0" and "topic_id: <22 characters>", a line break between.
/// Source: Kafka's PartitionMetadataFile.
Result<Uuid> read_partition_metadata(runtime::Files& files, const std::string& directory);
/// Writes it, and syncs nothing: a crash leaves all of it or none.
Result<void> write_partition_metadata(runtime::Files& files, const std::string& directory, const Uuid& topic_id);
/// Makes it durable, where it is. The directory has to be synced as well.
Result<void> sync_partition_metadata(runtime::Files& files, const std::string& directory);

}  // namespace barnabas::log
