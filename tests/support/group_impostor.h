#pragma once

#include <string>

#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "tests/support/raw_call.h"

// What can happen to a member of a group while it knows nothing of it, at the moment that a test chooses: somebody
// speaks to the coordinator in its name.
namespace barnabas::testing {

/// The group goes on without the member, as when its session has ended.
inline bool remove_member(const std::string& address, const std::string& group, const std::string& member_id) {
  protocol::LeaveGroupRequest request;
  request.group_id = group;
  request.members.emplace_back().member_id = member_id;
  const auto answer = raw_call<protocol::LeaveGroupResponse>(address, request, 3);
  return answer && answer->error_code == 0 && answer->members.size() == 1 && answer->members[0].error_code == 0;
}

/// The group goes on to its next generation with the member, which has to be its only one and to list range.
inline bool renew_generation(const std::string& address, const std::string& group, const std::string& member_id) {
  Writer subscription;  // version 0: no topic, no user data
  subscription.int16(0);
  subscription.int32(0);
  subscription.int32(-1);
  protocol::JoinGroupRequest request;
  request.group_id = group;
  request.session_timeout_ms = 60'000;
  request.rebalance_timeout_ms = 60'000;
  request.member_id = member_id;
  request.protocol_type = "consumer";
  auto& range = request.protocols.emplace_back();
  range.name = "range";
  range.metadata = subscription.take();
  const auto answer = raw_call<protocol::JoinGroupResponse>(address, request, 5);
  return answer && answer->error_code == 0 && answer->member_id == member_id;
}

}  // namespace barnabas::testing
