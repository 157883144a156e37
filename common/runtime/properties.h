#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/bytes/result.h"

namespace barnabas::runtime {

using Properties = std::map<std::string, std::string>;

/// A Java .properties text (server.properties, meta.properties) in UTF-8: comments (# and !), `key=value`, `key:
/// value`, `key value`, continuation lines, \t \n \r \f \\ and \uXXXX. The last of several equal keys counts. Errors:
/// Errc::invalid_config for a malformed \u escape, naming the line.
Result<Properties> parse_properties(std::string_view text);

}  // namespace barnabas::runtime
