#include "broker/metadata/metadata_records.h"

#include <limits>

namespace barnabas::metadata {

Result<RecordFrame> read_record_frame(BytesView framed) {
  constexpr auto largest = static_cast<std::uint32_t>(std::numeric_limits<std::int16_t>::max());
  Reader in(framed);
  const std::uint32_t frame_version = in.unsigned_varint();
  const std::uint32_t type = in.unsigned_varint();
  const std::uint32_t version = in.unsigned_varint();
  if (in.failed() || type > largest || version > largest) {
    return failure(Errc::corrupt_data, "a metadata record's frame does not read");
  }
  if (frame_version != kFrameVersion) {
    return failure(Errc::unsupported_version, "metadata record frame version " + std::to_string(frame_version));
  }
  const BytesView body = in.bytes(in.remaining());
  return RecordFrame{static_cast<std::int16_t>(type), static_cast<std::int16_t>(version), body};
}

}  // namespace barnabas::metadata
