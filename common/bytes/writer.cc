#include "common/bytes/writer.h"

#include <algorithm>
#include <array>

namespace barnabas {

/// Doubling, so that each byte of room is zeroed about once, and first within the memory that is there already.
void Writer::grow(std::size_t count) {
  constexpr std::size_t kLeastRoom = 64;
  bytes_.resize(size_ + std::max({count, size_, kLeastRoom}));
}

void Writer::long_unsigned_varint(std::uint64_t value) {
  std::array<std::byte, kMaxVarlongBytes> encoded{};
  const std::size_t size = encode_unsigned_varint(value, encoded.data());
  bytes(BytesView(encoded).first(size));
}

std::size_t Writer::external_bytes() const noexcept {
  std::size_t total = 0;
  for (const ExternalPart& part : external_parts_) total += part.length;
  return total;
}

void Writer::patch_int32(std::size_t position, std::int32_t value) noexcept {
  big_endian::store(bytes_.data() + position, value);
}

}  // namespace barnabas
