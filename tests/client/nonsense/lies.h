#pragma once

#include <cstdint>
#include <string>

#include "common/bytes/bytes.h"
#include "common/protocol/api_keys.h"
#include "tests/simulation/plan.h"

namespace barnabas::nonsense {

/// Whether answers of this API are lied about: those of groups' coordinators.
bool is_of_groups(protocol::ApiKey api);

/// Makes an answer (header and body) into what a broken coordinator may say: wrong errors, names, counts, generations,
/// assignments that are garbage, huge or of others' partitions, or just other bytes. `topic`: one that is there.
Bytes lie(simulation::Dice& dice, protocol::ApiKey api, std::int16_t version, Bytes answer, const std::string& topic);

}  // namespace barnabas::nonsense
