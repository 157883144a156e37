#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace barnabas::cli {

/// Standard base64 with padding.
std::string to_base64(std::string_view bytes);
/// None where the text is no base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace barnabas::cli
