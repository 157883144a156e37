#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace barnabas {

using Bytes = std::vector<std::byte>;          ///< Owned.
using BytesView = std::span<const std::byte>;  ///< Borrowed: says nothing of who owns it.
using MutableBytesView = std::span<std::byte>;

inline BytesView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace barnabas
