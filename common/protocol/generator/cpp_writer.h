#pragma once

#include <string>
#include <vector>

#include "common/protocol/generator/schema.h"

namespace barnabas::generator {

/// The messages of one stem (a request and its response, or one record) as a header.
std::string header_of(const std::vector<Message>& messages);
/// Their encoders, decoders and JSON.
std::string source_of(const std::string& stem, const std::vector<Message>& messages);
/// The one file that defines to_json() of all messages, and so the only one to need nlohmann's headers, and the table
/// of all.
std::string registry_of(const std::vector<Message>& messages);

}  // namespace barnabas::generator
