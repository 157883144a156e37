#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Integers on raw memory in the protocol's byte order: every fixed-width field of a message or a record.
namespace barnabas::big_endian {

/// From big endian to the machine's order, or back. The compiler does not make one instruction of a loop over bytes.
template <typename T>
T swapped(T value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
}

template <typename T>
T load(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return swapped(value);
}

template <typename T>
void store(std::byte* at, T value) noexcept {
  const T bits = swapped(value);
  std::memcpy(at, &bits, sizeof bits);
}

}  // namespace barnabas::big_endian
