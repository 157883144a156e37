#pragma once

#include <bit>
#include <cstdint>

#include "common/bytes/bytes.h"

/// Varint fields of the record format, on raw memory: the hot paths write and read each record through these.
namespace barnabas::record::wire {

inline std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unzigzag(std::uint64_t bits) noexcept {
  return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
}

/// Bytes that a zigzag varint or varlong takes; both have one encoding for the values they share.
inline std::size_t varint_bytes(std::int64_t value) noexcept {
  const auto bits = static_cast<std::size_t>(std::bit_width(zigzag(value) | 1));
  return (bits * 9 + 64) / 64;  // bits / 7, rounded up, without a division
}

/// Writes a zigzag varint and returns the place behind it.
inline std::byte* store_varint(std::byte* at, std::int64_t value) noexcept {
  std::uint64_t bits = zigzag(value);
  while (bits >= 0x80) {
    *at++ = static_cast<std::byte>(bits | 0x80);
    bits >>= 7;
  }
  *at++ = static_cast<std::byte>(bits);
  return at;
}

enum class VarintState { ok, cut_short, too_long };

/// A read position in borrowed bytes.
struct Cursor {
  const std::byte* at = nullptr;
  const std::byte* end = nullptr;

  explicit Cursor(BytesView bytes) noexcept : at(bytes.data()), end(bytes.data() + bytes.size()) {}
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end - at); }

  /// Java's rules: overlong forms pass, bits beyond the width are dropped, a continuation bit in the last byte is an
  /// error.
  VarintState varint(std::int32_t& value) noexcept {
    std::uint64_t bits = 0;
    const VarintState state = unsigned_varint(bits, 5);
    value = static_cast<std::int32_t>(unzigzag(bits & 0xffffffffU));
    return state;
  }
  VarintState varlong(std::int64_t& value) noexcept {
    std::uint64_t bits = 0;
    const VarintState state = unsigned_varint(bits, 10);
    value = unzigzag(bits);
    return state;
  }

 private:
  VarintState unsigned_varint(std::uint64_t& bits, int most_bytes) noexcept {
    for (int i = 0; i < most_bytes; ++i) {
      if (at == end) return VarintState::cut_short;
      const auto byte = std::to_integer<std::uint64_t>(*at++);
      bits |= (byte & 0x7f) << (7 * i);
      if ((byte & 0x80) == 0) return VarintState::ok;
    }
    return VarintState::too_long;
  }
};

}  // namespace barnabas::record::wire
