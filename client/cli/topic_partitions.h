#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"
#include "client/cli/client_options.h"

namespace barnabas::cli {

/// How many partitions a topic has; none where it does not exist. Asks within a few seconds what a producer or consumer
/// would wait for: so a wrong address or name ends the command at once.
/// Errors: throws barnabas::Error where no broker answers, or for another error than an unknown topic.
std::optional<std::int32_t> partition_count(const ClientOptions& client, const Runtime& runtime,
                                            const std::string& topic);

/// Errors: throws UsageError where a topic of `count` partitions has no such one.
void check_partition(const std::string& topic, std::int32_t count, std::int32_t partition);

/// Of an existing topic the partitions `chosen`, all where none is.
/// Errors: those of partition_count() and check_partition(), and barnabas::Error where the topic does not exist.
std::vector<TopicPartition> partitions_of(const ClientOptions& client, const Runtime& runtime, const std::string& topic,
                                          const std::vector<std::int32_t>& chosen = {});

}  // namespace barnabas::cli
