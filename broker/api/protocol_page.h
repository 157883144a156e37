#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "common/protocol/api_keys.h"

namespace barnabas::broker {

/// The versions of an API that somebody speaks.
struct ApiRange {
  protocol::ApiKey key{};
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
};

/// docs/protocol.md, whole: each API of Kafka 4.3's broker listeners, what we serve of it, and what our client uses
/// (given by the caller: neither side knows the other).
std::string protocol_page(std::span<const ApiRange> client);

}  // namespace barnabas::broker
