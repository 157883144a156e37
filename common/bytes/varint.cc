#include "common/bytes/varint.h"

#include <algorithm>

namespace barnabas {
namespace {

template <typename Unsigned, std::size_t kLimit>
std::size_t decode(const std::byte* from, std::size_t size, Unsigned& value) noexcept {
  Unsigned result = 0;
  const std::size_t end = std::min(size, kLimit);
  for (std::size_t i = 0; i < end; ++i) {
    const auto byte = std::to_integer<Unsigned>(from[i]);
    result |= static_cast<Unsigned>((byte & 0x7f) << (7 * i));
    if ((byte & 0x80) == 0) {
      value = result;
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

std::size_t decode_unsigned_varint(const std::byte* from, std::size_t size, std::uint32_t& value) noexcept {
  return decode<std::uint32_t, kMaxVarintBytes>(from, size, value);
}

std::size_t decode_unsigned_varlong(const std::byte* from, std::size_t size, std::uint64_t& value) noexcept {
  return decode<std::uint64_t, kMaxVarlongBytes>(from, size, value);
}

std::size_t encode_unsigned_varint(std::uint64_t value, std::byte* to) noexcept {
  std::size_t size = 0;
  while (value >= 0x80) {
    to[size++] = static_cast<std::byte>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  to[size++] = static_cast<std::byte>(value);
  return size;
}

}  // namespace barnabas
