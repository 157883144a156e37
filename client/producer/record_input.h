#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "barnabas/record.h"
#include "common/record/batch_builder.h"

namespace barnabas::client {

inline std::optional<BytesView> field_of(const NullableBytes& bytes) noexcept {
  if (bytes.is_null()) return std::nullopt;
  return bytes.bytes();
}

/// Bytes of the key, the value and the headers.
inline std::size_t payload_bytes(const Record& record) noexcept {
  std::size_t bytes = record.key.size() + record.value.size();
  for (const Header& header : record.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

/// The record's headers in the record library's form, in room of this thread, until it asks for the next record's.
std::span<const record::HeaderView> headers_of(const Record& record);

/// The record in the record library's form. Borrows it; see headers_of().
inline record::RecordInput input_of(const Record& record, std::int64_t timestamp_ms) {
  record::RecordInput input;
  input.timestamp_ms = timestamp_ms;
  input.key = field_of(record.key);
  input.value = field_of(record.value);
  if (!record.headers.empty()) input.headers = headers_of(record);
  return input;
}

/// The record's own time stamp, or else `now_ms`.
inline std::int64_t timestamp_of(const Record& record, std::int64_t now_ms) noexcept {
  return record.timestamp ? record.timestamp->time_since_epoch().count() : now_ms;
}

}  // namespace barnabas::client
