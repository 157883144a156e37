#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/differential/peer.h"
#include "tests/differential/row.h"

namespace barnabas::differential {

/// What one peer did in a row. `outcomes` has one object a step: {"answer": the masked body as JSON}, or
/// {"closed": true} where the connection ended without one, {"silent": true} where it did not end either; both end the
/// row. A last {"open": bool} says whether the
/// connection still serves a request behind a row that was answered.
struct Conversation {
  nlohmann::json outcomes = nlohmann::json::array();
};

/// The body of an answer (header and body, without its size) as JSON; throws where it is no answer of the frame's API
/// and version, or says more than it should.
nlohmann::json body_of(const Bytes& answer, const Frame& frame);

/// Prepares the peer for the row and holds the conversation. Errors: throws where preparing fails.
Conversation converse(const Row& row, Peer& peer);

}  // namespace barnabas::differential
