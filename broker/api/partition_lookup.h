#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/metadata/image.h"
#include "broker/partition/partition.h"
#include "broker/server/request_context.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {

/// A partition that this broker leads, or the error that says why there is none.
struct FoundPartition {
  partition::PartitionPtr partition;  ///< Null where there is an error.
  protocol::ErrorCode error = protocol::ErrorCode::none;
};

/// TOPIC_AUTHORIZATION_FAILED for a principal that may not do what the API does; UNKNOWN_TOPIC_OR_PARTITION for what
/// the cluster does not have, NOT_LEADER_OR_FOLLOWER for what lies elsewhere, KAFKA_STORAGE_ERROR for what should be
/// here but has a log that could not be opened.
FoundPartition find_partition(RequestContext& context, const std::string& topic, std::int32_t partition);
/// As above, and UNKNOWN_TOPIC_ID for an id that no topic has.
FoundPartition find_partition(RequestContext& context, const Uuid& topic_id, std::int32_t partition);

/// Where a client that asked the wrong broker, or with an old epoch, should ask instead.
struct LeaderHint {
  std::int32_t leader_id = metadata::kNoLeader;
  std::int32_t leader_epoch = -1;
  std::string host;
  std::int32_t port = 0;
  std::optional<std::string> rack;
};

/// Nothing when the error is not about leadership, or nobody leads.
std::optional<LeaderHint> leader_hint(RequestContext& context, protocol::ErrorCode error, const Uuid& topic_id,
                                      const std::string& topic, std::int32_t partition);

/// Adds the leader's address to an answer that has node endpoints, once.
template <typename Response>
void add_node_endpoint(Response& response, const LeaderHint& hint) {
  for (const auto& known : response.node_endpoints) {
    if (known.node_id == hint.leader_id) return;
  }
  response.node_endpoints.emplace_back();
  response.node_endpoints.back().node_id = hint.leader_id;
  response.node_endpoints.back().host = hint.host;
  response.node_endpoints.back().port = hint.port;
  response.node_endpoints.back().rack = hint.rack;
}

}  // namespace barnabas::broker
