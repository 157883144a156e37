// How a generation ends and the next one begins, and what happens when time runs out.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "broker/group/classic_groups.h"

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::JoinGroupResponse;
using protocol::SyncGroupResponse;

namespace {

constexpr std::int32_t kLeastWaitMs = 1000;  // for sessions to end: a member may have given a rebalance no time at all

}  // namespace

ClassicGroup* ClassicGroups::find(const std::string& group_id) const {
  const auto found = groups_.find(group_id);
  return found == groups_.end() ? nullptr : found->second.get();
}

ClassicGroup& ClassicGroups::find_or_make(Step& step, const std::string& group_id) {
  std::unique_ptr<ClassicGroup>& group = groups_[group_id];
  if (!group) group = std::make_unique<ClassicGroup>(group_id, step.wall_ms);
  return *group;
}

void ClassicGroups::set_timer(const Step& step, GroupTimer& timer, std::int32_t timeout_ms) {
  timers_.set(timer, step.now + std::chrono::milliseconds(timeout_ms));
}

void ClassicGroups::set_session(const Step& step, Member& member, std::int32_t timeout_ms) {
  set_timer(step, member.session, timeout_ms);
}

void ClassicGroups::rebalance_or_complete(Step& step, ClassicGroup& group) {
  if (group.is_in(GroupState::preparing_rebalance)) return complete_join_if_ready(step, group);
  prepare_rebalance(step, group);
}

void ClassicGroups::prepare_rebalance(Step& step, ClassicGroup& group) {
  if (group.is_in(GroupState::completing_rebalance)) {
    for (Member& member : group.members()) member.assignment.clear();
    propagate(step, group, ErrorCode::rebalance_in_progress);
  }
  for (Member& member : group.members()) group.set_owes_sync(member, false);
  group.sync_timer.cancel();
  const bool is_first = group.is_in(GroupState::empty);
  group.transition_to(GroupState::preparing_rebalance, step.wall_ms);
  if (!is_first) {
    group.is_initial_delay = false;
    if (group.have_all_joined()) return complete_join(step, group);
    return set_timer(step, group.join_timer, group.rebalance_timeout_ms());
  }
  // The group is new: its other members are about to come.
  group.is_initial_delay = true;
  group.had_new_member = false;
  group.initial_delay_ms = settings_.initial_rebalance_delay_ms;
  group.initial_delay_left_ms = std::max(group.rebalance_timeout_ms() - group.initial_delay_ms, 0);
  // A delay of none is a timer too: this step may have made the group, and may still fail.
  set_timer(step, group.join_timer, group.initial_delay_ms);
}

/// While members come the delay begins again, for a rebalance timeout at most.
void ClassicGroups::end_initial_delay(Step& step, ClassicGroup& group) {
  if (!group.had_new_member || group.initial_delay_left_ms == 0) return complete_join(step, group);
  group.had_new_member = false;
  const std::int32_t delay = std::min(settings_.initial_rebalance_delay_ms, group.initial_delay_left_ms);
  group.initial_delay_left_ms = std::max(group.initial_delay_left_ms - group.initial_delay_ms, 0);
  group.initial_delay_ms = delay;
  set_timer(step, group.join_timer, delay);
}

void ClassicGroups::complete_join_if_ready(Step& step, ClassicGroup& group) {
  if (!group.is_in(GroupState::preparing_rebalance)) return;
  if (group.previous_state() == GroupState::empty) return;  // the initial delay ends it
  if (group.have_all_joined()) complete_join(step, group);
}

/// Who has not joined by now is gone, but for static members: those have until their session ends.
void ClassicGroups::complete_join(Step& step, ClassicGroup& group) {
  group.join_timer.cancel();
  std::vector<std::string> gone;
  for (const Member& member : group.members()) {
    if (!member.joining && !member.instance_id) gone.push_back(member.id);
  }
  for (const std::string& id : gone) group.remove(id);
  if (!group.elect_joined_leader() && group.size() > 0) {
    // Only static members are left, and none has joined: their sessions decide.
    group.is_initial_delay = false;
    return set_timer(step, group.join_timer, std::max(group.rebalance_timeout_ms(), kLeastWaitMs));
  }
  group.begin_generation(step.wall_ms);
  if (group.is_in(GroupState::completing_rebalance)) return announce_generation(step, group);
  // Should this not be stored, the generation before comes back with a restart, and its members' sessions end there.
  step.records.push_back(ClassicGroupRecord{group.id(), group.to_record()});
  step.replays = false;
}

