#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "barnabas/record.h"

namespace barnabas {
inline namespace v0 {

/// What a partitioner knows when it chooses.
struct PartitionChoice {
  std::string_view topic;
  NullableBytes key;
  NullableBytes value;
  std::int32_t partition_count = 0;                      ///< All partitions: 0 .. partition_count - 1.
  std::span<const std::int32_t> available_partitions{};  ///< Those with a leader now, ascending; may be empty.
};

/// A user's own choice: a number in [0, partition_count). Anything else fails that record with Errc::invalid_argument.
/// Threads: called in send(), from several threads at a time if send() is.
using PartitionerFunction = std::function<std::int32_t(const PartitionChoice&)>;

/// Java's hash of a key, which the default partitioner maps to a partition: (murmur2(key) & 0x7fffffff) % partitions.
BARNABAS_API std::int32_t murmur2(std::span<const std::byte> key) noexcept;

}  // namespace v0
}  // namespace barnabas
