#pragma once

#include <cstddef>
#include <string_view>

namespace barnabas::runtime {

/// Letters to insert, delete, replace or swap with their neighbour until `a` is `b`. Cost: O(|a| * |b|).
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace barnabas::runtime
