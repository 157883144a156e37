#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes/big_endian.h"
#include "common/bytes/bytes.h"
#include "common/bytes/uuid.h"
#include "common/bytes/varint.h"

namespace barnabas {

/// Reads Kafka's primitive types (big endian) from borrowed bytes.
/// Errors: the first read that does not fit makes the reader fail for good: it and every later one give zero or
/// nothing, remaining() is 0, and failed() says so. So a decoder checks once at its end instead of after each field.
/// Threads: one.
class Reader {
 public:
  explicit Reader(BytesView bytes) noexcept : bytes_(bytes) {}

  std::int8_t int8() noexcept { return static_cast<std::int8_t>(fixed<std::uint8_t>()); }
  std::uint16_t uint16() noexcept { return fixed<std::uint16_t>(); }
  std::int16_t int16() noexcept { return static_cast<std::int16_t>(fixed<std::uint16_t>()); }
  std::uint32_t uint32() noexcept { return fixed<std::uint32_t>(); }
  std::int32_t int32() noexcept { return static_cast<std::int32_t>(fixed<std::uint32_t>()); }
  std::int64_t int64() noexcept { return static_cast<std::int64_t>(fixed<std::uint64_t>()); }
  double float64() noexcept { return std::bit_cast<double>(fixed<std::uint64_t>()); }
  /// Any byte but 0 is true, as in Kafka.
  bool boolean() noexcept { return fixed<std::uint8_t>() != 0; }
  Uuid uuid() noexcept;

  /// Kafka holds this as a signed int: what is above INT32_MAX is negative there, and no length of ours either.
  std::uint32_t unsigned_varint() noexcept {
    if (position_ < bytes_.size() && std::to_integer<unsigned>(bytes_[position_]) < 0x80) {
      return std::to_integer<std::uint32_t>(bytes_[position_++]);
    }
    return long_unsigned_varint();
  }
  std::uint64_t unsigned_varlong() noexcept;
  std::int32_t varint() noexcept { return unzigzag(unsigned_varint()); }
  std::int64_t varlong() noexcept { return unzigzag(unsigned_varlong()); }

  /// The next `count` bytes, borrowed from what the reader was given.
  BytesView bytes(std::size_t count) noexcept {
    if (count > remaining()) {
      fail();
      return {};
    }
    const BytesView result = bytes_.subspan(position_, count);
    position_ += count;
    return result;
  }
  std::string_view text(std::size_t count) noexcept { return as_text(bytes(count)); }
  void skip(std::size_t count) noexcept { bytes(count); }

  /// int16 length before the text; a negative length is null, and a failure where null is not allowed.
  std::string string() { return std::string(text(not_null(nullable_length16()))); }
  std::optional<std::string> nullable_string() { return owned_text(nullable_length16()); }
  /// Unsigned varint of the length plus one; 0 is null.
  std::string compact_string() { return std::string(text(not_null(nullable_compact_length()))); }
  std::optional<std::string> compact_nullable_string() { return owned_text(nullable_compact_length()); }
  /// int32 length before the bytes; borrowed.
  BytesView length_prefixed_bytes() noexcept { return bytes(not_null(nullable_length32())); }
  std::optional<BytesView> nullable_length_prefixed_bytes() noexcept { return borrowed(nullable_length32()); }
  BytesView compact_bytes() noexcept { return bytes(not_null(nullable_compact_length())); }
  std::optional<BytesView> compact_nullable_bytes() noexcept { return borrowed(nullable_compact_length()); }

  /// A length of -1 is null; a lower one fails.
  std::optional<std::size_t> nullable_length16() noexcept { return length_of(int16()); }
  std::optional<std::size_t> nullable_length32() noexcept { return length_of(int32()); }
  std::optional<std::size_t> nullable_compact_length() noexcept {
    const std::uint32_t encoded = unsigned_varint();
    if (encoded == 0) return std::nullopt;
    return encoded - 1;
  }
  /// Fails where there is no length.
  std::size_t not_null(std::optional<std::size_t> length) noexcept {
    if (length) return *length;
    fail();
    return 0;
  }

  std::size_t remaining() const noexcept { return bytes_.size() - position_; }
  std::size_t position() const noexcept { return position_; }
  bool failed() const noexcept { return failed_; }
  void fail() noexcept {
    failed_ = true;
    bytes_ = {};
    position_ = 0;
  }

 private:
  template <typename Unsigned>
  Unsigned fixed() noexcept {
    if (remaining() < sizeof(Unsigned)) {
      fail();
      return 0;
    }
    const auto value = big_endian::load<Unsigned>(bytes_.data() + position_);
    position_ += sizeof(Unsigned);
    return value;
  }
  std::optional<std::size_t> length_of(std::int32_t length) noexcept {
    if (length >= 0) return static_cast<std::size_t>(length);
    if (length < -1) fail();
    return std::nullopt;
  }
  std::optional<std::string> owned_text(std::optional<std::size_t> length);
  std::optional<BytesView> borrowed(std::optional<std::size_t> length) noexcept;
  std::uint32_t long_unsigned_varint() noexcept;

  BytesView bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace barnabas
