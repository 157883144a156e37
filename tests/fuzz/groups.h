#pragma once

#include <cstdint>

/// What the target `groups` reads: items behind each other, each its kind (a byte), its length (uint16) and its bytes.
namespace barnabas::fuzz {

enum class GroupItem : std::uint8_t {
  record,        ///< Of __consumer_offsets: the key's length (uint16), key, whether there is a value (a byte), value.
  time,          ///< So many milliseconds pass (uint32).
  restart,       ///< The coordinator starts again, from its log.
  subscription,  ///< Bytes of a member's subscription, as its assignor reads them.
  assignment,    ///< Bytes of a member's assignment.
  join,          ///< Requests, each its version (a byte) and its message. A member id of one byte stands for an id that
  sync,          ///< the coordinator has given out: the n-th.
  heartbeat,
  leave,
  commit,
  fetch,
  remove_offsets,
  remove_groups
};
inline constexpr int kGroupItems = static_cast<int>(GroupItem::remove_groups) + 1;

}  // namespace barnabas::fuzz
