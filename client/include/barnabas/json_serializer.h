#pragma once

// The one header that needs nlohmann/json: include it where JSON is wanted.
#include <nlohmann/json.hpp>

#include "barnabas/serializers.h"

namespace barnabas {
inline namespace v0 {

/// JSON as UTF-8 text, without blanks. Text that is no UTF-8 is written with replacement characters rather than
/// refused.
template <>
struct Serializer<nlohmann::json> {
  static std::vector<std::byte> serialize(const nlohmann::json& value) {
    return Serializer<std::string>::serialize(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  /// None where the bytes are no JSON.
  static std::optional<nlohmann::json> deserialize(std::span<const std::byte> bytes) {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    nlohmann::json value = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
  }
};

}  // namespace v0
}  // namespace barnabas
