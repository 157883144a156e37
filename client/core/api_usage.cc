#include "client/core/api_usage.h"

#include <algorithm>
#include <array>

namespace barnabas::client {
namespace {

using protocol::ApiKey;

// The lowest version is the one of Kafka 2.1 (2018) or what our code needs; the highest is Kafka 4.3's.
constexpr std::array kUsage{
    ApiUsage{ApiKey::produce, {3, 13}, "producer"},
    ApiUsage{ApiKey::fetch, {4, 18}, "consumer"},
    ApiUsage{ApiKey::list_offsets, {1, 11}, "consumer, admin"},
    ApiUsage{ApiKey::metadata, {4, 13}, "all"},
    // Of these two, from 10 on topics go by id, which a user need not know: Kafka 4.3's consumer of the classic
    // protocol stays with names too, so that a commit is of the topic that bears the name when it arrives.
    ApiUsage{ApiKey::offset_commit, {2, 9}, "consumer, admin"},
    ApiUsage{ApiKey::offset_fetch, {1, 9}, "consumer, admin"},
    ApiUsage{ApiKey::find_coordinator, {1, 6}, "consumer, admin"},
    ApiUsage{ApiKey::join_group, {1, 9}, "consumer"},
    ApiUsage{ApiKey::heartbeat, {0, 4}, "consumer"},
    ApiUsage{ApiKey::leave_group, {0, 5}, "consumer"},
    ApiUsage{ApiKey::sync_group, {0, 5}, "consumer"},
    ApiUsage{ApiKey::describe_groups, {0, 6}, "admin"},
    ApiUsage{ApiKey::list_groups, {0, 5}, "admin"},
    ApiUsage{ApiKey::api_versions, {0, 4}, "all"},
    ApiUsage{ApiKey::create_topics, {2, 7}, "admin"},
    ApiUsage{ApiKey::delete_topics, {1, 6}, "admin"},
    ApiUsage{ApiKey::init_producer_id, {0, 5}, "producer"},
    ApiUsage{ApiKey::offset_for_leader_epoch, {2, 4}, "consumer"},
    ApiUsage{ApiKey::describe_configs, {1, 4}, "admin"},
    ApiUsage{ApiKey::delete_groups, {0, 2}, "admin"},
    ApiUsage{ApiKey::offset_delete, {0, 0}, "admin"},
    ApiUsage{ApiKey::describe_cluster, {0, 2}, "admin"},
};

}  // namespace

std::span<const ApiUsage> api_usage() noexcept {
  return kUsage;
}

VersionRange client_versions(ApiKey api) noexcept {
  const auto found = std::find_if(kUsage.begin(), kUsage.end(), [api](const ApiUsage& row) { return row.api == api; });
  return found == kUsage.end() ? VersionRange{0, -1} : found->versions;
}

}  // namespace barnabas::client
