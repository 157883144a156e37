#pragma once

#include <cstdint>

#include "common/bytes/bytes.h"

namespace barnabas {

/// The Castagnoli CRC that record batches carry. `seed` is the CRC of what came before, so that
/// crc32c(b, crc32c(a)) is the CRC of a followed by b.
/// Cost: hardware speed where the processor has it (ISA-L chooses at run time).
std::uint32_t crc32c(BytesView bytes, std::uint32_t seed = 0) noexcept;

/// The same by table: the twin that crc32c is tested against.
std::uint32_t crc32c_portable(BytesView bytes, std::uint32_t seed = 0) noexcept;

}  // namespace barnabas
