#pragma once

#include <nlohmann/json.hpp>

#include "common/protocol/api_keys.h"
#include "tests/differential/peer.h"

namespace barnabas::differential {

/// The answer with what cannot be equal on two brokers replaced by what kind of thing it is: masks.cc lists each field.
nlohmann::json masked(nlohmann::json answer, protocol::ApiKey api, const Peer& peer);

}  // namespace barnabas::differential
