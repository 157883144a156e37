#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/log/topic_partition.h"
#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Kafka's checkpoint files: a version line (0), a line with the number of entries, an entry a line
/// (docs/formats/checkpoints.md). Errors of reading: corrupt_data naming the file and line.
/// Source: Kafka's CheckpointFile.
Result<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text, const std::string& path);
std::string format_checkpoint_lines(const std::vector<std::string>& entries);

/// Lines of "topic partition offset": recovery-point-, log-start- and replication-offset-checkpoint.
/// Reading an absent file gives nothing; writing is atomic.
Result<std::map<TopicPartition, std::int64_t>> read_offset_checkpoint(runtime::Files& files, const std::string& path);
Result<void> write_offset_checkpoint(runtime::Files& files, const std::string& path,
                                     const std::map<TopicPartition, std::int64_t>& offsets);

/// The whole of a decimal number; nothing for any other text.
template <typename Integer>
std::optional<Integer> parse_number(std::string_view text);

}  // namespace barnabas::log
