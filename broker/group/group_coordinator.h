#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/coordinator/coordinator_runtime.h"
#include "broker/group/group_settings.h"
#include "broker/group/group_shard.h"
#include "broker/group/step.h"
#include "broker/metadata/delta.h"
#include "broker/partition/replica_manager.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::group {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

/// The groups of this broker: which partition of __consumer_offsets leads a group, and that partition's machine.
/// Order of use: add it to the controller's listeners behind the ReplicaManager; ask; stop before the reactors of those
/// who asked are gone.
/// Threads: any. A reply comes on whatever thread settles it, often the asking one, before the call returns.
/// Source: Kafka's GroupCoordinatorService.
class GroupCoordinator final : public metadata::MetadataListener {
 public:
  GroupCoordinator(runtime::Env& env, GroupSettings settings, partition::ReplicaManager& replicas,
                   runtime::Logger logger);
  ~GroupCoordinator() override;

  void on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) override;
  /// The partition's log end, high watermark or leader moved; posts.
  void on_move(const Uuid& topic_id, std::int32_t partition);
  /// Ends everything; whoever waits is told NOT_COORDINATOR.
  void stop();

  const GroupSettings& settings() const noexcept { return settings_; }
  /// The partition of __consumer_offsets that a group belongs to.
  std::int32_t partition_for(std::string_view group_id) const;

  void join_group(Origin origin, protocol::JoinGroupRequest request, Reply<protocol::JoinGroupResponse> reply);
  void sync_group(protocol::SyncGroupRequest request, Reply<protocol::SyncGroupResponse> reply);
  void heartbeat(protocol::HeartbeatRequest request, Reply<protocol::HeartbeatResponse> reply);
  void leave_group(protocol::LeaveGroupRequest request, Reply<protocol::LeaveGroupResponse> reply);
  void commit_offsets(Origin origin, protocol::OffsetCommitRequest request,
                      Reply<protocol::OffsetCommitResponse> reply);
  using FetchedGroup = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;
  void fetch_offsets(protocol::OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable,
                     Reply<FetchedGroup> reply);
  void delete_offsets(protocol::OffsetDeleteRequest request, Reply<protocol::OffsetDeleteResponse> reply);
  /// Groups of one partition each; the reply comes once for each partition that was asked.
  void delete_groups(std::int32_t partition, std::vector<std::string> group_ids,
                     Reply<protocol::DeleteGroupsResponse> reply);
  protocol::DescribeGroupsResponse::DescribedGroup describe_group(const std::string& group_id,
                                                                  std::int16_t version) const;
  /// COORDINATOR_LOAD_IN_PROGRESS while not all are loaded.
  protocol::ListGroupsResponse list_groups(const protocol::ListGroupsRequest& request) const;

  /// Looks at every partition that is loaded; for metrics.
  void for_each(const std::function<void(const GroupShard&)>& reader) const;

 private:
  void forget_topics(const metadata::MetadataDelta& delta);

  const GroupSettings settings_;
  coordinator::CoordinatorRuntime<GroupShard> runtime_;
};

}  // namespace barnabas::group
