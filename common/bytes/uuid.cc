#include "common/bytes/uuid.h"

namespace barnabas {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextLength = 22;

tl::unexpected<Failure> no_uuid(std::string_view text) {
  return failure(Errc::invalid_argument, "'" + std::string(text.substr(0, 64)) + "' is no uuid");
}

}  // namespace

std::string Uuid::to_string() const {
  std::string out;
  out.reserve(kTextLength);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::byte byte : bytes_) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) out.push_back(kAlphabet[bits >> (count - 6) & 63]);
  }
  out.push_back(kAlphabet[bits << (6 - count) & 63]);
  return out;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  std::string_view digits = text;
  if (digits.size() == kTextLength + 2 && digits.ends_with("==")) digits.remove_suffix(2);
  if (digits.size() != kTextLength) return no_uuid(text);
  std::array<std::byte, kBytes> bytes{};
  std::size_t size = 0;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : digits) {
    const std::size_t value = kAlphabet.find(digit);
    if (value == std::string_view::npos) return no_uuid(text);
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[size++] = static_cast<std::byte>(bits >> count);
    }
  }
  return Uuid(bytes);
}

}  // namespace barnabas
