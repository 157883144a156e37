#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace barnabas {
inline namespace v0 {

/// What a consumer is in its group: Kafka's ConsumerGroupMetadata. A producer takes it to commit offsets within a
/// transaction (KIP-447), so that a member of an old generation cannot.
struct ConsumerGroupMetadata {
  std::string group_id;
  std::int32_t generation_id = -1;                 ///< -1: not a member now.
  std::string member_id;                           ///< Empty: not a member now.
  std::optional<std::string> group_instance_id{};  ///< Of a static member (KIP-345).

  friend bool operator==(const ConsumerGroupMetadata&, const ConsumerGroupMetadata&) = default;
};

}  // namespace v0
}  // namespace barnabas
