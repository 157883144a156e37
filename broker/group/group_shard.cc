#include "broker/group/group_shard.h"

#include <chrono>
#include <utility>

namespace barnabas::group {

using protocol::code_of;
using protocol::DeleteGroupsResponse;
using protocol::ErrorCode;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

GroupShard::GroupShard(const GroupSettings& settings, runtime::Random& random, runtime::MonotonicTime start)
    : settings_(settings), timers_(start), groups_(settings, random, timers_), offsets_(settings, groups_) {}

void GroupShard::join(Step& step, const Origin& origin, JoinGroupRequest request, Reply<JoinGroupResponse> reply) {
  if (!is_foreign(request.group_id)) return groups_.join(step, origin, std::move(request), std::move(reply));
  JoinGroupResponse response;
  response.error_code = code_of(ErrorCode::inconsistent_group_protocol);
  step.answer(reply, std::move(response));
}

void GroupShard::delete_groups(Step& step, const std::vector<std::string>& group_ids,
                               Reply<DeleteGroupsResponse> reply) {
  DeleteGroupsResponse response;
  for (const std::string& id : group_ids) {
    auto& result = response.results.emplace_back();
    result.group_id = id;
    const ClassicGroup* group = groups_.find(id);
    if (group == nullptr || is_foreign(id)) {
      result.error_code = code_of(ErrorCode::group_id_not_found);
    } else if (!group->is_in(GroupState::empty)) {
      result.error_code = code_of(ErrorCode::non_empty_group);
    } else {
      offsets_.remove_all(step, id);
      step.records.push_back(ClassicGroupRecord{id, {}});
    }
  }
  step.settle = [reply = std::move(reply), answer = std::move(response)](Step& settled, ErrorCode failed) mutable {
    for (auto& result : answer.results) {
      if (failed != ErrorCode::none) result.error_code = code_of(answer_to_failed_append(failed));
    }
    settled.answer(std::move(reply), std::move(answer));
  };
}

void GroupShard::on_topics_deleted(Step& step, const std::set<std::string, std::less<>>& topics) {
  step.is_atomic = false;
  offsets_.on_topics_deleted(step, topics);
}

void GroupShard::replay(std::int64_t offset, std::int64_t producer_id, OffsetRecord record, std::int64_t wall_ms) {
  if (record.value && groups_.find(record.group) == nullptr && !is_foreign(record.group)) {
    groups_.replay({record.group, protocol::GroupMetadataValue{.protocol = std::nullopt, .leader = std::nullopt}},
                   wall_ms);
  }
  offsets_.store().replay(offset, producer_id, std::move(record));
}

void GroupShard::replay(std::int64_t /*offset*/, std::int64_t /*producer_id*/, const ClassicGroupRecord& record,
                        std::int64_t wall_ms) {
  groups_.replay(record, wall_ms);
}

void GroupShard::replay(std::int64_t /*offset*/, std::int64_t /*producer_id*/, const ForeignRecord& record,
                        std::int64_t /*wall_ms*/) {
  if (!record.is_tombstone) {
    foreign_[record.group].insert(record.key);
    return;
  }
  const auto known = foreign_.find(record.group);
  if (known == foreign_.end()) return;
  known->second.erase(record.key);
  if (known->second.empty()) foreign_.erase(known);
}

void GroupShard::replay_end_of_transaction(std::int64_t producer_id, bool is_commit) {
  offsets_.store().end_transaction(producer_id, is_commit);
}

void GroupShard::on_loaded(Step& step) {
  groups_.on_loaded(step);
  set_expiry_timer(step);
}

void GroupShard::on_unloaded(Step& step) {
  expiry_timer_.cancel();
  groups_.on_unloaded(step);
}

std::string GroupShard::contents() const {
  return std::to_string(groups_.all().size()) + " groups and " + std::to_string(offsets_.store().size()) + " offsets";
}

void GroupShard::set_expiry_timer(const Step& step) {
  timers_.set(expiry_timer_, step.now + std::chrono::milliseconds(settings_.offsets_retention_check_interval_ms));
}

bool GroupShard::on_time(Step& step) {
  coordinator::TimerWheel::Timer* timer = timers_.take_due(step.now);
  if (timer == nullptr) return false;
  if (timer == &expiry_timer_) {
    expire(step);
  } else {
    groups_.on_timer(step, static_cast<GroupTimer&>(*timer));
  }
  return true;
}

/// Offsets whose time is over, and groups that have neither members nor offsets left.
void GroupShard::expire(Step& step) {
  step.is_atomic = false;
  for (const auto& [id, group] : groups_.all()) {
    if (is_foreign(id)) continue;
    const bool has_nothing_left = offsets_.expire(step, *group);
    const bool has_nobody = group->is_in(GroupState::empty) && !group->has_pending();
    if (has_nothing_left && has_nobody) step.records.push_back(ClassicGroupRecord{id, {}});
  }
  set_expiry_timer(step);
}

}  // namespace barnabas::group
