#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/demo/input.h"

namespace demo {

inline constexpr const char* kTopic = "packages";
inline constexpr std::int32_t kPartitions = 6;

/// What one side says of a partition: the two sides must agree.
struct PartitionSummary {
  std::uint64_t records = 0;
  std::string digest;

  friend bool operator==(const PartitionSummary&, const PartitionSummary&) = default;
};

struct Loaded {
  std::vector<PartitionSummary> partitions;  ///< From the delivery reports.
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::string first_failure;
  std::uint64_t record_bytes = 0;
  std::uint64_t batch_bytes = 0;
  double seconds = 0;
  double latency_p50_ms = 0;
  double latency_p99_ms = 0;
};

/// Creates the topic and sends every item with our producer, zstd compressed, acks=all.
Loaded load(const std::string& bootstrap_servers, const std::vector<Item>& items);

}  // namespace demo
