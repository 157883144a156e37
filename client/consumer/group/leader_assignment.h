#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/assignor.h"
#include "client/core/cluster_snapshot.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// What the coordinator hands the leader of each member.
struct MemberMetadata {
  std::string member_id;
  std::optional<std::string> instance_id;
  Bytes metadata;
};

/// Errors: Errc::corrupt_data, naming the member whose bytes do not parse.
Result<GroupSubscription> read_members(const std::vector<MemberMetadata>& members);
std::set<std::string> topics_of(const GroupSubscription& group);
/// What decides how a topic's partitions are dealt out: how many there are, and the racks of each one's replicas, in
/// order; none where the leader has no rack itself. The group meets again when it changes.
using TopicShapes = std::map<std::string, std::vector<std::set<std::string>>>;
/// A topic whose state is in doubt is as it was `before`.  Source: Kafka's ConsumerCoordinator.MetadataSnapshot.
TopicShapes shapes_of(const ClusterSnapshot& cluster, const std::set<std::string>& topics, bool with_racks,
                      const TopicShapes& before);
ClusterMetadata cluster_for_assignor(const ClusterSnapshot& cluster, const std::set<std::string>& topics);

/// Runs the assignor; the assignments are encoded for SyncGroup, one for each member. A sticky assignor that fails is
/// run again without the claims on partitions that are no more: Kafka's fails for good where a topic was made anew with
/// fewer partitions.
/// Errors: ConsumerErrc::listener_failed where the assignor throws, gives a partition to two, or, serving the
/// cooperative protocol, gives one away that its owner has not given up yet.
Result<std::vector<std::pair<std::string, Bytes>>> deal_out(Assignor& assignor, RebalanceProtocol protocol,
                                                            const ClusterMetadata& cluster,
                                                            const GroupSubscription& group);

/// The protocol of a consumer with these assignors: the highest that all of them serve.
/// Errors: Errc::invalid_config where there is none.
Result<RebalanceProtocol> shared_protocol(const std::vector<std::shared_ptr<Assignor>>& assignors);

}  // namespace barnabas::client
