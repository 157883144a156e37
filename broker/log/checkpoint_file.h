#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Topic and partition, as checkpoint files name them.
using TopicPartitionName = std::pair<std::string, std::int32_t>;
using OffsetCheckpoint = std::map<TopicPartitionName, std::int64_t>;

/// Lines behind a version and a count: the form of all of Kafka's checkpoint files (docs/formats/checkpoints.md).
/// Errors: corrupt_data with file and line. An absent file has no lines.
Result<std::vector<std::string>> read_checkpoint_lines(runtime::Files& files, const std::string& path);
Result<void> write_checkpoint_lines(runtime::Files& files, const std::string& path,
                                    const std::vector<std::string>& lines);

/// recovery-point-offset-checkpoint, log-start-offset-checkpoint, replication-offset-checkpoint,
/// cleaner-offset-checkpoint: "topic partition offset" a line.
Result<OffsetCheckpoint> read_offset_checkpoint(runtime::Files& files, const std::string& path);
Result<void> write_offset_checkpoint(runtime::Files& files, const std::string& path, const OffsetCheckpoint& offsets);

}  // namespace barnabas::log
