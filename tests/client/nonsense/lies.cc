#include "tests/client/nonsense/lies.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/core/consumer_protocol.h"
#include "common/bytes/reader.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/delete_groups.h"
#include "common/protocol/messages/describe_groups.h"
#include "common/protocol/messages/find_coordinator.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/list_groups.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_delete.h"
#include "common/protocol/messages/offset_fetch.h"
#include "common/protocol/messages/sync_group.h"

namespace barnabas::nonsense {
namespace {

using namespace protocol;
using simulation::Dice;

constexpr std::int32_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::size_t kManyPartitions = 2'000;
constexpr std::size_t kHugeBytes = 1 << 20;
/// A scrambled answer keeps its correlation id, so that it is taken, and is not one that nobody waits for.
constexpr std::size_t kFirstScrambledByte = 4;

std::int16_t any_error(Dice& dice) {
  if (dice.one_in(8)) return static_cast<std::int16_t>(dice.between(-32768, 32767));
  return static_cast<std::int16_t>(dice.between(-1, 133));
}

std::string any_name(Dice& dice) {
  static const std::vector<std::string> names{"",       "?",       std::string(5000, 'x'), "\xff\xfe\x80", "range",
                                              "sticky", "billing", std::string("a\0b", 3)};
  return dice.pick(names);
}

std::int32_t any_number(Dice& dice) {
  static const std::vector<std::int32_t> numbers{-1, 0, 1, 2, 42, -2, kInt32Max, kInt32Min};
  return dice.pick(numbers);
}

std::int64_t any_offset(Dice& dice) {
  static const std::vector<std::int64_t> offsets{
      -1, 0, 3, -2, 1'000'000, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  return dice.pick(offsets);
}

Bytes any_bytes(Dice& dice) {
  Bytes bytes(static_cast<std::size_t>(dice.one_in(10) ? kHugeBytes : dice.between(0, 60)), std::byte{0xff});
  const std::size_t filled = std::min<std::size_t>(bytes.size(), 60);
  for (std::size_t i = 0; i < filled; ++i) bytes[i] = static_cast<std::byte>(dice.between(0, 255));
  if (filled > 1 && dice.one_in(2)) bytes[0] = bytes[1] = std::byte{0};  // a version that there is
  return bytes;
}

Bytes any_assignment(Dice& dice, const std::string& topic) {
  MemberAssignment made;
  switch (dice.between(0, 6)) {
    case 0:
      return any_bytes(dice);
    case 1:
      made.partitions = {{topic, any_number(dice)}, {topic, 0}};
      break;
    case 2:
      made.partitions = {{any_name(dice), 0}, {topic, 1}};
      break;
    case 3:
      made.partitions = {{topic, 0}, {topic, 0}, {topic, 1}, {topic, 0}};
      break;
    case 4:
      for (std::size_t i = 0; i < kManyPartitions; ++i)
        made.partitions.push_back({topic, static_cast<std::int32_t>(i)});
      break;
    case 5:
      made.user_data = any_bytes(dice);
      break;
    default:
      break;  // nothing
  }
  return client::encode_assignment(made).value_or(Bytes{});
}

template <typename T>
void repeat_or_clear(Dice& dice, std::vector<T>& entries) {
  if (entries.empty()) {
    entries.emplace_back();
  } else if (dice.one_in(2)) {
    entries.clear();
  } else {
    for (std::int64_t i = dice.between(1, 50); i > 0; --i) entries.push_back(entries.front());
  }
}

void change(Dice& dice, FindCoordinatorResponse& body, const std::string&) {
  if (dice.one_in(4)) return repeat_or_clear(dice, body.coordinators);
  const std::int64_t what = dice.between(0, 3);
  for (auto& one : body.coordinators) {
    if (what == 0) one.error_code = any_error(dice);
    if (what == 1) one.node_id = any_number(dice);
    if (what == 2) one.host = any_name(dice);
    if (what == 2) one.port = any_number(dice);
    if (what == 3) one.key = any_name(dice);
  }
}

void change_members(Dice& dice, JoinGroupResponse& body, const std::string& topic) {
  body.leader = body.member_id;
  switch (dice.between(0, 4)) {
    case 0:
      return repeat_or_clear(dice, body.members);
    case 1:
      for (auto& member : body.members) member.metadata = any_bytes(dice);
      return;
    case 2:
      for (auto& member : body.members) member.member_id = any_name(dice);
      return;
    case 3: {
      for (int i = 0; i < 500; ++i) {
        auto& member = body.members.emplace_back();
        member.member_id = std::to_string(i);
        MemberSubscription told;
        told.topics = {topic, "no-such-topic-" + std::to_string(i % 3)};
        member.metadata = client::encode_subscription(told).value_or(Bytes{});
      }
      return;
    }
    default:
      for (auto& member : body.members) member.group_instance_id = any_name(dice);
  }
}

void change(Dice& dice, JoinGroupResponse& body, const std::string& topic) {
  switch (dice.between(0, 8)) {
    case 0:
      body.error_code = any_error(dice);
      return;
    case 1:
      body.member_id = any_name(dice);
      return;
    case 2:
      body.generation_id = any_number(dice);
      return;
    case 3:
      body.protocol_name = dice.one_in(3) ? std::nullopt : std::optional(any_name(dice));
      return;
    case 4:
      body.protocol_type = dice.one_in(3) ? std::nullopt : std::optional(any_name(dice));
      return;
    case 5:
      body.leader = any_name(dice);
      return;
    case 6:
      body.skip_assignment = !body.skip_assignment;
      return;
    default:
      return change_members(dice, body, topic);
  }
}

void change(Dice& dice, SyncGroupResponse& body, const std::string& topic) {
  const std::int64_t what = dice.between(0, 5);
  if (what == 0) body.error_code = any_error(dice);
  if (what == 1) body.protocol_name = dice.one_in(3) ? std::nullopt : std::optional(any_name(dice));
  if (what == 2) body.protocol_type = dice.one_in(3) ? std::nullopt : std::optional(any_name(dice));
  if (what > 2) body.assignment = any_assignment(dice, topic);
}

void change(Dice& dice, HeartbeatResponse& body, const std::string&) {
  body.error_code = any_error(dice);
}

void change(Dice& dice, LeaveGroupResponse& body, const std::string&) {
  if (dice.one_in(2)) return repeat_or_clear(dice, body.members);
  body.error_code = any_error(dice);
  for (auto& member : body.members) member.error_code = any_error(dice);
}

void change(Dice& dice, OffsetCommitResponse& body, const std::string& topic) {
  const std::int64_t what = dice.between(0, 5);
  if (what == 0) return repeat_or_clear(dice, body.topics);
  const std::int16_t error = any_error(dice);
  for (auto& one : body.topics) {
    if (what == 1) one.name = dice.one_in(2) ? any_name(dice) : topic;
    if (what == 2) repeat_or_clear(dice, one.partitions);
    for (auto& partition : one.partitions) {
      if (what == 3) partition.partition_index = any_number(dice);
      if (what == 4) partition.error_code = any_error(dice);
      if (what == 5) partition.error_code = error;
    }
  }
}

template <typename Topics>
void change_offsets(Dice& dice, Topics& topics) {
  const std::int64_t what = dice.between(0, 6);
  if (what == 0) return repeat_or_clear(dice, topics);
  for (auto& one : topics) {
    if (what == 1) one.name = any_name(dice);
    if (what == 2) repeat_or_clear(dice, one.partitions);
    for (auto& partition : one.partitions) {
      if (what == 3) partition.partition_index = any_number(dice);
      if (what == 4) partition.error_code = any_error(dice);
      if (what == 5) partition.metadata = dice.one_in(2) ? std::nullopt : std::optional(any_name(dice));
      if (what == 6) partition.committed_offset = any_offset(dice);
      if (what == 6) partition.committed_leader_epoch = any_number(dice);
    }
  }
}

void change(Dice& dice, OffsetFetchResponse& body, const std::string&) {
  if (dice.one_in(6)) return repeat_or_clear(dice, body.groups);
  const std::int64_t what = dice.between(0, 3);
  for (auto& group : body.groups) {
    if (what == 0) group.error_code = any_error(dice);
    if (what == 1) group.group_id = any_name(dice);
    if (what > 1) change_offsets(dice, group.topics);
  }
}

void change(Dice& dice, DescribeGroupsResponse& body, const std::string& topic) {
  if (dice.one_in(4)) return repeat_or_clear(dice, body.groups);
  const std::int64_t what = dice.between(0, 4);
  for (auto& group : body.groups) {
    if (what == 0) group.error_code = any_error(dice);
    if (what == 1) group.group_state = any_name(dice);
    if (what == 2) group.protocol_type = any_name(dice);
    if (what == 3) repeat_or_clear(dice, group.members);
    for (auto& member : group.members) member.member_assignment = any_assignment(dice, topic);
  }
}

void change(Dice& dice, ListGroupsResponse& body, const std::string&) {
  if (dice.one_in(3)) body.error_code = any_error(dice);
  repeat_or_clear(dice, body.groups);
  for (auto& group : body.groups) group.group_state = any_name(dice);
}

void change(Dice& dice, DeleteGroupsResponse& body, const std::string&) {
  if (dice.one_in(2)) return repeat_or_clear(dice, body.results);
  for (auto& one : body.results) one.error_code = any_error(dice);
}

void change(Dice& dice, OffsetDeleteResponse& body, const std::string&) {
  if (dice.one_in(3)) body.error_code = any_error(dice);
  repeat_or_clear(dice, body.topics);
}

template <typename Response>
Bytes changed(Dice& dice, std::int16_t version, const Bytes& answer, const std::string& topic) {
  Reader in(answer);
  const auto header = decode_response_header(in, Response::kApiKey, version);
  auto body = Response::decode(in, version);
  if (!header || !body) return answer;
  change(dice, *body, topic);
  Writer out;
  const auto told = encode_response_header(out, Response::kApiKey, version, header->correlation_id);
  const auto done = body->encode(out, version);
  return told && done ? out.take() : answer;
}

Bytes scrambled(Dice& dice, Bytes answer) {
  if (answer.size() <= kFirstScrambledByte) return answer;
  if (dice.one_in(3)) answer.resize(static_cast<std::size_t>(dice.between(kFirstScrambledByte, std::ssize(answer))));
  if (dice.one_in(4)) answer.resize(answer.size() + static_cast<std::size_t>(dice.between(1, 40)), std::byte{0x7f});
  if (answer.size() <= kFirstScrambledByte) return answer;
  const std::int64_t first = dice.one_in(20) ? 0 : kFirstScrambledByte;
  for (std::int64_t i = dice.between(1, 6); i > 0; --i) {
    answer[static_cast<std::size_t>(dice.between(first, std::ssize(answer) - 1))] =
        static_cast<std::byte>(dice.between(0, 255));
  }
  return answer;
}

}  // namespace

bool is_of_groups(ApiKey api) {
  switch (api) {
    case ApiKey::find_coordinator:
    case ApiKey::join_group:
    case ApiKey::sync_group:
    case ApiKey::heartbeat:
    case ApiKey::leave_group:
    case ApiKey::offset_commit:
    case ApiKey::offset_fetch:
    case ApiKey::offset_delete:
    case ApiKey::describe_groups:
    case ApiKey::list_groups:
    case ApiKey::delete_groups:
      return true;
    default:
      return false;
  }
}

Bytes lie(Dice& dice, ApiKey api, std::int16_t version, Bytes answer, const std::string& topic) {
  if (dice.one_in(3)) return scrambled(dice, std::move(answer));
  switch (api) {
    case ApiKey::find_coordinator:
      return changed<FindCoordinatorResponse>(dice, version, answer, topic);
    case ApiKey::join_group:
      return changed<JoinGroupResponse>(dice, version, answer, topic);
    case ApiKey::sync_group:
      return changed<SyncGroupResponse>(dice, version, answer, topic);
    case ApiKey::heartbeat:
      return changed<HeartbeatResponse>(dice, version, answer, topic);
    case ApiKey::leave_group:
      return changed<LeaveGroupResponse>(dice, version, answer, topic);
    case ApiKey::offset_commit:
      return changed<OffsetCommitResponse>(dice, version, answer, topic);
    case ApiKey::offset_fetch:
      return changed<OffsetFetchResponse>(dice, version, answer, topic);
    case ApiKey::offset_delete:
      return changed<OffsetDeleteResponse>(dice, version, answer, topic);
    case ApiKey::describe_groups:
      return changed<DescribeGroupsResponse>(dice, version, answer, topic);
    case ApiKey::list_groups:
      return changed<ListGroupsResponse>(dice, version, answer, topic);
    case ApiKey::delete_groups:
      return changed<DeleteGroupsResponse>(dice, version, answer, topic);
    default:
      return answer;
  }
}

}  // namespace barnabas::nonsense
