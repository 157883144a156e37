#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace barnabas::protocol {

/// The longest string that a message can carry, in every version.  Source: the 0x7fff of Kafka's generated messages.
constexpr std::size_t kMaxTextBytes = std::numeric_limits<std::int16_t>::max();

}  // namespace barnabas::protocol
