// SyncGroup, Heartbeat and LeaveGroup; and what can be read of a group.
#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <utility>

#include "broker/group/classic_groups.h"

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using Described = protocol::DescribeGroupsResponse::DescribedGroup;
using Listed = protocol::ListGroupsResponse::ListedGroup;

namespace {

constexpr std::int16_t kFirstVersionThatTellsAbsence = 6;

SyncGroupResponse refusal(ErrorCode error) {
  SyncGroupResponse response;
  response.error_code = code_of(error);
  return response;
}

bool differ(const std::optional<std::string>& asked, const std::optional<std::string>& ours) {
  return asked && ours && *asked != *ours;
}

}  // namespace

std::string filter_text(std::string_view text) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

ErrorCode ClassicGroups::check_sync(ClassicGroup& group, const SyncGroupRequest& request) const {
  const ErrorCode member = group.check_member(request.member_id, request.group_instance_id);
  if (member != ErrorCode::none) return member;
  if (request.generation_id != group.generation()) return ErrorCode::illegal_generation;
  if (differ(request.protocol_type, group.protocol_type()) || differ(request.protocol_name, group.protocol_name())) {
    return ErrorCode::inconsistent_group_protocol;
  }
  return ErrorCode::none;
}

void ClassicGroups::sync(Step& step, SyncGroupRequest request, Reply<SyncGroupResponse> reply) {
  ClassicGroup* group = find(request.group_id);
  if (group == nullptr || group->is_in(GroupState::empty)) {
    return step.answer(reply, refusal(ErrorCode::unknown_member_id));
  }
  if (const ErrorCode error = check_sync(*group, request); error != ErrorCode::none) {
    return step.answer(reply, refusal(error));
  }
  if (group->is_in(GroupState::preparing_rebalance)) {
    return step.answer(reply, refusal(ErrorCode::rebalance_in_progress));
  }
  Member& member = *group->member(request.member_id);
  note_sync(*group, member);
  if (group->is_in(GroupState::stable)) {
    SyncGroupResponse response;
    response.protocol_type = group->protocol_type();
    response.protocol_name = group->protocol_name();
    response.assignment = member.assignment;
    return step.answer(reply, std::move(response));
  }
  // A client that asks again has given the first question up.
  group->answer_sync(step, member, refusal(ErrorCode::rebalance_in_progress));
  member.syncing = std::move(reply);
  if (group->is_leader(member.id)) store_assignment(step, *group, std::move(request));
}

void ClassicGroups::note_sync(ClassicGroup& group, Member& member) {
  group.set_owes_sync(member, false);
  if (group.have_all_synced()) group.sync_timer.cancel();
}

/// The leader has decided: once that is in the log, everybody gets its part, and the group is stable.
void ClassicGroups::store_assignment(Step& step, ClassicGroup& group, SyncGroupRequest request) {
  std::unordered_map<std::string, Bytes> assignments;
  for (auto& one : request.assignments) assignments[std::move(one.member_id)] = std::move(one.assignment);
  protocol::GroupMetadataValue value = group.to_record();
  for (auto& member : value.members) {
    const auto found = assignments.find(member.member_id);
    member.assignment = found == assignments.end() ? Bytes() : std::move(found->second);
  }
  step.records.push_back(ClassicGroupRecord{group.id(), value});
  step.replays = false;
  step.settle = [this, &group, stored = std::move(value)](Step& settled, ErrorCode error) {
    if (error != ErrorCode::none) {
      for (Member& member : group.members()) member.assignment.clear();
      propagate(settled, group, answer_to_failed_append(error));
      return prepare_rebalance(settled, group);
    }
    auto assigned = stored.members.begin();
    for (Member& member : group.members()) member.assignment = (assigned++)->assignment;
    group.transition_to(GroupState::stable, settled.wall_ms);
    ++rebalances_;
    propagate(settled, group, ErrorCode::none);
  };
}

