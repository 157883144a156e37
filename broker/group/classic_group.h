#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/coordinator/timer_wheel.h"
#include "broker/group/group_records.h"
#include "broker/group/step.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/sync_group.h"

namespace barnabas::group {

class ClassicGroup;
struct Member;

enum class GroupState { empty, preparing_rebalance, completing_rebalance, stable, dead };

/// "Empty", "PreparingRebalance" and so on, as Kafka's tools print it.
std::string_view to_string(GroupState state) noexcept;

enum class TimerKind {
  session,  ///< A member has not been heard of for its session timeout.
  pending,  ///< A client was given a member id and has not come back with it.
  join,     ///< Members have had time enough to join: the initial delay, or the rebalance timeout.
  sync,     ///< The same for SyncGroup.
};

struct GroupTimer : coordinator::TimerWheel::Timer {
  GroupTimer(TimerKind its_kind, ClassicGroup& its_group, Member* its_member = nullptr)
      : kind(its_kind), group(its_group), member(its_member) {}

  const TimerKind kind;
  ClassicGroup& group;
  Member* const member;
};

using ProtocolList = std::vector<protocol::JoinGroupRequest::JoinGroupRequestProtocol>;

/// One member of a classic group.
struct Member {
  explicit Member(ClassicGroup& group) : session(TimerKind::session, group, this) {}

  /// What it said of itself for this protocol; empty where it does not know the protocol.
  const Bytes& metadata(std::string_view protocol) const;
  /// The first of its protocols that all others know as well.
  const std::string* vote(const std::set<std::string, std::less<>>& candidates) const;
  /// While it waits for us it need not be heard of; but who has just joined may have gone without a word.
  bool has_satisfied_heartbeat() const { return !is_new && (joining || syncing); }

  std::string id;
  std::optional<std::string> instance_id;  ///< group.instance.id: a static member.
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  ProtocolList protocols;  ///< In its order of preference.
  Bytes assignment;
  Reply<protocol::JoinGroupResponse> joining;  ///< Set while it waits for the others to join.
  Reply<protocol::SyncGroupResponse> syncing;  ///< Set while it waits for the leader's assignment.
  bool is_new = false;                         ///< Its first JoinGroup is not answered yet.
  bool owes_sync = false;                      ///< It was told of this generation and has not sent SyncGroup.
  GroupTimer session;
};

/// A client that was given an id (KIP-394) and is no member before it comes back with it.
struct PendingMember {
  explicit PendingMember(ClassicGroup& group) : timer(TimerKind::pending, group) {}
  GroupTimer timer;
};

/// Membership, generation and protocol of one group of the classic protocol: what it is, and what follows from that
/// alone. When it changes is ClassicGroups' business.
/// Threads: its shard's.  Source: Kafka's ClassicGroup.
class ClassicGroup {
 public:
  ClassicGroup(std::string id, std::int64_t wall_ms);
  ClassicGroup(const ClassicGroup&) = delete;
  ClassicGroup& operator=(const ClassicGroup&) = delete;

  const std::string& id() const noexcept { return id_; }
  GroupState state() const noexcept { return state_; }
  GroupState previous_state() const noexcept { return previous_state_; }
  bool is_in(GroupState state) const noexcept { return state_ == state; }
  void transition_to(GroupState state, std::int64_t wall_ms);
  /// When it came into its state; absent in records of old.
  std::optional<std::int64_t> state_since_ms() const noexcept { return state_since_ms_; }
  std::int32_t generation() const noexcept { return generation_; }
  const std::optional<std::string>& protocol_type() const noexcept { return protocol_type_; }
  const std::optional<std::string>& protocol_name() const noexcept { return protocol_name_; }
  const std::optional<std::string>& leader() const noexcept { return leader_; }
  bool is_leader(std::string_view member_id) const { return leader_ && *leader_ == member_id; }
  bool uses_consumer_protocol() const { return protocol_type_ && *protocol_type_ == "consumer"; }

