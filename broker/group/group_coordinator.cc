#include "broker/group/group_coordinator.h"

#include <set>
#include <utility>

#include "broker/coordinator/coordinator_runtime_impl.h"

namespace barnabas::coordinator {

template class CoordinatorPartition<group::GroupShard>;
template class CoordinatorRuntime<group::GroupShard>;

}  // namespace barnabas::coordinator

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

GroupCoordinator::GroupCoordinator(runtime::Env& env, GroupSettings settings, partition::ReplicaManager& replicas,
                                   runtime::Logger logger)
    : settings_(settings),
      runtime_(
          env,
          {.topic = std::string(kOffsetsTopic),
           .topic_partitions = settings_.topic_partitions,
           .settings = {settings_.topic_compression, settings_.load_buffer_bytes},
           .threads = "broker-groups"},
          [this, &env](runtime::MonotonicTime now) {
            return std::make_unique<GroupShard>(settings_, env.random(), now);
          },
          replicas, std::move(logger)) {}

GroupCoordinator::~GroupCoordinator() = default;

std::int32_t GroupCoordinator::partition_for(std::string_view group_id) const {
  return runtime_.partition_for(group_id);
}

void GroupCoordinator::on_metadata(const metadata::MetadataDelta& delta, const metadata::ImagePtr& image) {
  runtime_.on_metadata(delta, image);
  forget_topics(delta);
}

/// What a group knew of a topic that is gone would mislead who makes one of that name.
void GroupCoordinator::forget_topics(const metadata::MetadataDelta& delta) {
  std::set<std::string, std::less<>> gone;
  for (const auto& topic : delta.deleted_topics) gone.insert(topic->name);
  if (gone.empty()) return;
  runtime_.submit_to_all(
      [topics = std::move(gone)](GroupShard& shard, Step& step) { shard.on_topics_deleted(step, topics); });
}

void GroupCoordinator::on_move(const Uuid& topic_id, std::int32_t partition) {
  runtime_.on_move(topic_id, partition);
}

void GroupCoordinator::stop() {
  runtime_.stop();
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
  const ErrorCode error = runtime_.submit(
      group_id, [&](GroupShard& shard, Step& step) { shard.join(step, origin, std::move(request), std::move(reply)); });
  if (error == ErrorCode::none) return;
  refused.member_id.clear();
  refuse_with(error);
}

void GroupCoordinator::sync_group(protocol::SyncGroupRequest request, Reply<protocol::SyncGroupResponse> reply) {
  const std::string group_id = request.group_id;
  ErrorCode error = ErrorCode::invalid_group_id;
  if (!group_id.empty()) {
    error = runtime_.submit(group_id, [&](GroupShard& shard, Step& step) {
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
    error = runtime_.submit(request.group_id, [&](GroupShard& shard, Step& step) {
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
    error = runtime_.submit(request.group_id, [&](GroupShard& shard, Step& step) {
      shard.groups().leave(step, request, std::move(reply));
    });
  }
  if (error == ErrorCode::none) return;
  protocol::LeaveGroupResponse refused;
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::commit_offsets(Origin origin, protocol::OffsetCommitRequest request,
                                      Reply<protocol::OffsetCommitResponse> reply) {
  const ErrorCode error = runtime_.submit(request.group_id, [&](GroupShard& shard, Step& step) {
    shard.offsets().commit(step, origin, request, std::move(reply));
  });
  if (error != ErrorCode::none) reply(refuse_commit(request, error));
}

void GroupCoordinator::fetch_offsets(protocol::OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable,
                                     Reply<FetchedGroup> reply) {
  const ErrorCode error = runtime_.submit(request.group_id, [&](GroupShard& shard, Step& step) {
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
    error = runtime_.submit(request.group_id, [&](GroupShard& shard, Step& step) {
      shard.offsets().remove(step, request, std::move(reply));
    });
  }
  if (error == ErrorCode::none) return;
  protocol::OffsetDeleteResponse refused;
  refused.error_code = code_of(error);
  reply(std::move(refused));
}

void GroupCoordinator::delete_groups(std::int32_t partition, std::vector<std::string> group_ids,
                                     Reply<protocol::DeleteGroupsResponse> reply) {
  const auto found = runtime_.find(partition);
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
  const auto partition = runtime_.find(partition_for(group_id));
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
  for (const auto& partition : runtime_.led()) {
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
  for (const auto& partition : runtime_.led()) partition->look(reader);
}

}  // namespace barnabas::group