HeartbeatResponse ClassicGroups::heartbeat(Step& step, const HeartbeatRequest& request) {
  HeartbeatResponse response;
  const auto answer = [&response](ErrorCode error) {
    response.error_code = code_of(error);
    return response;
  };
  ClassicGroup* group = find(request.group_id);
  if (group == nullptr) return answer(ErrorCode::unknown_member_id);
  const ErrorCode error = group->check_member(request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return answer(error);
  if (request.generation_id != group->generation()) return answer(ErrorCode::illegal_generation);
  refresh_session(step, *group->member(request.member_id));
  return answer(group->is_in(GroupState::preparing_rebalance) ? ErrorCode::rebalance_in_progress : ErrorCode::none);
}

void ClassicGroups::leave(Step& step, const LeaveGroupRequest& request, Reply<LeaveGroupResponse> reply) {
  LeaveGroupResponse response;
  ClassicGroup* group = find(request.group_id);
  bool has_left = false;
  for (const auto& identity : request.members) {
    auto& left = response.members.emplace_back();
    left.member_id = identity.member_id;
    left.group_instance_id = identity.group_instance_id;
    const ErrorCode error = group == nullptr ? ErrorCode::unknown_member_id : leave_one(step, *group, identity);
    left.error_code = code_of(error);
    has_left = has_left || error == ErrorCode::none;
  }
  if (has_left && !group->is_in(GroupState::empty)) rebalance_or_complete(step, *group);
  if (step.records.empty()) return step.answer(reply, std::move(response));
  step.settle = [reply = std::move(reply), answer = std::move(response)](Step& settled, ErrorCode error) mutable {
    // They have left whatever the log says: nobody waits for them any more.
    if (error != ErrorCode::none) answer.error_code = code_of(answer_to_failed_append(error));
    settled.answer(std::move(reply), std::move(answer));
  };
}

ErrorCode ClassicGroups::leave_one(Step& step, ClassicGroup& group, const LeaveGroupRequest::MemberIdentity& identity) {
  const std::string& id = identity.member_id;
  Member* member = nullptr;
  if (id.empty()) {  // an administrator's word on a static member
    if (identity.group_instance_id) member = group.static_member(*identity.group_instance_id);
    if (member == nullptr) return ErrorCode::unknown_member_id;
  } else if (group.is_pending(id)) {
    group.remove(id);
    return ErrorCode::none;
  } else {
    const ErrorCode error = group.check_member(id, identity.group_instance_id);
    if (error != ErrorCode::none) return error;
    member = group.member(id);
  }
  protocol::JoinGroupResponse unknown;
  unknown.error_code = code_of(ErrorCode::unknown_member_id);
  group.answer_join(step, *member, std::move(unknown));
  group.answer_sync(step, *member, refusal(ErrorCode::unknown_member_id));
  group.remove(std::string(member->id));
  return ErrorCode::none;
}

/// It has failed; the others go on without it.
void ClassicGroups::remove_member(Step& step, ClassicGroup& group, Member& member) {
  protocol::JoinGroupResponse unknown;
  unknown.error_code = code_of(ErrorCode::unknown_member_id);
  group.answer_join(step, member, std::move(unknown));
  group.remove(std::string(member.id));
  if (group.is_in(GroupState::stable) || group.is_in(GroupState::completing_rebalance)) {
    prepare_rebalance(step, group);
  } else if (group.is_in(GroupState::preparing_rebalance) && group.have_all_joined()) {
    complete_join(step, group);
  }
}

Described ClassicGroups::describe(const std::string& group_id, std::int16_t version) const {
  Described described;
  described.group_id = group_id;
  const ClassicGroup* group = find(group_id);
  if (group == nullptr) {
    described.group_state = to_string(GroupState::dead);
    if (version >= kFirstVersionThatTellsAbsence) {
      described.error_code = code_of(ErrorCode::group_id_not_found);
      described.error_message = "Group " + group_id + " not found.";
    }
    return described;
  }
  const bool is_stable = group->is_in(GroupState::stable);
  described.group_state = to_string(group->state());
  described.protocol_type = group->protocol_type().value_or("");
  if (is_stable) described.protocol_data = group->protocol_name().value_or("");
  for (const Member& member : group->members()) {
    auto& listed = described.members.emplace_back();
    listed.member_id = member.id;
    listed.group_instance_id = member.instance_id;
    listed.client_id = member.client_id;
    listed.client_host = member.client_host;
    listed.member_assignment = member.assignment;
    if (is_stable) listed.member_metadata = member.metadata(described.protocol_data);
  }
  return described;
}

void ClassicGroups::list(const std::vector<std::string>& states, std::vector<Listed>& out) const {
  for (const auto& [id, group] : groups_) {
    const std::string state(to_string(group->state()));
    if (!states.empty() && std::find(states.begin(), states.end(), filter_text(state)) == states.end()) continue;
    Listed& listed = out.emplace_back();
    listed.group_id = id;
    listed.protocol_type = group->protocol_type().value_or("");
    listed.group_state = state;
    listed.group_type = "classic";
  }
}

}  // namespace barnabas::group
