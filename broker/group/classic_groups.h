#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/coordinator/timer_wheel.h"
#include "broker/group/classic_group.h"
#include "broker/group/group_settings.h"
#include "broker/group/step.h"
#include "common/protocol/messages/describe_groups.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/list_groups.h"
#include "common/protocol/messages/sync_group.h"
#include "common/runtime/random.h"

namespace barnabas::group {

/// Membership of all groups of one coordinator partition, by the classic protocol: a machine without I/O. Requests and
/// timers go in; records, answers and timers come out.
/// Threads: its shard's.  Source: the classic parts of Kafka's GroupMetadataManager.
class ClassicGroups {
 public:
  ClassicGroups(const GroupSettings& settings, runtime::Random& random, coordinator::TimerWheel& timers)
      : settings_(settings), random_(random), timers_(timers) {}

  void join(Step& step, const Origin& origin, protocol::JoinGroupRequest request,
            Reply<protocol::JoinGroupResponse> reply);
  void sync(Step& step, protocol::SyncGroupRequest request, Reply<protocol::SyncGroupResponse> reply);
  protocol::HeartbeatResponse heartbeat(Step& step, const protocol::HeartbeatRequest& request);
  /// Members as in version 3; earlier versions have one.
  void leave(Step& step, const protocol::LeaveGroupRequest& request, Reply<protocol::LeaveGroupResponse> reply);
  void on_timer(Step& step, GroupTimer& timer);

  protocol::DescribeGroupsResponse::DescribedGroup describe(const std::string& group_id, std::int16_t version) const;
  /// Empty filters let all through; states in lower case.
  void list(const std::vector<std::string>& states, std::vector<protocol::ListGroupsResponse::ListedGroup>& out) const;

  /// nullptr where there is none.
  ClassicGroup* find(const std::string& group_id) const;
  /// A group without members that offsets can belong to.
  ClassicGroup& find_or_make(Step& step, const std::string& group_id);
  /// A commit by a member is a sign of life as well.
  void refresh_session(const Step& step, Member& member) { set_session(step, member, member.session_timeout_ms); }
  const std::unordered_map<std::string, std::unique_ptr<ClassicGroup>>& all() const noexcept { return groups_; }

  /// What a record says; at a start, and tombstones when they are written.
  void replay(const ClassicGroupRecord& record, std::int64_t wall_ms);
  /// All records are replayed: the members' sessions begin, as if each had just been heard of.
  void on_loaded(Step& step);
  /// Another broker leads: whoever waits shall ask there.
  void on_unloaded(Step& step);

  std::uint64_t rebalances() const noexcept { return rebalances_; }

 private:
  // classic_join.cc
  void join_new(Step& step, const Origin& origin, protocol::JoinGroupRequest request, ClassicGroup& group,
                Reply<protocol::JoinGroupResponse> reply);
  void join_existing(Step& step, const Origin& origin, protocol::JoinGroupRequest request, ClassicGroup& group,
                     Reply<protocol::JoinGroupResponse> reply);
  void rejoin(Step& step, protocol::JoinGroupRequest request, ClassicGroup& group, Member& member,
              Reply<protocol::JoinGroupResponse> reply);
  void give_member_id(Step& step, const protocol::JoinGroupRequest& request, ClassicGroup& group, std::string member_id,
                      const Reply<protocol::JoinGroupResponse>& reply);
  void add_member(Step& step, const Origin& origin, protocol::JoinGroupRequest request, ClassicGroup& group,
                  std::string member_id, Reply<protocol::JoinGroupResponse> reply);
  void replace_static_member(Step& step, const Origin& origin, protocol::JoinGroupRequest request, ClassicGroup& group,
                             Member& member, std::string new_id, Reply<protocol::JoinGroupResponse> reply);
  void store_replacement(Step& step, ClassicGroup& group, Member& member, std::int16_t api_version,
                         std::optional<std::string> old_leader, std::function<void(Step&)> revert);
  bool accepts(ClassicGroup& group, const std::string& member_id) const;
  void write_new_group(Step& step, const ClassicGroup& group);

  // classic_rebalance.cc
  void rebalance_or_complete(Step& step, ClassicGroup& group);
  void prepare_rebalance(Step& step, ClassicGroup& group);
  void complete_join_if_ready(Step& step, ClassicGroup& group);
  void complete_join(Step& step, ClassicGroup& group);
  void end_initial_delay(Step& step, ClassicGroup& group);
  void announce_generation(Step& step, ClassicGroup& group);
  void expire_session(Step& step, ClassicGroup& group, Member& member);
  void expire_sync(Step& step, ClassicGroup& group);
  void propagate(Step& step, ClassicGroup& group, protocol::ErrorCode error);
  void set_session(const Step& step, Member& member, std::int32_t timeout_ms);
  void set_timer(const Step& step, GroupTimer& timer, std::int32_t timeout_ms);

  // classic_sync.cc
  protocol::ErrorCode check_sync(ClassicGroup& group, const protocol::SyncGroupRequest& request) const;
  void store_assignment(Step& step, ClassicGroup& group, protocol::SyncGroupRequest request);
  void note_sync(ClassicGroup& group, Member& member);
  protocol::ErrorCode leave_one(Step& step, ClassicGroup& group,
                                const protocol::LeaveGroupRequest::MemberIdentity& identity);
  void remove_member(Step& step, ClassicGroup& group, Member& member);

  void drop(Step& step, const std::string& group_id, protocol::ErrorCode why);

  const GroupSettings& settings_;
  runtime::Random& random_;
  coordinator::TimerWheel& timers_;
  std::unordered_map<std::string, std::unique_ptr<ClassicGroup>> groups_;
  std::uint64_t rebalances_ = 0;  // completed
};

/// A filter of ListGroups as it is compared: in lower case, without spaces around.
std::string filter_text(std::string_view text);

}  // namespace barnabas::group
