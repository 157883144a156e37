#include "tests/fuzz/groups.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "client/core/consumer_protocol.h"
#include "common/bytes/reader.h"
#include "tests/broker/group/shard_driver.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

using group::GroupShard;
using group::Step;

void demand(bool holds) {
  if (!holds) std::abort();
}

/// A coordinator's state machine and its log. Every request is answered once, at the latest when the coordinator ends,
/// and the log makes the same offsets again.
class Coordinator {
 public:
  void take(GroupItem item, BytesView bytes) {
    Reader in(bytes);
    switch (item) {
      case GroupItem::record:
        return take_record(in);
      case GroupItem::time:
        return driver_.pass(std::min<std::chrono::milliseconds>(std::chrono::milliseconds(in.uint32()), kLongestWait));
      case GroupItem::restart:
        return restart();
      default:
        take_request(item, in);
    }
  }

  void end() {
    driver_.run([](GroupShard& shard, Step& step) { shard.on_unloaded(step); });
    demand(unanswered_ == 0);
  }

 private:
  void restart() {
    end();
    const auto before = std::move(driver_.shard);
    driver_.restart();
    demand(offsets_of(*before) == offsets_of(*driver_.shard));
  }

  /// Somebody else wrote it while the coordinator was not there.
  void take_record(Reader& in) {
    group::ShardDriver::LogRecord record;
    const BytesView key = in.bytes(in.uint16());
    record.key.assign(key.begin(), key.end());
    if (in.boolean()) {
      const BytesView value = in.bytes(in.remaining());
      record.value.emplace(value.begin(), value.end());
    }
    end();
    if (!in.failed()) driver_.log.push_back(std::move(record));
    driver_.restart();
  }

  void take_request(GroupItem item, Reader& in) {
    const auto version = static_cast<std::int16_t>(in.int8() & 15);
    switch (item) {
      case GroupItem::join:
        return take<protocol::JoinGroupRequest>(
            in, version, [this, version](GroupShard& shard, Step& step, auto request) {
              name(request.member_id);
              shard.join(step, {"client", "/127.0.0.1", version}, std::move(request), joined());
            });
      case GroupItem::sync:
        return take<protocol::SyncGroupRequest>(in, version, [this](GroupShard& shard, Step& step, auto request) {
          name(request.member_id);
          for (auto& assignment : request.assignments) name(assignment.member_id);
          shard.groups().sync(step, std::move(request), awaited<protocol::SyncGroupResponse>());
        });
      case GroupItem::heartbeat:
        return take<protocol::HeartbeatRequest>(in, version, [this](GroupShard& shard, Step& step, auto request) {
          name(request.member_id);
          (void)shard.groups().heartbeat(step, request);
        });
      case GroupItem::leave:
        return take<protocol::LeaveGroupRequest>(in, version, [this](GroupShard& shard, Step& step, auto request) {
          for (auto& member : request.members) name(member.member_id);
          shard.groups().leave(step, request, awaited<protocol::LeaveGroupResponse>());
        });
      default:
        take_offset_request(item, in, version);
    }
  }

  void take_offset_request(GroupItem item, Reader& in, std::int16_t version) {
    switch (item) {
      case GroupItem::commit:
        return take<protocol::OffsetCommitRequest>(
            in, version, [this, version](GroupShard& shard, Step& step, auto request) {
              name(request.member_id);
              shard.offsets().commit(step, {"client", "/127.0.0.1", version}, request,
                                     awaited<protocol::OffsetCommitResponse>());
            });
      case GroupItem::fetch:
        return take<protocol::OffsetFetchRequest>(in, version, [](GroupShard& shard, Step&, auto request) {
          for (const auto& group : request.groups) (void)shard.offsets().fetch(group, request.require_stable);
        });
      case GroupItem::remove_offsets:
        return take<protocol::OffsetDeleteRequest>(in, version, [this](GroupShard& shard, Step& step, auto request) {
          shard.offsets().remove(step, request, awaited<protocol::OffsetDeleteResponse>());
        });
      case GroupItem::remove_groups:
        return take<protocol::DeleteGroupsRequest>(in, version, [this](GroupShard& shard, Step& step, auto request) {
          shard.delete_groups(step, request.groups_names, awaited<protocol::DeleteGroupsResponse>());
        });
      default:
        return;
    }
  }

  template <typename Request, typename Event>
  void take(Reader& in, std::int16_t version, Event&& event) {
    if (version < Request::kMinVersion || version > Request::kMaxVersion) return;
    auto request = Request::decode(in, version);
    if (!request) return;
    driver_.run([&](GroupShard& shard, Step& step) { event(shard, step, std::move(*request)); });
  }

  /// A function to answer with that minds how often it is called.
  template <typename Response>
  group::Reply<Response> awaited() {
    ++unanswered_;
    return [this, is_answered = std::make_shared<bool>(false)](const Response&) {
      demand(!std::exchange(*is_answered, true));
      --unanswered_;
    };
  }
  group::Reply<protocol::JoinGroupResponse> joined() {
    return [this, count = awaited<protocol::JoinGroupResponse>()](const protocol::JoinGroupResponse& answer) {
      const bool is_new = std::ranges::find(member_ids_, answer.member_id) == member_ids_.end();
      if (is_new && !answer.member_id.empty()) member_ids_.push_back(answer.member_id);
      count(answer);
    };
  }
  void name(std::string& member_id) const {
    if (member_id.size() != 1) return;
    const auto index = static_cast<unsigned char>(member_id.front());
    if (index < member_ids_.size()) member_id = member_ids_[index];
  }

  using Offsets = std::map<std::tuple<std::string, std::string, std::int32_t>, std::pair<std::int64_t, std::string>>;
  static Offsets offsets_of(const GroupShard& shard) {
    Offsets all;
    for (const auto& [group, topics] : shard.offsets().store().all()) {
      for (const auto& [topic, partitions] : topics) {
        for (const auto& [partition, one] : partitions) all[{group, topic, partition}] = {one.offset, one.metadata};
      }
    }
    return all;
  }

  /// What would need very many timers ends early.
  static constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24 * 8);

  group::ShardDriver driver_;
  std::vector<std::string> member_ids_;
  int unanswered_ = 0;
};

/// What reads must be written so that it reads as the same.
template <typename Value, typename Decode, typename Encode>
void check_member_bytes(BytesView bytes, Decode decode, Encode encode) {
  const Result<Value> first = decode(bytes);
  if (!first) return demand(first.error().code == Errc::corrupt_data);
  const Result<Bytes> written = encode(*first);
  demand(written.has_value());
  const Result<Value> second = decode(*written);
  demand(second.has_value());
  const Result<Bytes> again = encode(*second);
  demand(again && *again == *written);
}

}  // namespace

void groups(BytesView input) {
  Coordinator coordinator;
  Reader in(input);
  while (in.remaining() > 0 && !in.failed()) {
    const auto item = static_cast<GroupItem>(static_cast<std::uint8_t>(in.int8()) % kGroupItems);
    const std::size_t length = std::min<std::size_t>(in.uint16(), in.remaining());
    const BytesView bytes = in.bytes(length);
    if (item == GroupItem::subscription) {
      check_member_bytes<MemberSubscription>(bytes, client::decode_subscription,
                                             [](const auto& value) { return client::encode_subscription(value); });
    } else if (item == GroupItem::assignment) {
      check_member_bytes<MemberAssignment>(bytes, client::decode_assignment,
                                           [](const auto& value) { return client::encode_assignment(value); });
    } else {
      coordinator.take(item, bytes);
    }
  }
  coordinator.end();
}

}  // namespace barnabas::fuzz
