#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "barnabas/error.h"
#include "barnabas/export.h"
#include "barnabas/offsets.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
inline namespace v0 {

/// What a group does. Kafka's names; the last three are of groups of the newer protocols.
enum class GroupState : std::int8_t {
  unknown,               ///< A state that this client does not know.
  preparing_rebalance,   ///< It waits for its members to join.
  completing_rebalance,  ///< It waits for the leader's assignment.
  stable,                ///< The members have their partitions.
  dead,                  ///< There is no such group.
  empty,                 ///< No members; committed offsets only.
  assigning,
  reconciling,
  not_ready,
};
/// "Stable", as Kafka writes it.
BARNABAS_API std::string_view to_string(GroupState state) noexcept;
/// Upper and lower case alike, with or without '_' and '-' between the words. GroupState::unknown for other text.
BARNABAS_API GroupState parse_group_state(std::string_view text) noexcept;

struct GroupListing {
  std::string group_id;
  std::string protocol_type;               ///< "consumer"; "connect" and others; empty for offsets without members.
  GroupState state = GroupState::unknown;  ///< unknown: the broker does not say (before Kafka 2.6).
  std::string type;                        ///< "classic", "consumer", ...; empty where the broker does not say.
};

struct ListGroupsOptions {
  std::vector<GroupState> states{};                    ///< Empty: all. Source: KIP-518.
  std::vector<std::string> types{};                    ///< Empty: all. Source: KIP-848.
  std::optional<std::chrono::milliseconds> timeout{};  ///< Default: default.api.timeout.ms.
};

struct GroupMember {
  std::string member_id;
  std::optional<std::string> instance_id;  ///< group.instance.id of a static member.
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;  ///< Sorted; empty where the group is not of consumers.
};

struct GroupDescription {
  std::string group_id;
  GroupState state = GroupState::unknown;
  std::string protocol_type;
  std::string assignor;              ///< The protocol chosen: "range".
  std::int32_t coordinator_id = -1;  ///< The broker.
  std::vector<GroupMember> members;  ///< By client id, then member id.
  ItemError error;
};

struct DeletedGroup {
  std::string group_id;
  ItemError error;  ///< NON_EMPTY_GROUP while it has members.
};

/// What became of one partition's committed offset.
struct GroupOffsetResult {
  TopicPartition partition;
  ItemError error;
};

}  // namespace v0
}  // namespace barnabas
