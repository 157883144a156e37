#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/coordinator/timer_wheel.h"
#include "broker/group/classic_groups.h"
#include "broker/group/group_offsets.h"
#include "broker/group/group_settings.h"
#include "broker/group/step.h"

#include "common/protocol/messages/delete_groups.h"

namespace barnabas::group {

/// All groups and offsets of one partition of __consumer_offsets: the whole state machine, without I/O and without a
/// clock. What it says is in the log is in the log once the step's records are.
/// Threads: one event at a time.  Source: Kafka's GroupCoordinatorShard.
class GroupShard {
 public:
  using Record = CoordinatorRecord;
  using RecordEncoder = group::RecordEncoder;
  static Result<ParsedRecord> parse(BytesView key, std::optional<BytesView> value) { return parse_record(key, value); }

  GroupShard(const GroupSettings& settings, runtime::Random& random, runtime::MonotonicTime start);

  ClassicGroups& groups() noexcept { return groups_; }
  const ClassicGroups& groups() const noexcept { return groups_; }
  GroupOffsets& offsets() noexcept { return offsets_; }
  const GroupOffsets& offsets() const noexcept { return offsets_; }

  /// INCONSISTENT_GROUP_PROTOCOL for a group of a protocol that is not served here.
  void join(Step& step, const Origin& origin, protocol::JoinGroupRequest request,
            Reply<protocol::JoinGroupResponse> reply);
  void delete_groups(Step& step, const std::vector<std::string>& group_ids,
                     Reply<protocol::DeleteGroupsResponse> reply);
  void on_topics_deleted(Step& step, const std::set<std::string, std::less<>>& topics);

  /// What one record of the log changes. `producer_id` is that of its batch: -1 outside of transactions.
  void replay(std::int64_t offset, std::int64_t producer_id, OffsetRecord record, std::int64_t wall_ms);
  void replay(std::int64_t offset, std::int64_t producer_id, const ClassicGroupRecord& record, std::int64_t wall_ms);
  void replay(std::int64_t offset, std::int64_t producer_id, const ForeignRecord& record, std::int64_t wall_ms);
  void replay_end_of_transaction(std::int64_t producer_id, bool is_commit);
  void on_loaded(Step& step);
  void on_unloaded(Step& step);

  /// "3 groups and 5 offsets".
  std::string contents() const;

  /// Deals with one timer that is due; false when none is.
  bool on_time(Step& step);
  /// When on_time is worth a call again.
  runtime::MonotonicTime next_look() const noexcept { return timers_.next_look(); }

  /// Whether records of another protocol's group are in the log.
  bool is_foreign(const std::string& group_id) const { return foreign_.count(group_id) != 0; }

 private:
  void expire(Step& step);
  void set_expiry_timer(const Step& step);

  const GroupSettings& settings_;
  coordinator::TimerWheel timers_;  // before all that has timers
  ClassicGroups groups_;
  GroupOffsets offsets_;
  coordinator::TimerWheel::Timer expiry_timer_;
  std::map<std::string, std::set<std::string>> foreign_;  // keys of live records, by group
};

}  // namespace barnabas::group
