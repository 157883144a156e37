#pragma once

#include <algorithm>
#include <cstddef>

#include "common/bytes/bytes.h"

namespace barnabas::protocol {

/// Record batches inside a message, not copied. Decoding gives a view into the frame, which must outlive it. Encoding
/// writes `bytes`; where external_bytes is above 0 it writes the length alone and notes the place in
/// Writer::external_parts(), and the sender puts that many bytes of a file there.
struct RecordsRef {
  BytesView bytes;
  std::size_t external_bytes = 0;

  bool operator==(const RecordsRef& other) const noexcept {
    return external_bytes == other.external_bytes && std::ranges::equal(bytes, other.bytes);
  }
};

}  // namespace barnabas::protocol
