#pragma once

#include <cstdint>

#include "barnabas/partitioner.h"
#include "common/bytes/bytes.h"

namespace barnabas::client {

/// Java's choice for a key: (murmur2(key) & 0x7fffffff) % partitions. partition_count > 0.
std::int32_t murmur2_partition(BytesView key, std::int32_t partition_count) noexcept;

/// librdkafka's choice for a key: zlib's CRC-32 of it, unsigned, modulo the partitions. partition_count > 0.
std::int32_t crc32_partition(BytesView key, std::int32_t partition_count) noexcept;

}  // namespace barnabas::client
