#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/coordinator/coordinator_partition.h"
#include "broker/metadata/delta.h"
#include "broker/partition/replica_manager.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::coordinator {

/// What tells one coordinator from another.
struct RuntimeOptions {
  std::string topic;                  ///< Its log: "__consumer_offsets", say.
  std::int32_t topic_partitions = 0;  ///< As long as the topic is not there.
  TopicSettings settings;
  std::string threads;  ///< Its threads' name.
};

/// The partitions of a coordinator's topic that this broker leads, each with its machine. It follows the metadata
/// image: what this broker comes to lead is loaded in the background, what it leads no more is unloaded. Order of use:
/// on_metadata behind the ReplicaManager's; submit, look; stop before the reactors of those who asked are gone.
/// Threads: any.  Members are defined in coordinator_runtime_impl.h.
/// Source: Kafka's CoordinatorRuntime.
template <typename Shard>
class CoordinatorRuntime {
 public:
  using Partition = CoordinatorPartition<Shard>;
  using PartitionPtr = std::shared_ptr<Partition>;

  CoordinatorRuntime(runtime::Env& env, RuntimeOptions options, typename Partition::MakeShard make_shard,
                     partition::ReplicaManager& replicas, runtime::Logger logger);
  CoordinatorRuntime(const CoordinatorRuntime&) = delete;
  CoordinatorRuntime& operator=(const CoordinatorRuntime&) = delete;
  ~CoordinatorRuntime();

  void on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image);
  /// The partition's log end, high watermark or leader moved; posts.
  void on_move(const Uuid& topic_id, std::int32_t partition);
  /// Ends everything; whoever waits is told NOT_COORDINATOR.
  void stop();

  /// The partition of the topic that a key belongs to: by Java's hash.
  std::int32_t partition_for(std::string_view key) const;
  /// nullptr where this broker does not lead it.
  PartitionPtr find(std::int32_t partition) const;
  /// All that are led here, in their order.
  std::vector<PartitionPtr> led() const;
  /// The event runs before this returns, or never: by reference it needs no memory of its own, and what it moves away
  /// is still the caller's where it did not run. Errors: as CoordinatorPartition::submit.
  template <typename Event>
  protocol::ErrorCode submit(std::string_view key, const Event& event) {
    const PartitionPtr partition = find(partition_for(key));
    return partition ? partition->submit(std::cref(event)) : protocol::ErrorCode::not_coordinator;
  }
  /// Runs the event in every partition that is led here, later, on the timers' thread.
  void submit_to_all(std::function<void(Shard&, typename Partition::Step&)> event);

 private:
  void follow(const metadata::TopicImage& topic);
  void take_over(std::int32_t index, partition::PartitionPtr partition);
  void give_up(std::int32_t index);

  runtime::Env& env_;
  const RuntimeOptions options_;
  const typename Partition::MakeShard make_shard_;
  partition::ReplicaManager& replicas_;
  const runtime::Logger logger_;
  std::atomic<std::int32_t> partition_count_;
  std::atomic<std::uint64_t> topic_id_half_{0};  // tells other topics' moves apart without a lock
  mutable std::shared_mutex mutex_;
  std::unique_ptr<runtime::Reactor> timers_;     // mutex_; made with the first partition
  std::unique_ptr<runtime::WorkerPool> loader_;  // mutex_
  std::map<std::int32_t, PartitionPtr> led_;     // mutex_
  std::vector<PartitionPtr> ended_;              // mutex_; their timers may still be on their way
  bool stopped_ = false;                         // mutex_
};

/// The absolute value of Java's hash of the key, modulo. Source: Kafka's partitionFor.
std::int32_t partition_of(std::string_view key, std::int32_t partition_count) noexcept;

}  // namespace barnabas::coordinator
