#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "barnabas/record.h"

namespace barnabas {
inline namespace v0 {

/// How a type becomes the bytes of a key or value, and back. Specialise it for a type of your own:
/// `template <> struct barnabas::Serializer<Order> {
///    static std::vector<std::byte> serialize(const Order&);
///    static std::optional<Order> deserialize(std::span<const std::byte>);  // none: these bytes are no Order
///  };`
/// Built in: integers (big endian, as Kafka's own serializers), std::string, std::vector<std::byte>; JSON is in
/// json_serializer.h.
template <typename T>
struct Serializer;

template <typename T>
concept Serializable = requires(const T& value, std::span<const std::byte> bytes) {
  { Serializer<T>::serialize(value) } -> std::convertible_to<std::vector<std::byte>>;
  { Serializer<T>::deserialize(bytes) } -> std::same_as<std::optional<T>>;
};

template <typename T>
requires(std::integral<T> && !std::same_as<T, bool>) struct Serializer<T> {
  static std::vector<std::byte> serialize(T value) {
    std::vector<std::byte> bytes(sizeof(T));
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = sizeof(T); i-- > 0;) {
      bytes[i] = static_cast<std::byte>(bits & 0xff);
      bits = static_cast<std::make_unsigned_t<T>>(static_cast<std::uint64_t>(bits) >> 8);
    }
    return bytes;
  }
  /// None where the length is another one.
  static std::optional<T> deserialize(std::span<const std::byte> bytes) {
    if (bytes.size() != sizeof(T)) return std::nullopt;
    std::uint64_t bits = 0;
    for (const std::byte byte : bytes) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(bits));
  }
};

template <>
struct Serializer<std::string> {
  static std::vector<std::byte> serialize(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  static std::optional<std::string> deserialize(std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
};

template <>
struct Serializer<std::vector<std::byte>> {
  static std::vector<std::byte> serialize(const std::vector<std::byte>& bytes) { return bytes; }
  static std::optional<std::vector<std::byte>> deserialize(std::span<const std::byte> bytes) {
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
};

/// Bytes that serialize() made. As a key or value of a Record it lives until the end of the call's expression, which is
/// as long as send needs it: `producer.send({.topic = "orders", .key = serialize(42), .value = serialize(order)})`.
class Serialized {
 public:
  explicit Serialized(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  operator NullableBytes() const& noexcept { return NullableBytes(bytes_); }   // NOLINT(google-explicit-constructor)
  operator NullableBytes() const&& noexcept { return NullableBytes(bytes_); }  // NOLINT(google-explicit-constructor)
  const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

template <Serializable T>
Serialized serialize(const T& value) {
  return Serialized(Serializer<T>::serialize(value));
}

/// `deserialize<std::int64_t>(record.key_bytes())`: none where the bytes are no T, or null.
template <Serializable T>
std::optional<T> deserialize(std::optional<std::span<const std::byte>> bytes) {
  return bytes ? Serializer<T>::deserialize(*bytes) : std::nullopt;
}

}  // namespace v0
}  // namespace barnabas
