// JoinGroup: who may become a member, and what its joining sets going.
#include <fmt/core.h>

#include <utility>

#include "broker/group/classic_groups.h"

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

namespace {

constexpr std::int16_t kFirstVersionWithKnownIds = 4;
constexpr std::int16_t kFirstVersionWithSkippedAssignment = 9;

JoinGroupResponse refusal(std::string member_id, ErrorCode error) {
  JoinGroupResponse response;
  response.member_id = std::move(member_id);
  response.error_code = code_of(error);
  return response;
}

/// What a member is told of the generation that runs, without the others' metadata.
JoinGroupResponse current_generation(const ClassicGroup& group, const std::string& member_id) {
  JoinGroupResponse response;
  response.member_id = member_id;
  response.generation_id = group.generation();
  response.protocol_type = group.protocol_type();
  response.protocol_name = group.protocol_name();
  response.leader = group.leader().value_or("");
  return response;
}

void add_members(const ClassicGroup& group, JoinGroupResponse& response) {
  for (const Member& member : group.members()) {
    auto& listed = response.members.emplace_back();
    listed.member_id = member.id;
    listed.group_instance_id = member.instance_id;
    listed.metadata = member.metadata(group.protocol_name().value_or(""));
  }
}

/// Java's text of a random UUID.
std::string random_uuid_text(runtime::Random& random) {
  constexpr std::uint64_t kVersion = 0x4000;
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;
  const std::uint64_t most = (random.next() & ~std::uint64_t{0xf000}) | kVersion;
  const std::uint64_t least = (random.next() & ~(std::uint64_t{3} << 62)) | kVariant;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", most >> 32, (most >> 16) & 0xffff, most & 0xffff,
                     least >> 48, least & 0xffffffffffff);
}

bool same_protocols(const ProtocolList& a, const ProtocolList& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].metadata != b[i].metadata) return false;
  }
  return true;
}

}  // namespace

void ClassicGroups::join(Step& step, const Origin& origin, JoinGroupRequest request, Reply<JoinGroupResponse> reply) {
  ClassicGroup* group = find(request.group_id);
  const bool is_new_group = group == nullptr;
  if (is_new_group && !request.member_id.empty()) {
    return step.answer(reply, refusal(request.member_id, ErrorCode::unknown_member_id));
  }
  if (is_new_group) group = &find_or_make(step, request.group_id);
  if (!accepts(*group, request.member_id)) {
    group->remove(request.member_id);
    step.answer(reply, refusal("", ErrorCode::group_max_size_reached));
  } else if (request.member_id.empty()) {
    join_new(step, origin, std::move(request), *group, std::move(reply));
  } else {
    join_existing(step, origin, std::move(request), *group, std::move(reply));
  }
  if (is_new_group && step.records.empty()) write_new_group(step, *group);
}

/// New members are taken up to group.max.size; while the group gathers, those count who are there.
bool ClassicGroups::accepts(ClassicGroup& group, const std::string& member_id) const {
  const auto most = static_cast<std::size_t>(settings_.max_size);
  const Member* member = group.member(member_id);
  switch (group.state()) {
    case GroupState::preparing_rebalance:
      return (member != nullptr && member->joining) || group.joining_count() < most;
    case GroupState::completing_rebalance:
    case GroupState::stable:
      return member != nullptr || group.size() < most;
    default:
      return true;
  }
}

/// So that the group is there for whoever asks, and after a restart, Kafka writes it down before anybody has joined.
void ClassicGroups::write_new_group(Step& step, const ClassicGroup& group) {
  protocol::GroupMetadataValue value;
  value.protocol.reset();
  value.leader.reset();
  value.current_state_timestamp = group.state_since_ms().value_or(-1);
  step.records.push_back(ClassicGroupRecord{group.id(), std::move(value)});
  step.replays = false;
  step.settle = [this, id = group.id()](Step& settled, ErrorCode error) {
    if (error != ErrorCode::none) drop(settled, id, answer_to_failed_append(error));
  };
}

