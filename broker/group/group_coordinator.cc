#include "broker/group/group_coordinator.h"

#include <asio/post.hpp>
#include <set>
#include <utility>

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

GroupCoordinator::GroupCoordinator(runtime::Env& env, GroupSettings settings, partition::ReplicaManager& replicas,
                                   runtime::Logger logger)
    : env_(env),
      settings_(settings),
      replicas_(replicas),
      logger_(std::move(logger)),
      partition_count_(settings_.topic_partitions) {}

GroupCoordinator::~GroupCoordinator() {
  stop();
  led_.clear();
  ended_.clear();
}

std::int32_t GroupCoordinator::partition_for(std::string_view group_id) const {
  return partition_of(group_id, partition_count_.load(std::memory_order_acquire));
}

void GroupCoordinator::on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) {
  for (const auto& topic : delta.deleted_topics) {
    if (topic->name != kOffsetsTopic) continue;
    for (const auto& [index, partition] : topic->partitions) give_up(index);
  }
  const auto topic = image->topic(kOffsetsTopic);
  if (topic && (delta.created_topics.count(topic->id) != 0 || delta.changed_topics.count(topic->id) != 0)) {
    follow(*topic);
  }
  forget_topics(delta);
}

void GroupCoordinator::follow(const metadata::TopicImage& topic) {
  partition_count_.store(static_cast<std::int32_t>(topic.partitions.size()), std::memory_order_release);
  topic_id_half_.store(topic.id.least_significant(), std::memory_order_release);
  for (const auto& [index, registered] : topic.partitions) {
    const partition::PartitionPtr partition = replicas_.find(topic.id, index);
    if (partition && partition->is_leader()) {
      take_over(index, registered.leader_epoch, partition);
    } else {
      give_up(index);
    }
  }
}

void GroupCoordinator::take_over(std::int32_t index, std::int32_t leader_epoch, partition::PartitionPtr partition) {
  PartitionPtr taken;
  {
    const std::unique_lock lock(mutex_);
    if (stopped_) return;
    Led& led = led_[index];
    // A new epoch of our own leadership changes nothing that we know: nobody else has written meanwhile.
    if (led.partition && led.partition->partition() == partition) {
      led.leader_epoch = leader_epoch;
      return;
    }
    if (!timers_) timers_ = env_.make_reactor("broker-groups");
    if (led.partition) ended_.push_back(std::move(led.partition));
    taken = std::make_shared<CoordinatorPartition>(env_, settings_, std::move(partition), timers_->executor(), logger_);
    led = {leader_epoch, taken};
  }
  if (taken->is_log_empty()) return taken->load();
  const std::unique_lock lock(mutex_);
  if (stopped_) return;
  if (!loader_) loader_ = env_.make_worker_pool("broker-groups-load", 1);
  asio::post(loader_->executor(), [taken] { taken->load(); });
}

void GroupCoordinator::give_up(std::int32_t index) {
  PartitionPtr ended;
  {
    const std::unique_lock lock(mutex_);
    const auto found = led_.find(index);
    if (found == led_.end()) return;
    ended = std::move(found->second.partition);
    led_.erase(found);
    ended_.push_back(ended);
  }
  ended->unload();
}

/// What a group knew of a topic that is gone would mislead who makes one of that name.
void GroupCoordinator::forget_topics(const metadata::MetadataDelta& delta) {
  auto gone = std::make_shared<std::set<std::string, std::less<>>>();
  for (const auto& topic : delta.deleted_topics) gone->insert(topic->name);
  if (gone->empty()) return;
  const std::shared_lock lock(mutex_);
  if (stopped_) return;
  for (const auto& [index, led] : led_) {
    asio::post(timers_->executor(), [partition = led.partition, gone] {
      partition->submit([&gone](GroupShard& shard, Step& step) { shard.on_topics_deleted(step, *gone); });
    });
  }
}

void GroupCoordinator::on_move(const Uuid& topic_id, std::int32_t partition) {
  if (topic_id.least_significant() != topic_id_half_.load(std::memory_order_acquire)) return;
  const std::shared_lock lock(mutex_);
  const auto found = led_.find(partition);
  if (found != led_.end()) found->second.partition->on_move();
}

void GroupCoordinator::stop() {
  std::vector<PartitionPtr> ending;
  {
    const std::unique_lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    for (const auto& [index, led] : led_) ending.push_back(led.partition);
  }
  for (const PartitionPtr& partition : ending) partition->unload();
  // Whatever still loads looks up now and then, and ends.
  loader_.reset();
  if (timers_) timers_->stop();
}

GroupCoordinator::PartitionPtr GroupCoordinator::find(std::int32_t partition) const {
  const std::shared_lock lock(mutex_);
  const auto found = led_.find(partition);
  return found == led_.end() ? nullptr : found->second.partition;
}

/// The event runs before this returns, or never: by reference it needs no memory of its own, and what it moves away is
/// still the caller's where it did not run.
template <typename Event>
ErrorCode GroupCoordinator::submit(const std::string& group_id, const Event& event) {
  const PartitionPtr partition = find(partition_for(group_id));
  return partition ? partition->submit(std::cref(event)) : ErrorCode::not_coordinator;
}

void GroupCoordinator::join_group(Origin origin, JoinGroupRequest request, Reply<JoinGroupResponse> reply) {
  JoinGroupResponse refused;
  const auto refuse_with = [&](ErrorCode error) {
    refused.error_code = code_of(error);
    reply(std::move(refused));
  };
  refused.member_id = request.member_id;
  if (request.group_id.empty()) return refuse_with(ErrorCode::invalid_group_id);
  if (request.session_timeout_ms < settings_.min_session_timeout_ms ||
      request.session_timeout_ms > settings_.max_session_timeout_ms) {
    return refuse_with(ErrorCode::invalid_session_timeout);
  }
  const std::string group_id = request.group_id;
  const ErrorCode error = submit(
      group_id, [&](GroupShard& shard, Step& step) { shard.join(step, origin, std::move(request), std::move(reply)); });
  if (error == ErrorCode::none) return;
  refused.member_id.clear();
  refuse_with(error);
}

