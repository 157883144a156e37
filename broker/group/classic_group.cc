#include "broker/group/classic_group.h"

#include <algorithm>
#include <utility>

#include "common/bytes/reader.h"
#include "common/protocol/messages/consumer_protocol_subscription.h"

namespace barnabas::group {

using protocol::ErrorCode;
using protocol::GroupMetadataValue;
using protocol::JoinGroupResponse;
using protocol::SyncGroupResponse;
using Topics = std::set<std::string, std::less<>>;

std::string_view to_string(GroupState state) noexcept {
  switch (state) {
    case GroupState::empty:
      return "Empty";
    case GroupState::preparing_rebalance:
      return "PreparingRebalance";
    case GroupState::completing_rebalance:
      return "CompletingRebalance";
    case GroupState::stable:
      return "Stable";
    case GroupState::dead:
      break;
  }
  return "Dead";
}

const Bytes& Member::metadata(std::string_view protocol) const {
  static const Bytes kNone;
  for (const auto& one : protocols) {
    if (one.name == protocol) return one.metadata;
  }
  return kNone;
}

const std::string* Member::vote(const Topics& candidates) const {
  for (const auto& one : protocols) {
    if (candidates.count(one.name) != 0) return &one.name;
  }
  return nullptr;
}

ClassicGroup::ClassicGroup(std::string id, std::int64_t wall_ms) : id_(std::move(id)), state_since_ms_(wall_ms) {}

void ClassicGroup::transition_to(GroupState state, std::int64_t wall_ms) {
  previous_state_ = std::exchange(state_, state);
  state_since_ms_ = wall_ms;
}

Member* ClassicGroup::member(const std::string& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

Member* ClassicGroup::static_member(const std::string& instance_id) {
  const auto found = by_instance_id_.find(instance_id);
  return found == by_instance_id_.end() ? nullptr : found->second;
}

PendingMember& ClassicGroup::add_pending(const std::string& member_id) {
  return pending_.try_emplace(member_id, *this).first->second;
}

const std::string* ClassicGroup::pending_of(const GroupTimer& timer) const {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [&](const auto& one) { return &one.second.timer == &timer; });
  return found == pending_.end() ? nullptr : &found->first;
}

Member& ClassicGroup::add(Member&& traits, const std::string& protocol_type, Reply<JoinGroupResponse> joining) {
  if (members_.empty()) protocol_type_ = protocol_type;
  Member& member = members_.emplace_back(*this);
  member.id = std::move(traits.id);
  member.instance_id = std::move(traits.instance_id);
  member.client_id = std::move(traits.client_id);
  member.client_host = std::move(traits.client_host);
  member.rebalance_timeout_ms = traits.rebalance_timeout_ms;
  member.session_timeout_ms = traits.session_timeout_ms;
  member.protocols = std::move(traits.protocols);
  member.assignment = std::move(traits.assignment);
  member.is_new = traits.is_new;
  member.joining = std::move(joining);
  if (member.joining) ++joining_count_;
  if (!leader_) leader_ = member.id;
  by_id_[member.id] = std::prev(members_.end());
  if (member.instance_id) by_instance_id_[*member.instance_id] = &member;
  count_protocols(member, 1);
  pending_.erase(member.id);
  return member;
}

void ClassicGroup::remove(const std::string& member_id) {
  pending_.erase(member_id);
  const auto found = by_id_.find(member_id);
  if (found == by_id_.end()) return;
  const auto member = found->second;
  count_protocols(*member, -1);
  if (member->joining) --joining_count_;
  set_owes_sync(*member, false);
  if (member->instance_id) by_instance_id_.erase(*member->instance_id);
  const bool was_leader = is_leader(member->id);
  by_id_.erase(found);
  members_.erase(member);
  if (!was_leader) return;
  leader_.reset();
  if (!members_.empty()) leader_ = members_.front().id;
}

void ClassicGroup::rename(Member& member, std::string new_id) {
  const auto place = by_id_.at(member.id);
  by_id_.erase(member.id);
  by_id_[new_id] = place;
  if (is_leader(member.id)) leader_ = new_id;
  member.id = std::move(new_id);
}

void ClassicGroup::update(Member& member, ProtocolList protocols, std::int32_t rebalance_timeout_ms,
                          std::int32_t session_timeout_ms, Reply<JoinGroupResponse> joining) {
  count_protocols(member, -1);
  member.protocols = std::move(protocols);
  count_protocols(member, 1);
  member.rebalance_timeout_ms = rebalance_timeout_ms;
  member.session_timeout_ms = session_timeout_ms;
  if (joining && !member.joining) ++joining_count_;
  if (!joining && member.joining) --joining_count_;
  member.joining = std::move(joining);
}

void ClassicGroup::set_owes_sync(Member& member, bool owes) {
  if (member.owes_sync == owes) return;
  member.owes_sync = owes;
  owes ? ++owing_sync_count_ : --owing_sync_count_;
}

bool ClassicGroup::answer_join(Step& step, Member& member, JoinGroupResponse response) {
  if (!member.joining) return false;
  step.answer(std::exchange(member.joining, nullptr), std::move(response));
  --joining_count_;
  return true;
}

bool ClassicGroup::answer_sync(Step& step, Member& member, SyncGroupResponse response) {
  if (!member.syncing) return false;
  step.answer(std::exchange(member.syncing, nullptr), std::move(response));
  return true;
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const Member& member : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

void ClassicGroup::count_protocols(const Member& member, int difference) {
  // A name that is listed twice counts once, as in Kafka's set of them.
  Topics seen;
  for (const auto& one : member.protocols) {
    if (seen.insert(one.name).second) supporters_[one.name] += static_cast<std::size_t>(difference);
  }
  std::erase_if(supporters_, [](const auto& one) { return one.second == 0; });
}

Topics ClassicGroup::common_protocols() const {
  Topics common;
  for (const auto& [name, count] : supporters_) {
    if (count == members_.size()) common.insert(name);
  }
  return common;
}

bool ClassicGroup::supports(std::string_view protocol_type, const ProtocolList& protocols) const {
  if (is_in(GroupState::empty)) return !protocol_type.empty() && !protocols.empty();
  if (!protocol_type_ || *protocol_type_ != protocol_type) return false;
  return std::any_of(protocols.begin(), protocols.end(), [this](const auto& one) {
    const auto found = supporters_.find(one.name);
    return (found == supporters_.end() ? 0 : found->second) == members_.size();
  });
}

std::string ClassicGroup::select_protocol() const {
  const Topics candidates = common_protocols();
  std::vector<std::pair<const std::string*, std::size_t>> votes;  // in the order of the first vote for each
  for (const Member& member : members_) {
    const std::string* choice = member.vote(candidates);
    if (choice == nullptr) continue;
    const auto counted =
        std::find_if(votes.begin(), votes.end(), [choice](const auto& one) { return *one.first == *choice; });
    counted == votes.end() ? static_cast<void>(votes.emplace_back(choice, 1)) : static_cast<void>(++counted->second);
  }
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? std::string() : *most->first;
}

bool ClassicGroup::elect_joined_leader() {
  if (!leader_) return false;
  const Member* current = member(*leader_);
  if (current != nullptr && current->joining) return true;
  const auto joined =
      std::find_if(members_.begin(), members_.end(), [](const Member& one) { return static_cast<bool>(one.joining); });
  if (joined == members_.end()) return false;
  leader_ = joined->id;
  return true;
}

void ClassicGroup::begin_generation(std::int64_t wall_ms) {
  ++generation_;
  if (members_.empty()) {
    protocol_name_.reset();
  } else {
    protocol_name_ = select_protocol();
  }
  subscribed_topics_ = read_subscriptions();
  transition_to(members_.empty() ? GroupState::empty : GroupState::completing_rebalance, wall_ms);
  for (Member& one : members_) set_owes_sync(one, false);
}

ErrorCode ClassicGroup::check_member(const std::string& member_id, const std::optional<std::string>& instance_id) {
  if (instance_id) {
    const Member* owner = static_member(*instance_id);
    if (owner == nullptr) return ErrorCode::unknown_member_id;
    if (owner->id != member_id) return ErrorCode::fenced_instance_id;
  }
  return member(member_id) == nullptr ? ErrorCode::unknown_member_id : ErrorCode::none;
}

bool ClassicGroup::is_subscribed_to(std::string_view topic) const {
  return subscribed_topics_ ? subscribed_topics_->count(topic) != 0 : uses_consumer_protocol();
}

std::optional<Topics> ClassicGroup::read_subscriptions() const {
  if (!uses_consumer_protocol()) return std::nullopt;
  Topics topics;
  if (members_.empty()) return topics;
  if (!protocol_name_) return std::nullopt;
  for (const Member& one : members_) {
    Reader in(one.metadata(*protocol_name_));
    // Version 0 is how every version begins, those to come too.
    const std::int16_t version = in.int16();
    auto read = protocol::ConsumerProtocolSubscription::decode(in, 0);
    if (in.failed() || version < 0 || !read) return std::nullopt;
    topics.insert(std::make_move_iterator(read->topics.begin()), std::make_move_iterator(read->topics.end()));
  }
  return topics;
}

GroupMetadataValue ClassicGroup::to_record() const {
  GroupMetadataValue value;
  value.protocol_type = protocol_type_.value_or("");
  value.generation = generation_;
  value.protocol = protocol_name_;
  value.leader = leader_;
  value.current_state_timestamp = state_since_ms_.value_or(-1);
  for (const Member& one : members_) {
    GroupMetadataValue::MemberMetadata& written = value.members.emplace_back();
    written.member_id = one.id;
    written.group_instance_id = one.instance_id;
    written.client_id = one.client_id;
    written.client_host = one.client_host;
    written.rebalance_timeout = one.rebalance_timeout_ms;
    written.session_timeout = one.session_timeout_ms;
    written.subscription = one.metadata(protocol_name_.value_or(""));
    written.assignment = one.assignment;
  }
  return value;
}

void ClassicGroup::restore(const GroupMetadataValue& value) {
  for (const auto& written : value.members) {
    Member traits(*this);
    traits.id = written.member_id;
    traits.instance_id = written.group_instance_id;
    traits.client_id = written.client_id;
    traits.client_host = written.client_host;
    traits.rebalance_timeout_ms = written.rebalance_timeout == -1 ? written.session_timeout : written.rebalance_timeout;
    traits.session_timeout_ms = written.session_timeout;
    auto& known = traits.protocols.emplace_back();
    known.name = value.protocol.value_or("");
    known.metadata = written.subscription;
    traits.assignment = written.assignment;
    add(std::move(traits), value.protocol_type, nullptr);
  }
  state_ = members_.empty() ? GroupState::empty : GroupState::stable;
  generation_ = value.generation;
  if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
  protocol_name_ = value.protocol;
  leader_ = value.leader;
  state_since_ms_.reset();
  if (value.current_state_timestamp != -1) state_since_ms_ = value.current_state_timestamp;
  subscribed_topics_ = read_subscriptions();
}

}  // namespace barnabas::group