void ClassicGroups::on_timer(Step& step, GroupTimer& timer) {
  ClassicGroup& group = timer.group;
  switch (timer.kind) {
    case TimerKind::session:
      return expire_session(step, group, *timer.member);
    case TimerKind::pending:
      if (const std::string* id = group.pending_of(timer)) group.remove(std::string(*id));
      if (group.is_in(GroupState::preparing_rebalance) && group.have_all_joined()) complete_join(step, group);
      return;
    case TimerKind::join:
      return group.is_initial_delay ? end_initial_delay(step, group) : complete_join(step, group);
    case TimerKind::sync:
      return expire_sync(step, group);
  }
}

void ClassicGroups::expire_session(Step& step, ClassicGroup& group, Member& member) {
  if (!member.has_satisfied_heartbeat()) remove_member(step, group, member);
}

/// Whoever has not fetched its assignment within a rebalance timeout cannot be waited for.
void ClassicGroups::expire_sync(Step& step, ClassicGroup& group) {
  if (!group.is_in(GroupState::completing_rebalance) && !group.is_in(GroupState::stable)) return;
  if (group.have_all_synced()) return;
  std::vector<std::string> gone;
  for (const Member& member : group.members()) {
    if (member.owes_sync) gone.push_back(member.id);
  }
  for (const std::string& id : gone) group.remove(id);
  prepare_rebalance(step, group);
}

/// Answers all that wait in SyncGroup: with their assignment, or with the error.
void ClassicGroups::propagate(Step& step, ClassicGroup& group, ErrorCode error) {
  for (Member& member : group.members()) {
    SyncGroupResponse response;
    response.error_code = code_of(error);
    response.assignment = member.assignment;
    if (error == ErrorCode::none) {
      response.protocol_type = group.protocol_type();
      response.protocol_name = group.protocol_name();
    }
    // While it waited its session could end without effect.
    if (group.answer_sync(step, member, std::move(response))) set_session(step, member, member.session_timeout_ms);
  }
}

/// A group that could not be written down was never there.
void ClassicGroups::drop(Step& step, const std::string& group_id, ErrorCode why) {
  const auto found = groups_.find(group_id);
  if (found == groups_.end()) return;
  for (Member& member : found->second->members()) {
    JoinGroupResponse response;
    response.error_code = code_of(why);
    found->second->answer_join(step, member, std::move(response));
  }
  groups_.erase(found);
}

void ClassicGroups::replay(const ClassicGroupRecord& record, std::int64_t wall_ms) {
  groups_.erase(record.group);
  if (!record.value) return;
  auto group = std::make_unique<ClassicGroup>(record.group, wall_ms);
  group->restore(*record.value);
  groups_[record.group] = std::move(group);
}

void ClassicGroups::on_loaded(Step& step) {
  for (const auto& [id, group] : groups_) {
    for (Member& member : group->members()) set_session(step, member, member.session_timeout_ms);
    // group.max.size was lowered meanwhile: they join again, and some are not taken.
    if (group->size() > static_cast<std::size_t>(settings_.max_size)) prepare_rebalance(step, *group);
  }
}

void ClassicGroups::on_unloaded(Step& step) {
  for (const auto& [id, group] : groups_) {
    for (Member& member : group->members()) {
      JoinGroupResponse join;
      join.member_id = member.id;
      join.error_code = code_of(ErrorCode::not_coordinator);
      group->answer_join(step, member, std::move(join));
      SyncGroupResponse sync;
      sync.error_code = code_of(ErrorCode::not_coordinator);
      group->answer_sync(step, member, std::move(sync));
    }
  }
  groups_.clear();
}

}  // namespace barnabas::group
