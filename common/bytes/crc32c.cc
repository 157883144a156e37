#include "common/bytes/crc32c.h"

#if !defined(BARNABAS_PORTABLE)
#include <isa-l/crc.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>

namespace barnabas {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected.
#if !defined(BARNABAS_PORTABLE)
// ISA-L takes an int as the length.
constexpr std::size_t kStepBytes = std::size_t{1} << 30;
#endif

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

}  // namespace

#if defined(BARNABAS_PORTABLE)

std::uint32_t crc32c(BytesView bytes, std::uint32_t seed) noexcept {
  return crc32c_portable(bytes, seed);
}

#else

std::uint32_t crc32c(BytesView bytes, std::uint32_t seed) noexcept {
  std::uint32_t crc = ~seed;  // ISA-L inverts neither at the start nor at the end.
  while (!bytes.empty()) {
    const BytesView step = bytes.first(std::min(bytes.size(), kStepBytes));
    // ISA-L only reads, but its signature lacks the const.
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(step.data()));
    crc = crc32_iscsi(data, static_cast<int>(step.size()), crc);
    bytes = bytes.subspan(step.size());
  }
  return ~crc;
}

#endif

std::uint32_t crc32c_portable(BytesView bytes, std::uint32_t seed) noexcept {
  std::uint32_t crc = ~seed;
  for (const std::byte byte : bytes) crc = kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

}  // namespace barnabas
