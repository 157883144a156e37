#include "broker/metadata/random_uuid.h"

#include <array>

namespace barnabas::metadata {

Uuid random_uuid(runtime::Random& random) {
  for (;;) {
    std::array<std::byte, Uuid::kBytes> bytes{};
    random.fill(bytes);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    const Uuid id(bytes);
    if (!id.is_reserved() && id.to_string().front() != '-') return id;
  }
}

}  // namespace barnabas::metadata
