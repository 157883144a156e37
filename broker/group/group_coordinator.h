#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/coordinator_partition.h"
#include "broker/group/group_settings.h"
#include "broker/group/step.h"
#include "broker/metadata/delta.h"
#include "broker/partition/replica_manager.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::group {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

/// The groups of this broker: which partition of __consumer_offsets leads a group, and that partition's machine.
/// It follows the metadata image after the ReplicaManager does: what this broker comes to lead is loaded in the
/// background, what it leads no more is unloaded.
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
  using PartitionPtr = std::shared_ptr<CoordinatorPartition>;

  PartitionPtr find(std::int32_t partition) const;
  template <typename Event>
  protocol::ErrorCode submit(const std::string& group_id, const Event& event);
  void follow(const metadata::TopicImage& topic);
  void take_over(std::int32_t index, std::int32_t leader_epoch, partition::PartitionPtr partition);
  void give_up(std::int32_t index);
  void forget_topics(const metadata::MetadataDelta& delta);

  struct Led {
    std::int32_t leader_epoch = -1;
    PartitionPtr partition;
  };

  runtime::Env& env_;
  const GroupSettings settings_;
  partition::ReplicaManager& replicas_;
  const runtime::Logger logger_;
  std::atomic<std::int32_t> partition_count_;
  std::atomic<std::uint64_t> topic_id_half_{
      0};  // of __consumer_offsets: tells other topics' moves apart without a lock
  mutable std::shared_mutex mutex_;
  std::unique_ptr<runtime::Reactor> timers_;     // mutex_; made with the first partition
  std::unique_ptr<runtime::WorkerPool> loader_;  // mutex_
  std::map<std::int32_t, Led> led_;              // mutex_
  std::vector<PartitionPtr> ended_;              // mutex_; their timers may still be on their way
  bool stopped_ = false;                         // mutex_
};

}  // namespace barnabas::group
