#include "client/producer/partition_hash.h"

#include <zlib.h>

namespace barnabas {
inline namespace v0 {

std::int32_t murmur2(std::span<const std::byte> key) noexcept {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr std::size_t kBlockBytes = 4;
  const auto byte_at = [&key](std::size_t i) { return std::to_integer<std::uint32_t>(key[i]); };
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
  const std::size_t blocks = key.size() / kBlockBytes;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t at = i * kBlockBytes;
    std::uint32_t block = byte_at(at) | byte_at(at + 1) << 8 | byte_at(at + 2) << 16 | byte_at(at + 3) << 24;
    block *= kMultiplier;
    block ^= block >> 24;
    block *= kMultiplier;
    hash *= kMultiplier;
    hash ^= block;
  }
  const std::size_t tail = blocks * kBlockBytes;
  const std::size_t rest = key.size() - tail;
  if (rest > 2) hash ^= byte_at(tail + 2) << 16;
  if (rest > 1) hash ^= byte_at(tail + 1) << 8;
  if (rest > 0) {
    hash ^= byte_at(tail);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<std::int32_t>(hash);
}

}  // namespace v0

namespace client {

std::int32_t murmur2_partition(BytesView key, std::int32_t partition_count) noexcept {
  constexpr std::int32_t kPositive = 0x7fffffff;
  return (murmur2(key) & kPositive) % partition_count;
}

std::int32_t crc32_partition(BytesView key, std::int32_t partition_count) noexcept {
  const auto hash = ::crc32(0, reinterpret_cast<const Bytef*>(key.data()), static_cast<uInt>(key.size()));
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(hash) % static_cast<std::uint32_t>(partition_count));
}

}  // namespace client
}  // namespace barnabas
