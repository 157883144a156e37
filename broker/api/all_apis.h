#pragma once

#include <string>

#include "broker/server/api_table.h"

namespace barnabas::broker {

/// Everything this broker serves.
const ApiTable& all_apis();

/// docs/protocol.md, whole: each API of Kafka 4.3, what we serve of it, and what our client uses.
std::string protocol_page();

}  // namespace barnabas::broker
