#pragma once

#include <asio/post.hpp>
#include <utility>

#include "broker/coordinator/coordinator_partition_impl.h"
#include "broker/coordinator/coordinator_runtime.h"

namespace barnabas::coordinator {

template <typename Shard>
CoordinatorRuntime<Shard>::CoordinatorRuntime(runtime::Env& env, RuntimeOptions options,
                                              typename Partition::MakeShard make_shard,
                                              partition::ReplicaManager& replicas, runtime::Logger logger)
    : env_(env),
      options_(std::move(options)),
      make_shard_(std::move(make_shard)),
      replicas_(replicas),
      logger_(std::move(logger)),
      partition_count_(options_.topic_partitions) {}

template <typename Shard>
CoordinatorRuntime<Shard>::~CoordinatorRuntime() {
  stop();
  led_.clear();
  ended_.clear();
}

template <typename Shard>
std::int32_t CoordinatorRuntime<Shard>::partition_for(std::string_view key) const {
  return partition_of(key, partition_count_.load(std::memory_order_acquire));
}

template <typename Shard>
void CoordinatorRuntime<Shard>::on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) {
  for (const auto& topic : delta.deleted_topics) {
    if (topic->name != options_.topic) continue;
    for (const auto& [index, partition] : topic->partitions) give_up(index);
  }
  const auto topic = image->topic(options_.topic);
  if (topic && (delta.created_topics.count(topic->id) != 0 || delta.changed_topics.count(topic->id) != 0)) {
    follow(*topic);
  }
}

template <typename Shard>
void CoordinatorRuntime<Shard>::follow(const metadata::TopicImage& topic) {
  partition_count_.store(static_cast<std::int32_t>(topic.partitions.size()), std::memory_order_release);
  topic_id_half_.store(topic.id.least_significant(), std::memory_order_release);
  for (const auto& [index, registered] : topic.partitions) {
    const partition::PartitionPtr partition = replicas_.find(topic.id, index);
    if (partition && partition->is_leader()) {
      take_over(index, partition);
    } else {
      give_up(index);
    }
  }
}

template <typename Shard>
void CoordinatorRuntime<Shard>::take_over(std::int32_t index, partition::PartitionPtr partition) {
  PartitionPtr taken;
  {
    const std::unique_lock lock(mutex_);
    if (stopped_) return;
    PartitionPtr& led = led_[index];
    // A new epoch of our own leadership changes nothing that we know: nobody else has written meanwhile.
    if (led && led->partition() == partition) return;
    if (!timers_) timers_ = env_.make_reactor(options_.threads);
    if (led) ended_.push_back(std::move(led));
    taken = std::make_shared<Partition>(env_, options_.settings, make_shard_, std::move(partition), timers_->executor(),
                                        logger_);
    led = taken;
  }
  if (taken->is_log_empty()) return taken->load();
  const std::unique_lock lock(mutex_);
  if (stopped_) return;
  if (!loader_) loader_ = env_.make_worker_pool(options_.threads + "-load", 1);
  asio::post(loader_->executor(), [taken] { taken->load(); });
}

template <typename Shard>
void CoordinatorRuntime<Shard>::give_up(std::int32_t index) {
  PartitionPtr ended;
  {
    const std::unique_lock lock(mutex_);
    const auto found = led_.find(index);
    if (found == led_.end()) return;
    ended = std::move(found->second);
    led_.erase(found);
    ended_.push_back(ended);
  }
  ended->unload();
}

template <typename Shard>
void CoordinatorRuntime<Shard>::on_move(const Uuid& topic_id, std::int32_t partition) {
  if (topic_id.least_significant() != topic_id_half_.load(std::memory_order_acquire)) return;
  const std::shared_lock lock(mutex_);
  const auto found = led_.find(partition);
  if (found != led_.end()) found->second->on_move();
}

template <typename Shard>
void CoordinatorRuntime<Shard>::stop() {
  std::vector<PartitionPtr> ending;
  {
    const std::unique_lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    for (const auto& [index, led] : led_) ending.push_back(led);
  }
  for (const PartitionPtr& partition : ending) partition->unload();
  // Whatever still loads looks up now and then, and ends.
  loader_.reset();
  if (timers_) timers_->stop();
}

template <typename Shard>
typename CoordinatorRuntime<Shard>::PartitionPtr CoordinatorRuntime<Shard>::find(std::int32_t partition) const {
  const std::shared_lock lock(mutex_);
  const auto found = led_.find(partition);
  return found == led_.end() ? nullptr : found->second;
}

template <typename Shard>
std::vector<typename CoordinatorRuntime<Shard>::PartitionPtr> CoordinatorRuntime<Shard>::led() const {
  const std::shared_lock lock(mutex_);
  std::vector<PartitionPtr> partitions;
  for (const auto& [index, led] : led_) partitions.push_back(led);
  return partitions;
}

template <typename Shard>
void CoordinatorRuntime<Shard>::submit_to_all(std::function<void(Shard&, typename Partition::Step&)> event) {
  const auto shared = std::make_shared<const std::function<void(Shard&, typename Partition::Step&)>>(std::move(event));
  const std::shared_lock lock(mutex_);
  if (stopped_) return;
  for (const auto& [index, led] : led_) {
    asio::post(timers_->executor(), [partition = led, shared] { partition->submit(*shared); });
  }
}

}  // namespace barnabas::coordinator
