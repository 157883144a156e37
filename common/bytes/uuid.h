#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas {

/// 16 bytes in wire order. Its text is Kafka's: base64 with the URL alphabet, no padding, 22 characters.
class Uuid {
 public:
  static constexpr std::size_t kBytes = 16;

  constexpr Uuid() noexcept = default;
  constexpr explicit Uuid(const std::array<std::byte, kBytes>& bytes) noexcept : bytes_(bytes) {}
  /// The two halves as Java holds them.
  constexpr Uuid(std::uint64_t most_significant, std::uint64_t least_significant) noexcept {
    for (std::size_t i = 0; i < 8; ++i) {
      bytes_[7 - i] = static_cast<std::byte>(most_significant >> (8 * i));
      bytes_[15 - i] = static_cast<std::byte>(least_significant >> (8 * i));
    }
  }

  static constexpr Uuid zero() noexcept { return {}; }
  static constexpr Uuid one() noexcept { return {0, 1}; }

  /// Errors: Errc::invalid_argument where the text does not decode to 16 bytes. Padding is accepted, as in Kafka.
  static Result<Uuid> parse(std::string_view text);
  std::string to_string() const;

  constexpr const std::array<std::byte, kBytes>& bytes() const noexcept { return bytes_; }
  BytesView view() const noexcept { return bytes_; }
  constexpr bool is_zero() const noexcept { return *this == Uuid{}; }
  /// Kafka never gives these to a topic or directory: 0, 1, and the first hundred that directories keep free.
  constexpr bool is_reserved() const noexcept { return most_significant() == 0 && least_significant() < kReserved; }
  constexpr std::uint64_t most_significant() const noexcept { return half(0); }
  constexpr std::uint64_t least_significant() const noexcept { return half(8); }

  friend constexpr bool operator==(const Uuid&, const Uuid&) noexcept = default;
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) noexcept = default;

 private:
  static constexpr std::uint64_t kReserved = 100;

  constexpr std::uint64_t half(std::size_t from) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = from; i < from + 8; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes_[i]);
    return value;
  }

  std::array<std::byte, kBytes> bytes_{};
};

}  // namespace barnabas

template <>
struct std::hash<barnabas::Uuid> {
  std::size_t operator()(const barnabas::Uuid& id) const noexcept {
    return static_cast<std::size_t>((id.most_significant() * 0x9e3779b97f4a7c15ULL) ^ id.least_significant());
  }
};
