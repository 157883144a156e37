#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes/big_endian.h"
#include "common/bytes/bytes.h"
#include "common/bytes/uuid.h"
#include "common/bytes/varint.h"

namespace barnabas {

/// Bytes that belong into the output but are not in the writer's buffer: the sender puts them at `position` (sendfile).
struct ExternalPart {
  std::size_t position = 0;  ///< In the writer's own bytes, without the external parts before it.
  std::size_t length = 0;    ///< Bytes.
};

/// Appends Kafka's primitive types (big endian) to bytes that it owns.
/// Errors: none; lengths that do not fit their field are the caller's to rule out (a string above 32767 bytes, say).
/// Threads: one.
class Writer {
 public:
  Writer() = default;
  /// Goes on at the end of `bytes`, whose memory is used again.
  explicit Writer(Bytes bytes) noexcept : bytes_(std::move(bytes)), size_(bytes_.size()) {}

  void reserve(std::size_t total_bytes) { bytes_.reserve(total_bytes); }

  void int8(std::int8_t value) { fixed(static_cast<std::uint8_t>(value)); }
  void uint16(std::uint16_t value) { fixed(value); }
  void int16(std::int16_t value) { fixed(static_cast<std::uint16_t>(value)); }
  void uint32(std::uint32_t value) { fixed(value); }
  void int32(std::int32_t value) { fixed(static_cast<std::uint32_t>(value)); }
  void int64(std::int64_t value) { fixed(static_cast<std::uint64_t>(value)); }
  void float64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  void boolean(bool value) { fixed(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void uuid(const Uuid& value) { bytes(value.view()); }

  void unsigned_varint(std::uint32_t value) {
    if (value < 0x80) {
      fixed(static_cast<std::uint8_t>(value));
    } else {
      long_unsigned_varint(value);
    }
  }
  void unsigned_varlong(std::uint64_t value) { long_unsigned_varint(value); }
  void varint(std::int32_t value) { unsigned_varint(zigzag(value)); }
  void varlong(std::int64_t value) { long_unsigned_varint(zigzag(value)); }

  void bytes(BytesView value) {
    if (!value.empty()) std::memcpy(extend(value.size()), value.data(), value.size());
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }

  /// int16 length, then the text; null is the length -1.
  void string(std::string_view value) {
    int16(static_cast<std::int16_t>(value.size()));
    text(value);
  }
  template <typename Text>
  void nullable_string(const std::optional<Text>& value) {
    value ? string(*value) : int16(-1);
  }
  /// Unsigned varint of the length plus one, then the text; null is 0.
  void compact_string(std::string_view value) {
    unsigned_varint(static_cast<std::uint32_t>(value.size() + 1));
    text(value);
  }
  template <typename Text>
  void compact_nullable_string(const std::optional<Text>& value) {
    value ? compact_string(*value) : unsigned_varint(0);
  }
  /// int32 length, then the bytes; null is the length -1.
  void length_prefixed_bytes(BytesView value) {
    int32(static_cast<std::int32_t>(value.size()));
    bytes(value);
  }
  template <typename Octets>
  void nullable_length_prefixed_bytes(const std::optional<Octets>& value) {
    value ? length_prefixed_bytes(*value) : int32(-1);
  }
  void compact_bytes(BytesView value) {
    unsigned_varint(static_cast<std::uint32_t>(value.size() + 1));
    bytes(value);
  }
  template <typename Octets>
  void compact_nullable_bytes(const std::optional<Octets>& value) {
    value ? compact_bytes(*value) : unsigned_varint(0);
  }

  /// Notes that `length` bytes from elsewhere belong here.
  void external(std::size_t length) { external_parts_.push_back({size_, length}); }
  const std::vector<ExternalPart>& external_parts() const noexcept { return external_parts_; }
  std::size_t external_bytes() const noexcept;

  /// Overwrites four bytes that are already there.
  void patch_int32(std::size_t position, std::int32_t value) noexcept;

  /// Own bytes, without the external ones.
  std::size_t size() const noexcept { return size_; }
  BytesView view() const noexcept { return BytesView(bytes_).first(size_); }
  Bytes take() {
    bytes_.resize(std::exchange(size_, 0));
    return std::exchange(bytes_, {});
  }
  /// Empty again, with its memory.
  void clear() noexcept {
    size_ = 0;
    external_parts_.clear();
  }
  std::size_t capacity() const noexcept { return bytes_.capacity(); }

 private:
  template <typename Unsigned>
  void fixed(Unsigned value) {
    big_endian::store(extend(sizeof value), value);
  }
  /// Where the next `count` bytes belong.
  std::byte* extend(std::size_t count) {
    if (bytes_.size() - size_ < count) grow(count);
    std::byte* const at = bytes_.data() + size_;
    size_ += count;
    return at;
  }
  void grow(std::size_t count);
  void long_unsigned_varint(std::uint64_t value);

  Bytes bytes_;  // `size_` of them count, the others are room
  std::size_t size_ = 0;
  std::vector<ExternalPart> external_parts_;
};

}  // namespace barnabas
