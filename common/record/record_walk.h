#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

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

/// Eight bytes of a record at once, taken apart from the lowest on.
class Word {
 public:
  explicit Word(const std::byte* at) noexcept { std::memcpy(&bits_, at, sizeof(bits_)); }

  template <int bytes>
  void move() noexcept {
    bits_ >>= 8 * bytes;
    used_ += bytes;
  }
  /// As small_varint, without the zigzag; the caller asks for no more than eight bytes in all. Each length has a branch
  /// of its own: guessed right, nothing that follows has to wait for the bytes.
  bool raw_varint(std::uint32_t& raw) noexcept {
    const auto low = static_cast<std::uint32_t>(bits_);
    if ((low & 0x80) == 0) {
      raw = low & 0x7f;
      move<1>();
      return true;
    }
    if ((low & 0x8000) == 0) {
      raw = (low & 0x7f) | (low >> 1 & 0x3f80);
      move<2>();
      return true;
    }
    if ((low & 0x800000) != 0) return false;
    raw = (low & 0x7f) | (low >> 1 & 0x3f80) | (low >> 2 & 0x1fc000);
    move<3>();
    return true;
  }
  std::ptrdiff_t used() const noexcept { return used_; }

 private:
  std::uint64_t bits_ = 0;
  std::ptrdiff_t used_ = 0;
};

constexpr std::int32_t unzigzag(std::uint32_t raw) noexcept {
  return static_cast<std::int32_t>(raw >> 1) ^ -static_cast<std::int32_t>(raw & 1);
}

/// Bytes that a length takes; none where it is negative.
constexpr std::ptrdiff_t bytes_of(std::uint32_t raw) noexcept {
  return (raw & 1) != 0 ? 0 : static_cast<std::ptrdiff_t>(raw >> 1);
}

/// A record without headers whose lengths and deltas take three bytes or fewer, by few loads: half the time of the
/// careful walk. nullptr for any other, and near `end`.
inline const std::byte* swiftly(const std::byte* at, const std::byte* end, WalkedRecord& out) noexcept {
  constexpr std::ptrdiff_t kHead = 16;  // length, attributes, deltas and the key's length are read in two words
  constexpr auto kWord = static_cast<std::ptrdiff_t>(sizeof(std::uint64_t));
  if constexpr (std::endian::native != std::endian::little) return nullptr;
  if (end - at < kHead) return nullptr;
  Word first(at);
  std::uint32_t length = 0;
  std::uint32_t timestamp = 0;
  if (!first.raw_varint(length) || (length & 1) != 0) return nullptr;
  const std::byte* const behind = at + first.used() + bytes_of(length);
  if (bytes_of(length) > end - at - first.used()) return nullptr;
  first.move<1>();  // attributes
  if (!first.raw_varint(timestamp)) return nullptr;
  at += first.used();
  Word second(at);
  std::uint32_t offset = 0;
  std::uint32_t key = 0;
  std::uint32_t value = 0;
  if (!second.raw_varint(offset) || !second.raw_varint(key)) return nullptr;
  if ((key & 1) == 0) {  // not null: the value's length lies behind it
    at += second.used();
    if (bytes_of(key) > behind - at || end - at - bytes_of(key) < kWord) return nullptr;
    at += bytes_of(key);
    second = Word(at);
  }
  constexpr std::ptrdiff_t kLengthMost = 3;
  if (kWord - second.used() < kLengthMost || !second.raw_varint(value)) return nullptr;
  at += second.used();
  // What is left is the value and the count of headers: one byte, 0.
  if (behind - at != bytes_of(value) + 1 || behind[-1] != std::byte{0}) return nullptr;
  out = {unzigzag(timestamp), unzigzag(offset), unzigzag(key), unzigzag(value), 0};
  return behind;
}

inline const std::byte* carefully(const std::byte* at, const std::byte* end, WalkedRecord& out) noexcept {
  std::int32_t bytes = 0;
  if (!small_varint(at, end, bytes) || bytes <= 0 || bytes > end - at) return nullptr;
  const std::byte* const behind = at + bytes;
  ++at;  // attributes, all unused
  std::int32_t small = 0;
  const std::byte* const timestamp = at;
  if (small_varint(at, behind, small)) {
    out.timestamp_delta = small;
  } else {
    wire::Cursor cursor(BytesView(timestamp, behind));
    if (cursor.varlong(out.timestamp_delta) != wire::VarintState::ok) return nullptr;
    at = cursor.at;
  }
  std::int32_t headers = 0;
  if (!small_varint(at, behind, out.offset_delta)) return nullptr;
  if (!small_varint(at, behind, out.key_bytes) || !over(at, behind, out.key_bytes)) return nullptr;
  if (!small_varint(at, behind, out.value_bytes) || !over(at, behind, out.value_bytes)) return nullptr;
  if (!small_varint(at, behind, headers) || headers < 0) return nullptr;
  const std::byte* const first_header = at;
  if (headers > 0 && !over_headers(at, behind, headers)) return nullptr;
  out.header_bytes = static_cast<std::int32_t>(at - first_header);
  return at == behind ? behind : nullptr;
}

}  // namespace walk

/// Moves from the record at `at` to the one behind it, which it returns, and tells where its parts lie. nullptr where
/// it is not as almost all records are (sound, its lengths in three bytes or fewer): RecordReader then says what it is.
/// Every length was checked against `end` and the others.
/// Cost: a few nanoseconds; brokers and consumers look at each record once.
inline const std::byte* walk_record(const std::byte* at, const std::byte* end, WalkedRecord& out) noexcept {
  const std::byte* const behind = walk::swiftly(at, end, out);
  return behind != nullptr ? behind : walk::carefully(at, end, out);
}

}  // namespace barnabas::record