void ClassicGroups::join_new(Step& step, const Origin& origin, JoinGroupRequest request, ClassicGroup& group,
                             Reply<JoinGroupResponse> reply) {
  if (!group.supports(request.protocol_type, request.protocols)) {
    return step.answer(reply, refusal("", ErrorCode::inconsistent_group_protocol));
  }
  std::string id = request.group_instance_id.value_or(origin.client_id) + '-' + random_uuid_text(random_);
  if (!request.group_instance_id) {
    if (origin.api_version >= kFirstVersionWithKnownIds) return give_member_id(step, request, group, id, reply);
    return add_member(step, origin, std::move(request), group, std::move(id), std::move(reply));
  }
  Member* incumbent = group.static_member(*request.group_instance_id);
  if (incumbent == nullptr) {
    return add_member(step, origin, std::move(request), group, std::move(id), std::move(reply));
  }
  replace_static_member(step, origin, std::move(request), group, *incumbent, std::move(id), std::move(reply));
}

/// KIP-394: a client that gets no answer and asks again must not become two members.
void ClassicGroups::give_member_id(Step& step, const JoinGroupRequest& request, ClassicGroup& group,
                                   std::string member_id, const Reply<JoinGroupResponse>& reply) {
  set_timer(step, group.add_pending(member_id).timer, request.session_timeout_ms);
  step.answer(reply, refusal(std::move(member_id), ErrorCode::member_id_required));
}

void ClassicGroups::add_member(Step& step, const Origin& origin, JoinGroupRequest request, ClassicGroup& group,
                               std::string member_id, Reply<JoinGroupResponse> reply) {
  if (group.is_in(GroupState::preparing_rebalance) && group.previous_state() == GroupState::empty) {
    group.had_new_member = true;
  }
  Member traits(group);
  traits.id = std::move(member_id);
  traits.instance_id = std::move(request.group_instance_id);
  traits.client_id = origin.client_id;
  traits.client_host = origin.client_host;
  traits.rebalance_timeout_ms = request.rebalance_timeout_ms;
  traits.session_timeout_ms = request.session_timeout_ms;
  traits.protocols = std::move(request.protocols);
  traits.is_new = true;
  Member& member = group.add(std::move(traits), request.protocol_type, std::move(reply));
  // It cannot send heartbeats before it knows its id; and a client that gave up and asks again would pile up members.
  set_session(step, member, settings_.new_member_join_timeout_ms);
  rebalance_or_complete(step, group);
}

void ClassicGroups::join_existing(Step& step, const Origin& origin, JoinGroupRequest request, ClassicGroup& group,
                                  Reply<JoinGroupResponse> reply) {
  const std::string id = request.member_id;
  if (!group.supports(request.protocol_type, request.protocols)) {
    return step.answer(reply, refusal(id, ErrorCode::inconsistent_group_protocol));
  }
  if (group.is_pending(id)) {
    // An id that was given to a client without an instance id.
    if (request.group_instance_id) return step.answer(reply, refusal(id, ErrorCode::unknown_server_error));
    return add_member(step, origin, std::move(request), group, id, std::move(reply));
  }
  if (const ErrorCode error = group.check_member(id, request.group_instance_id); error != ErrorCode::none) {
    JoinGroupResponse response = refusal(id, error);
    response.protocol_name.reset();
    return step.answer(reply, std::move(response));
  }
  rejoin(step, std::move(request), group, *group.member(id), std::move(reply));
}

void ClassicGroups::rejoin(Step& step, JoinGroupRequest request, ClassicGroup& group, Member& member,
                           Reply<JoinGroupResponse> reply) {
  const bool is_same = same_protocols(member.protocols, request.protocols);
  bool starts_over = true;
  if (group.is_in(GroupState::completing_rebalance)) {
    starts_over = !is_same;  // else it has only missed the answer
  } else if (group.is_in(GroupState::stable)) {
    // A leader that joins again wants a new assignment, for reasons that its metadata need not show.
    starts_over = group.is_leader(member.id) || !is_same;
  } else if (!group.is_in(GroupState::preparing_rebalance)) {
    return step.answer(reply, refusal(member.id, ErrorCode::unknown_member_id));
  }
  if (!starts_over) {
    JoinGroupResponse response = current_generation(group, member.id);
    if (group.is_leader(member.id)) add_members(group, response);
    return step.answer(reply, std::move(response));
  }
  group.update(member, std::move(request.protocols), request.rebalance_timeout_ms, request.session_timeout_ms,
               std::move(reply));
  rebalance_or_complete(step, group);
}

