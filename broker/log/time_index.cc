#include "broker/log/time_index.h"

#include "broker/log/big_endian.h"

namespace barnabas::log {

TimeIndexFormat::Entry TimeIndexFormat::decode(const std::byte* bytes) noexcept {
  return {load_big_endian<std::int64_t>(bytes), load_big_endian<std::int32_t>(bytes + 8)};
}

void TimeIndexFormat::encode(const Entry& entry, std::byte* out) noexcept {
  store_big_endian(entry.timestamp_ms, out);
  store_big_endian(entry.relative_offset, out + 8);
}

}  // namespace barnabas::log
