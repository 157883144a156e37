#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"

namespace barnabas::testing {

/// The text of tests/golden/<name>.zst: vectors that Apache Kafka's own classes wrote (tests/golden/README.md says
/// which).
std::string golden_text(const std::string& name);
/// One JSON object a line.
std::vector<nlohmann::json> golden_lines(const std::string& name);
/// Standard base64 with padding.
Bytes from_base64(std::string_view text);
std::string to_base64(BytesView bytes);
std::string to_hex(BytesView bytes);

}  // namespace barnabas::testing