/// KIP-345: the new incarnation takes the old one's place, and in a stable group its assignment, without a rebalance.
void ClassicGroups::replace_static_member(Step& step, const Origin& origin, JoinGroupRequest request,
                                          ClassicGroup& group, Member& member, std::string new_id,
                                          Reply<JoinGroupResponse> reply) {
  JoinGroupResponse fenced = refusal(member.id, ErrorCode::fenced_instance_id);
  fenced.protocol_name.reset();
  group.answer_join(step, member, std::move(fenced));
  protocol::SyncGroupResponse fenced_sync;
  fenced_sync.error_code = code_of(ErrorCode::fenced_instance_id);
  group.answer_sync(step, member, std::move(fenced_sync));

  std::optional<std::string> old_leader = group.leader();
  auto revert = [&group, &member, old_id = member.id, old = member.protocols, was_new = member.is_new,
                 rebalance = member.rebalance_timeout_ms, session = member.session_timeout_ms](Step&) {
    group.rename(member, old_id);
    member.is_new = was_new;
    group.update(member, old, rebalance, session, nullptr);
  };
  group.rename(member, std::move(new_id));
  member.is_new = false;
  set_session(step, member, member.session_timeout_ms);
  group.update(member, std::move(request.protocols), request.rebalance_timeout_ms, request.session_timeout_ms,
               std::move(reply));
  if (group.is_in(GroupState::stable)) {
    if (group.protocol_name().value_or("") == group.select_protocol()) {
      return store_replacement(step, group, member, origin.api_version, std::move(old_leader), std::move(revert));
    }
    return rebalance_or_complete(step, group);
  }
  // The leader may be at work on an assignment for the old id.
  if (group.is_in(GroupState::completing_rebalance)) return prepare_rebalance(step, group);
  complete_join_if_ready(step, group);
}

void ClassicGroups::store_replacement(Step& step, ClassicGroup& group, Member& member, std::int16_t api_version,
                                      std::optional<std::string> old_leader, std::function<void(Step&)> revert) {
  step.records.push_back(ClassicGroupRecord{group.id(), group.to_record()});
  step.replays = false;
  step.settle = [&group, &member, api_version, leader = std::move(old_leader), undo = std::move(revert)](
                    Step& settled, ErrorCode error) {
    JoinGroupResponse response = current_generation(group, member.id);
    if (error != ErrorCode::none) {
      response.member_id.clear();
      response.leader = leader.value_or("");
      response.error_code = code_of(answer_to_failed_append(error));
      group.answer_join(settled, member, std::move(response));
      return undo(settled);
    }
    if (api_version < kFirstVersionWithSkippedAssignment) {
      // An older client that finds itself the leader would assign anew, which a stable group does not hand out.
      response.leader = leader.value_or("");
    } else if (group.is_leader(member.id)) {
      response.skip_assignment = true;  // KIP-814
      add_members(group, response);
    }
    group.answer_join(settled, member, std::move(response));
  };
}

/// The generation begins: everybody is told, the leader of all members too. Theirs to send is SyncGroup.
void ClassicGroups::announce_generation(Step& step, ClassicGroup& group) {
  for (Member& member : group.members()) {
    JoinGroupResponse response = current_generation(group, member.id);
    if (group.is_leader(member.id)) add_members(group, response);
    group.answer_join(step, member, std::move(response));
    set_session(step, member, member.session_timeout_ms);
    member.is_new = false;
    group.set_owes_sync(member, true);
  }
  set_timer(step, group.sync_timer, group.rebalance_timeout_ms());
}

}  // namespace barnabas::group
