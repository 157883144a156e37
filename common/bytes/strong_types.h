#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace barnabas {

/// A number with a name, so that two arguments of one underlying type cannot change places.
template <typename Tag, typename Value>
class Strong {
 public:
  using value_type = Value;

  constexpr Strong() noexcept = default;
  constexpr explicit Strong(Value value) noexcept : value_(value) {}

  constexpr Value value() const noexcept { return value_; }

  friend constexpr bool operator==(Strong, Strong) noexcept = default;
  friend constexpr auto operator<=>(Strong, Strong) noexcept = default;

 private:
  Value value_{};
};

using Offset = Strong<struct OffsetTag, std::int64_t>;              ///< A record's place in its partition.
using FilePosition = Strong<struct FilePositionTag, std::int64_t>;  ///< Bytes from the start of a file.
using LeaderEpoch = Strong<struct LeaderEpochTag, std::int32_t>;
using TimestampMs = Strong<struct TimestampTag, std::int64_t>;  ///< Milliseconds since 1970, UTC; -1 is none.

}  // namespace barnabas

template <typename Tag, typename Value>
struct std::hash<barnabas::Strong<Tag, Value>> {
  std::size_t operator()(barnabas::Strong<Tag, Value> strong) const noexcept {
    return std::hash<Value>{}(strong.value());
  }
};
