#include "broker/coordinator/coordinator_runtime.h"

namespace barnabas::coordinator {
namespace {

/// The next UTF-16 code units of well-formed UTF-8, as Java's strings hold them.
void hash_code_point(std::uint32_t& hash, std::uint32_t point) noexcept {
  if (point >= 0x10000) {
    hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
    hash = hash * 31 + (0xdc00 + ((point - 0x10000) & 0x3ff));
  } else {
    hash = hash * 31 + point;
  }
}

}  // namespace

std::int32_t partition_of(std::string_view key, std::int32_t partition_count) noexcept {
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < key.size();) {
    const auto lead = static_cast<unsigned char>(key[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const unsigned char next = i + k < key.size() ? static_cast<unsigned char>(key[i + k]) : 0x80;
      point = point << 6 | (next & 0x3fU);
    }
    hash_code_point(hash, point);
    i += length;
  }
  // The smallest integer has no absolute value; Kafka makes it 0.
  const std::uint32_t magnitude = hash == 0x80000000U ? 0 : hash > 0x80000000U ? 0U - hash : hash;
  return static_cast<std::int32_t>(magnitude % static_cast<std::uint32_t>(partition_count));
}

}  // namespace barnabas::coordinator