void GroupCoordinator::sync_group(protocol::SyncGroupRequest request, Reply<protocol::SyncGroupResponse> reply) {
  const std::string group_id = request.group_id;
  ErrorCode error = ErrorCode::invalid_group_id;
  if (!group_id.empty()) {
    error = submit(group_id, [&](GroupShard& shard, Step& step) {
      shard.groups().sync(step, std::move(request), std::move(reply));
    });
  }
  if (error == ErrorCode::none) return;
  protocol::SyncGroupResponse refused;
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::heartbeat(protocol::HeartbeatRequest request, Reply<protocol::HeartbeatResponse> reply) {
  ErrorCode error = ErrorCode::invalid_group_id;
  if (!request.group_id.empty()) {
    error = submit(request.group_id, [&](GroupShard& shard, Step& step) {
      step.answer(std::move(reply), shard.groups().heartbeat(step, request));
    });
  }
  if (error == ErrorCode::none) return;
  protocol::HeartbeatResponse refused;
  // The members of a group that is being loaded are well, as far as anybody knows.
  if (error != ErrorCode::coordinator_load_in_progress) refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::leave_group(protocol::LeaveGroupRequest request, Reply<protocol::LeaveGroupResponse> reply) {
  ErrorCode error = ErrorCode::invalid_group_id;
  if (!request.group_id.empty()) {
    error = submit(request.group_id,
                   [&](GroupShard& shard, Step& step) { shard.groups().leave(step, request, std::move(reply)); });
  }
  if (error == ErrorCode::none) return;
  protocol::LeaveGroupResponse refused;
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::commit_offsets(Origin origin, protocol::OffsetCommitRequest request,
                                      Reply<protocol::OffsetCommitResponse> reply) {
  const ErrorCode error = submit(request.group_id, [&](GroupShard& shard, Step& step) {
    shard.offsets().commit(step, origin, request, std::move(reply));
  });
  if (error != ErrorCode::none) reply(refuse_commit(request, error));
}

void GroupCoordinator::fetch_offsets(protocol::OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable,
                                     Reply<FetchedGroup> reply) {
  const ErrorCode error = submit(request.group_id, [&](GroupShard& shard, Step& step) {
    step.answer(std::move(reply), shard.offsets().fetch(request, require_stable));
  });
  if (error == ErrorCode::none) return;
  FetchedGroup refused;
  refused.group_id = std::move(request.group_id);
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::delete_offsets(protocol::OffsetDeleteRequest request,
                                      Reply<protocol::OffsetDeleteResponse> reply) {
  ErrorCode error = ErrorCode::invalid_group_id;
  if (!request.group_id.empty()) {
    error = submit(request.group_id,
                   [&](GroupShard& shard, Step& step) { shard.offsets().remove(step, request, std::move(reply)); });
  }
  if (error == ErrorCode::none) return;
  protocol::OffsetDeleteResponse refused;
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::delete_groups(std::int32_t partition, std::vector<std::string> group_ids,
                                     Reply<protocol::DeleteGroupsResponse> reply) {
  const PartitionPtr found = find(partition);
  const ErrorCode error = found ? found->submit([&](GroupShard& shard, Step& step) {
    shard.delete_groups(step, group_ids, std::move(reply));
  })
                                : ErrorCode::not_coordinator;
  if (error == ErrorCode::none) return;
  protocol::DeleteGroupsResponse refused;
  for (std::string& id : group_ids) {
    auto& result = refused.results.emplace_back();
    result.group_id = std::move(id);
    result.error_code = code_of(error);
  }
  reply(std::move(refused));
}

protocol::DescribeGroupsResponse::DescribedGroup GroupCoordinator::describe_group(const std::string& group_id,
                                                                                  std::int16_t version) const {
  protocol::DescribeGroupsResponse::DescribedGroup described;
  const PartitionPtr partition = find(partition_for(group_id));
  const ErrorCode error =
      partition
          ? partition->look([&](const GroupShard& shard) { described = shard.groups().describe(group_id, version); })
          : ErrorCode::not_coordinator;
  if (error == ErrorCode::none) return described;
  described.group_id = group_id;
  described.error_code = code_of(error);
  return described;
}

protocol::ListGroupsResponse GroupCoordinator::list_groups(const protocol::ListGroupsRequest& request) const {
  std::vector<std::string> states;
  for (const std::string& state : request.states_filter) states.push_back(filter_text(state));
  bool wants_classic = request.types_filter.empty();
  for (const std::string& type : request.types_filter) {
    wants_classic = wants_classic || filter_text(type) == "classic";
  }
  protocol::ListGroupsResponse response;
  std::vector<PartitionPtr> partitions;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [index, led] : led_) partitions.push_back(led.partition);
  }
  for (const PartitionPtr& partition : partitions) {
    const ErrorCode error = partition->look([&](const GroupShard& shard) {
      if (wants_classic) shard.groups().list(states, response.groups);
    });
    if (error != ErrorCode::coordinator_load_in_progress) continue;
    response.groups.clear();
    response.error_code = code_of(error);
    break;
  }
  return response;
}

void GroupCoordinator::for_each(const std::function<void(const GroupShard&)>& reader) const {
  std::vector<PartitionPtr> partitions;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [index, led] : led_) partitions.push_back(led.partition);
  }
  for (const PartitionPtr& partition : partitions) partition->look(reader);
}

}  // namespace barnabas::group
