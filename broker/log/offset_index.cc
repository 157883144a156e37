#include "broker/log/offset_index.h"

#include "broker/log/big_endian.h"

namespace barnabas::log {

OffsetIndexFormat::Entry OffsetIndexFormat::decode(const std::byte* bytes) noexcept {
  return {load_big_endian<std::int32_t>(bytes), load_big_endian<std::int32_t>(bytes + 4)};
}

void OffsetIndexFormat::encode(const Entry& entry, std::byte* out) noexcept {
  store_big_endian(entry.relative_offset, out);
  store_big_endian(entry.position, out + 4);
}

}  // namespace barnabas::log
