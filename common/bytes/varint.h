#pragma once

#include <cstddef>
#include <cstdint>

namespace barnabas {

constexpr std::size_t kMaxVarintBytes = 5;    ///< What 32 bits take at most.
constexpr std::size_t kMaxVarlongBytes = 10;  ///< What 64 bits take at most.

constexpr std::uint32_t zigzag(std::int32_t value) noexcept {
  return (static_cast<std::uint32_t>(value) << 1) ^ (value < 0 ? 0xffffffffU : 0U);
}
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? 0xffffffffffffffffULL : 0ULL);
}
constexpr std::int32_t unzigzag(std::uint32_t value) noexcept {
  return static_cast<std::int32_t>((value >> 1) ^ (~(value & 1) + 1));
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

/// How many bytes the value takes as an unsigned varint: 7 bits a byte.
constexpr std::size_t unsigned_varint_size(std::uint64_t value) noexcept {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}
constexpr std::size_t varint_size(std::int32_t value) noexcept {
  return unsigned_varint_size(zigzag(value));
}
constexpr std::size_t varlong_size(std::int64_t value) noexcept {
  return unsigned_varint_size(zigzag(value));
}

/// Reads at most `size` bytes; how many were used, 0 where the varint is cut short or too long.
/// As in Kafka the bits of the last possible byte that have no place are dropped without a word, and overlong forms
/// pass. Source: Kafka's ByteUtils.readUnsignedVarint, readUnsignedVarlong.
std::size_t decode_unsigned_varint(const std::byte* from, std::size_t size, std::uint32_t& value) noexcept;
std::size_t decode_unsigned_varlong(const std::byte* from, std::size_t size, std::uint64_t& value) noexcept;

/// Writes 1 to kMaxVarlongBytes bytes; how many.
std::size_t encode_unsigned_varint(std::uint64_t value, std::byte* to) noexcept;

}  // namespace barnabas
