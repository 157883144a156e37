#pragma once

#include <cstdint>

#include "common/record/wire.h"

namespace barnabas::record {

/// Where the parts of one record lie, by their lengths; negative ones are null.
struct WalkedRecord {
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::int32_t key_bytes = 0;
  std::int32_t value_bytes = 0;
  std::int32_t header_bytes = 0;  ///< All headers, without their count.
};

namespace walk {

/// A varint of one to three bytes, which is what lengths below a megabyte take; false for all else.
inline bool small_varint(const std::byte*& at, const std::byte* end, std::int32_t& value) noexcept {
  if (at == end) return false;
  auto bits = std::to_integer<std::uint32_t>(*at++);
  if (bits >= 0x80) {
    if (at == end) return false;
    const auto second = std::to_integer<std::uint32_t>(*at++);
    bits = (bits & 0x7f) | (second & 0x7f) << 7;
    if (second >= 0x80) {
      if (at == end) return false;
      const auto third = std::to_integer<std::uint32_t>(*at++);
      if (third >= 0x80) return false;
      bits |= third << 14;
    }
  }
  value = static_cast<std::int32_t>(bits >> 1) ^ -static_cast<std::int32_t>(bits & 1);
  return true;
}

/// Moves over that many bytes; over none where the length is negative.
inline bool over(const std::byte*& at, const std::byte* end, std::int32_t bytes) noexcept {
  if (bytes > end - at) return false;
  at += bytes > 0 ? bytes : 0;
  return true;
}

inline bool over_headers(const std::byte*& at, const std::byte* end, std::int32_t count) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t bytes = 0;
    if (!small_varint(at, end, bytes) || bytes < 0 || !over(at, end, bytes)) return false;
    if (!small_varint(at, end, bytes) || !over(at, end, bytes)) return false;
  }
  return true;
}

}  // namespace walk

/// Moves from the record at `at` to the one behind it, which it returns, and tells where its parts lie. nullptr where
/// it is not as almost all records are (sound, its lengths in three bytes or fewer): RecordReader then says what it is.
/// Every length was checked against `end` and the others.
/// Cost: a few nanoseconds; brokers and consumers look at each record once.
inline const std::byte* walk_record(const std::byte* at, const std::byte* end, WalkedRecord& out) noexcept {
  std::int32_t bytes = 0;
  if (!walk::small_varint(at, end, bytes) || bytes <= 0 || bytes > end - at) return nullptr;
  const std::byte* const behind = at + bytes;
  ++at;  // attributes, all unused
  std::int32_t small = 0;
  const std::byte* const timestamp = at;
  if (walk::small_varint(at, behind, small)) {
    out.timestamp_delta = small;
  } else {
    wire::Cursor cursor(BytesView(timestamp, behind));
    if (cursor.varlong(out.timestamp_delta) != wire::VarintState::ok) return nullptr;
    at = cursor.at;
  }
  std::int32_t headers = 0;
  if (!walk::small_varint(at, behind, out.offset_delta)) return nullptr;
  if (!walk::small_varint(at, behind, out.key_bytes) || !walk::over(at, behind, out.key_bytes)) return nullptr;
  if (!walk::small_varint(at, behind, out.value_bytes) || !walk::over(at, behind, out.value_bytes)) return nullptr;
  if (!walk::small_varint(at, behind, headers) || headers < 0) return nullptr;
  const std::byte* const first_header = at;
  if (headers > 0 && !walk::over_headers(at, behind, headers)) return nullptr;
  out.header_bytes = static_cast<std::int32_t>(at - first_header);
  return at == behind ? behind : nullptr;
}

}  // namespace barnabas::record
