#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace barnabas::log {

template <typename Integer>
Integer load_big_endian(const std::byte* bytes) noexcept {
  std::make_unsigned_t<Integer> value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<std::make_unsigned_t<Integer>>(value << 8 | std::to_integer<std::uint8_t>(bytes[i]));
  }
  return static_cast<Integer>(value);
}

template <typename Integer>
void store_big_endian(Integer value, std::byte* out) noexcept {
  for (std::size_t i = sizeof(Integer); i-- > 0; value = static_cast<Integer>(value >> 8))
    out[i] = static_cast<std::byte>(value & 0xff);
}

}  // namespace barnabas::log