  const std::list<Member>& members() const noexcept { return members_; }
  std::list<Member>& members() noexcept { return members_; }
  std::size_t size() const noexcept { return members_.size(); }
  /// nullptr where there is none.
  Member* member(const std::string& id);
  Member* static_member(const std::string& instance_id);
  bool is_pending(const std::string& member_id) const { return pending_.count(member_id) != 0; }
  bool has_pending() const noexcept { return !pending_.empty(); }
  PendingMember& add_pending(const std::string& member_id);
  /// The one whose timer this is.
  const std::string* pending_of(const GroupTimer& timer) const;

  /// A member that waits for its JoinGroup's answer when `joining` is set.
  /// The first one decides the group's protocol type.
  Member& add(Member&& traits, const std::string& protocol_type, Reply<protocol::JoinGroupResponse> joining);
  /// A member, or a client whose member id is pending. The leadership goes to the longest member.
  void remove(const std::string& member_id);
  /// Gives a static member the id of its new incarnation.
  void rename(Member& member, std::string new_id);
  void update(Member& member, ProtocolList protocols, std::int32_t rebalance_timeout_ms,
              std::int32_t session_timeout_ms, Reply<protocol::JoinGroupResponse> joining);
  void set_owes_sync(Member& member, bool owes);

  /// Answers its JoinGroup, if it waits for that.
  bool answer_join(Step& step, Member& member, protocol::JoinGroupResponse response);
  bool answer_sync(Step& step, Member& member, protocol::SyncGroupResponse response);

  std::size_t joining_count() const noexcept { return joining_count_; }
  bool have_all_joined() const noexcept { return members_.size() == joining_count_ && pending_.empty(); }
  bool have_all_synced() const noexcept { return owing_sync_count_ == 0; }
  std::int32_t rebalance_timeout_ms() const;
  /// Whether a member of this kind can be in the group with those that are.
  bool supports(std::string_view protocol_type, const ProtocolList& protocols) const;
  /// The protocol that most members prefer among those that all know. Members must not be empty.
  std::string select_protocol() const;
  /// Keeps a leader that has joined; false where no member has.
  bool elect_joined_leader();
  /// The next generation begins: completing_rebalance with a protocol, or empty.
  void begin_generation(std::int64_t wall_ms);

  /// UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID where another incarnation has taken the instance id.
  protocol::ErrorCode check_member(const std::string& member_id, const std::optional<std::string>& instance_id);
  /// Nothing where they are not known: another protocol type, or subscriptions that do not read.
  const std::optional<std::set<std::string, std::less<>>>& subscribed_topics() const noexcept {
    return subscribed_topics_;
  }
  bool is_subscribed_to(std::string_view topic) const;

  /// As it stands in the log; assignments are the members'.
  protocol::GroupMetadataValue to_record() const;
  /// Takes over what a record says. Only for a group that has just been made.
  void restore(const protocol::GroupMetadataValue& value);

  GroupTimer join_timer{TimerKind::join, *this};
  GroupTimer sync_timer{TimerKind::sync, *this};
  /// Of the join timer that runs: whether it is the initial delay, how long it was, and what may still be added.
  bool is_initial_delay = false;
  std::int32_t initial_delay_ms = 0;
  std::int32_t initial_delay_left_ms = 0;
  bool had_new_member = false;  ///< Since the initial delay began.

 private:
  void count_protocols(const Member& member, int difference);
  std::set<std::string, std::less<>> common_protocols() const;
  std::optional<std::set<std::string, std::less<>>> read_subscriptions() const;

  const std::string id_;
  GroupState state_ = GroupState::empty;
  GroupState previous_state_ = GroupState::dead;
  std::optional<std::int64_t> state_since_ms_;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_name_;
  std::int32_t generation_ = 0;
  std::optional<std::string> leader_;
  std::list<Member> members_;  // in the order of joining; addresses stay
  std::unordered_map<std::string, std::list<Member>::iterator> by_id_;
  std::unordered_map<std::string, Member*> by_instance_id_;
  std::unordered_map<std::string, PendingMember> pending_;
  std::size_t joining_count_ = 0;
  std::size_t owing_sync_count_ = 0;
  std::map<std::string, std::size_t, std::less<>> supporters_;  // by protocol
  std::optional<std::set<std::string, std::less<>>> subscribed_topics_;
};

}  // namespace barnabas::group
