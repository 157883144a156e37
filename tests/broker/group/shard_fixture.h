#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/writer.h"
#include "common/protocol/messages/consumer_protocol_subscription.h"
#include "tests/broker/group/shard_driver.h"

namespace barnabas::group {

/// Where an answer shows.
template <typename Response>
using Seen = std::shared_ptr<std::optional<Response>>;

/// What a client of the state machine asks, and what it is answered; every record that is written must be readable.
class ShardFixture : public ShardDriver {
 public:
  using JoinResponse = protocol::JoinGroupResponse;
  using SyncResponse = protocol::SyncGroupResponse;
  using ErrorCode = protocol::ErrorCode;

  explicit ShardFixture(GroupSettings given = {.initial_rebalance_delay_ms = 0}) : ShardDriver(given) {}
  ~ShardFixture() { EXPECT_EQ(unreadable_records, 0); }

  static Bytes subscription(const std::vector<std::string>& topics) {
    Writer out;
    out.int16(0);
    protocol::ConsumerProtocolSubscription subscription;
    subscription.topics = topics;
    EXPECT_TRUE(subscription.encode(out, 0));
    return out.take();
  }

  static protocol::JoinGroupRequest join_request(const std::string& member_id = "",
                                                 const std::vector<std::string>& protocols = {"range"}) {
    protocol::JoinGroupRequest request;
    request.group_id = "billing";
    request.member_id = member_id;
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 60'000;
    request.protocol_type = "consumer";
    for (const std::string& name : protocols) {
      auto& protocol = request.protocols.emplace_back();
      protocol.name = name;
      protocol.metadata = subscription({"orders"});
    }
    return request;
  }

  Seen<JoinResponse> join(const protocol::JoinGroupRequest& request, std::int16_t version = 9) {
    auto seen = std::make_shared<std::optional<JoinResponse>>();
    run([&](GroupShard& joined, Step& step) {
      joined.join(step, {"client", "/127.0.0.1", version}, request, [seen](JoinResponse r) { *seen = std::move(r); });
    });
    return seen;
  }
  /// A member id, as KIP-394 gives it out.
  std::string new_id(const protocol::JoinGroupRequest& request = join_request()) {
    const auto seen = join(request);
    EXPECT_TRUE(*seen && (*seen)->error_code == code_of(ErrorCode::member_id_required));
    return (*seen)->member_id;
  }

  Seen<SyncResponse> sync(const std::string& member_id, std::int32_t generation,
                          const std::map<std::string, std::string>& assignments = {}) {
    protocol::SyncGroupRequest request;
    request.group_id = "billing";
    request.member_id = member_id;
    request.generation_id = generation;
    request.protocol_type = "consumer";
    for (const auto& [id, assignment] : assignments) {
      auto& one = request.assignments.emplace_back();
      one.member_id = id;
      const BytesView bytes = as_bytes(assignment);
      one.assignment.assign(bytes.begin(), bytes.end());
    }
    auto seen = std::make_shared<std::optional<SyncResponse>>();
    run([&](GroupShard& synced, Step& step) {
      synced.groups().sync(step, request, [seen](SyncResponse r) { *seen = std::move(r); });
    });
    return seen;
  }

  ErrorCode heartbeat(const std::string& member_id, std::int32_t generation,
                      std::optional<std::string> instance_id = std::nullopt) {
    protocol::HeartbeatRequest request;
    request.group_id = "billing";
    request.member_id = member_id;
    request.generation_id = generation;
    request.group_instance_id = std::move(instance_id);
    std::int16_t error = -1;
    run([&](GroupShard& beaten, Step& step) { error = beaten.groups().heartbeat(step, request).error_code; });
    return protocol::error_of(error);
  }

  protocol::LeaveGroupResponse leave(const std::vector<std::pair<std::string, std::optional<std::string>>>& members) {
    protocol::LeaveGroupRequest request;
    request.group_id = "billing";
    for (const auto& [id, instance] : members) {
      auto& one = request.members.emplace_back();
      one.member_id = id;
      one.group_instance_id = instance;
    }
    protocol::LeaveGroupResponse response;
    run([&](GroupShard& left, Step& step) {
      left.groups().leave(step, request, [&response](protocol::LeaveGroupResponse r) { response = std::move(r); });
    });
    return response;
  }

  /// A stable group of that many dynamic members, the leader first, each assigned its own number.
  std::vector<std::string> stable_group(std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(new_id());
    std::vector<Seen<JoinResponse>> joined;
    for (const std::string& id : ids) joined.push_back(join(join_request(id)));
    pass(std::chrono::milliseconds(0));
    std::map<std::string, std::string> assignments;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(*joined[i] && (*joined[i])->error_code == 0) << i;
      assignments[ids[i]] = std::to_string(i);
    }
    for (std::size_t i = count; i-- > 0;)
      sync(ids[i], group().generation(), i == 0 ? assignments : decltype(assignments){});
    EXPECT_EQ(group().state(), GroupState::stable);
    return ids;
  }

  struct Commit {
    std::string topic = "orders";
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::string metadata{};
  };
  ErrorCode commit(const Commit& what, const std::string& member_id = "", std::int32_t generation = -1,
                   std::int16_t version = 9, std::int64_t retention_ms = -1) {
    protocol::OffsetCommitRequest request;
    request.group_id = "billing";
    request.member_id = member_id;
    request.generation_id_or_member_epoch = generation;
    request.retention_time_ms = retention_ms;
    auto& topic = request.topics.emplace_back();
    topic.name = what.topic;
    topic.partitions.emplace_back();
    topic.partitions.back().partition_index = what.partition;
    topic.partitions.back().committed_offset = what.offset;
    topic.partitions.back().committed_metadata = what.metadata;
    std::int16_t error = -1;
    run([&](GroupShard& committed, Step& step) {
      committed.offsets().commit(
          step, {"client", "/127.0.0.1", version}, request,
          [&error](protocol::OffsetCommitResponse r) { error = r.topics.at(0).partitions.at(0).error_code; });
    });
    return protocol::error_of(error);
  }
  using Fetched = protocol::OffsetFetchResponse::OffsetFetchResponsePartitions;
  Fetched fetch(const std::string& topic = "orders", std::int32_t partition = 0, bool require_stable = false) const {
    protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = "billing";
    request.topics->emplace_back();
    request.topics->back().name = topic;
    request.topics->back().partition_indexes = {partition};
    return shard->offsets().fetch(request, require_stable).topics.at(0).partitions.at(0);
  }

  ClassicGroup& group(const std::string& id = "billing") { return *shard->groups().find(id); }
  bool has_group(const std::string& id = "billing") const { return shard->groups().find(id) != nullptr; }
  /// The last record of the log as a group's; fails the test where it is none.
  protocol::GroupMetadataValue last_group_record() const {
    return std::get<ClassicGroupRecord>(parse(log.back()).value()).value.value();
  }
};

}  // namespace barnabas::group
