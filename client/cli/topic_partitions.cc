#include "client/cli/topic_partitions.h"

#include <fmt/format.h>

#include <algorithm>

#include "barnabas/admin.h"

namespace barnabas::cli {
namespace {

constexpr int kUnknownTopic = 3;

}  // namespace

std::optional<std::int32_t> partition_count(const ClientOptions& client, const Runtime& runtime,
                                            const std::string& topic) {
  Admin admin(client.connection_config(), {.runtime = runtime});
  const TopicDescription found = admin.describe_topics({topic}).at(0);
  if (found.error.code == kafka_error(kUnknownTopic)) return std::nullopt;
  if (found.error) throw Error(found.error.code, fmt::format("topic '{}'", topic));
  return static_cast<std::int32_t>(found.partitions.size());
}

void check_partition(const std::string& topic, std::int32_t count, std::int32_t partition) {
  if (partition >= 0 && partition < count) return;
  throw UsageError(fmt::format("topic {} has {} partitions, none is number {}", topic, count, partition));
}

std::vector<TopicPartition> partitions_of(const ClientOptions& client, const Runtime& runtime, const std::string& topic,
                                          const std::vector<std::int32_t>& chosen) {
  const auto count = partition_count(client, runtime, topic);
  if (!count) throw Error(kafka_error(kUnknownTopic), fmt::format("topic '{}'", topic));
  for (const std::int32_t partition : chosen) check_partition(topic, *count, partition);
  std::vector<TopicPartition> partitions;
  for (std::int32_t partition = 0; partition < *count; ++partition) {
    const bool wanted = chosen.empty() || std::find(chosen.begin(), chosen.end(), partition) != chosen.end();
    if (wanted) partitions.push_back({topic, partition});
  }
  return partitions;
}

}  // namespace barnabas::cli
