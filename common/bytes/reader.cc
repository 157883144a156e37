#include "common/bytes/reader.h"

#include <algorithm>
#include <array>

namespace barnabas {

Uuid Reader::uuid() noexcept {
  const BytesView from = bytes(Uuid::kBytes);
  std::array<std::byte, Uuid::kBytes> to{};
  std::copy(from.begin(), from.end(), to.begin());
  return Uuid(to);
}

std::uint32_t Reader::long_unsigned_varint() noexcept {
  std::uint32_t value = 0;
  const std::size_t used = decode_unsigned_varint(bytes_.data() + position_, remaining(), value);
  if (used == 0) fail();
  position_ += used;
  return value;
}

std::uint64_t Reader::unsigned_varlong() noexcept {
  std::uint64_t value = 0;
  const std::size_t used = decode_unsigned_varlong(bytes_.data() + position_, remaining(), value);
  if (used == 0) fail();
  position_ += used;
  return value;
}

std::optional<std::string> Reader::owned_text(std::optional<std::size_t> length) {
  if (!length) return std::nullopt;
  return std::string(text(*length));
}

std::optional<BytesView> Reader::borrowed(std::optional<std::size_t> length) noexcept {
  if (!length) return std::nullopt;
  return bytes(*length);
}

}  // namespace barnabas
