// The group coordinator: FindCoordinator, and whole lives of groups with what is refused on the way.
#include <chrono>
#include <thread>

#include "common/protocol/errors.h"
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
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using namespace protocol;

const std::string kTopic = "grouped";
const std::string kNobody = "grouped-by-nobody";

FindCoordinatorRequest find(const std::string& key, std::int16_t version, std::int8_t type = 0) {
  FindCoordinatorRequest request;
  if (version >= 1) request.key_type = type;
  if (version < 4) {
    request.key = key;
  } else {
    request.coordinator_keys = {key};
  }
  return request;
}

/// Apache Kafka makes __consumer_offsets in the background: waits until all of its partitions are there and loaded.
void start_groups(Peer& peer) {
  if (peer.has_topic(kTopic)) return;
  for (;;) {
    HeartbeatRequest beat;
    beat.group_id = kNobody;
    beat.member_id = "nobody";
    const auto found = peer.ask<FindCoordinatorRequest, FindCoordinatorResponse>(find(kNobody, 4), 4);
    const auto listed = peer.ask<ListGroupsRequest, ListGroupsResponse>({}, 0);
    const auto beaten = peer.ask<HeartbeatRequest, HeartbeatResponse>(beat, 4);
    const bool is_ready = found.coordinators.at(0).error_code == 0 && listed.error_code == 0 &&
                          error_of(beaten.error_code) == ErrorCode::unknown_member_id;
    if (is_ready) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  peer.make_topic(kTopic, 2);
}

void add_find_coordinator(Rows& rows) {
  const auto add = [&rows](const std::string& what, const std::string& key, std::int8_t type, Versions versions) {
    single(
        rows, what, versions, [key, type](const Scene&, std::int16_t version) { return find(key, version, type); },
        start_groups);
  };
  add("of_a_group", "billing", 0, {});
  add("of_an_empty_group", "", 0, {});
  add("of_a_share_group", "billing", 2, {1});
  add("of_type_9", "billing", 9, {1});
  single(
      rows, "of_three_groups", {4},
      [](const Scene&, std::int16_t) {
        FindCoordinatorRequest request;
        request.coordinator_keys = {"a", "b", "a"};
        return request;
      },
      start_groups);
}

Bytes subscription() {
  const BytesView bytes = as_bytes(std::string_view("\0\1\0\0\0\1\0\7grouped\0\0\0\0\0\0\0\0", 23));
  return {bytes.begin(), bytes.end()};
}

JoinGroupRequest join(const std::string& group, const std::string& member,
                      const std::vector<std::string>& protocols = {"range", "roundrobin"}) {
  JoinGroupRequest request;
  request.group_id = group;
  request.member_id = member;
  request.session_timeout_ms = 30'000;
  request.rebalance_timeout_ms = 30'000;
  request.protocol_type = "consumer";
  for (const std::string& name : protocols) {
    auto& protocol = request.protocols.emplace_back();
    protocol.name = name;
    protocol.metadata = subscription();
  }
  return request;
}

/// The member id that this peer gave out first in the row.
std::string member_of(const Scene& scene) {
  for (const nlohmann::json& answer : scene.answers) {
    const std::string id = answer.value("memberId", "");
    if (!id.empty()) return id;
  }
  return "nobody";
}

/// A conversation about one group, step by step; all in versions that belong to the same time.
class Life {
 public:
  Life(std::string group, std::int16_t age) : group_(std::move(group)), age_(age) {}

  Life& joins(std::string instance = "", std::vector<std::string> protocols = {"range", "roundrobin"}) {
    return step<JoinGroupRequest>([=, group = group_](const Scene&, std::int16_t version) {
      JoinGroupRequest request = join(group, "", protocols);
      if (!instance.empty() && version >= 5) request.group_instance_id = instance;
      return request;
    });
  }
  /// With this as each assignor's metadata.
  Life& joins_with(const Bytes& metadata) {
    return step<JoinGroupRequest>([=, group = group_](const Scene& scene, std::int16_t) {
      const std::string known = member_of(scene);
      JoinGroupRequest request = join(group, known == "nobody" ? "" : known);
      for (auto& protocol : request.protocols) protocol.metadata = metadata;
      return request;
    });
  }
  Life& joins_again(std::string instance = "", std::vector<std::string> protocols = {"range", "roundrobin"}) {
    return step<JoinGroupRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      JoinGroupRequest request = join(group, member_of(scene), protocols);
      if (!instance.empty() && version >= 5) request.group_instance_id = instance;
      return request;
    });
  }
  Life& syncs(std::int32_t generation = 1, std::string type = "consumer", std::string member = "",
              std::string instance = "", std::size_t assignment_bytes = 3) {
    return step<SyncGroupRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      SyncGroupRequest request;
      request.group_id = group;
      request.member_id = member.empty() ? member_of(scene) : member;
      request.generation_id = generation;
      if (!instance.empty() && version >= 3) request.group_instance_id = instance;
      if (version >= 5) {
        request.protocol_type = type;
        request.protocol_name = "range";
      }
      request.assignments.emplace_back();
      request.assignments.back().member_id = request.member_id;
      request.assignments.back().assignment = Bytes(assignment_bytes);
      return request;
    });
  }
  Life& beats(std::int32_t generation = 1, std::string member = "", std::string instance = "") {
    return step<HeartbeatRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      HeartbeatRequest request;
      request.group_id = group;
      request.member_id = member.empty() ? member_of(scene) : member;
      request.generation_id = generation;
      if (!instance.empty() && version >= 3) request.group_instance_id = instance;
      return request;
    });
  }
  Life& leaves(std::string member = "", std::string instance = "") {
    return step<LeaveGroupRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      LeaveGroupRequest request;
      request.group_id = group;
      const std::string id = member.empty() ? member_of(scene) : member == "-" ? "" : member;
      if (version < 3) {
        request.member_id = id;
        return request;
      }
      auto& one = request.members.emplace_back();
      one.member_id = id;
      if (!instance.empty()) one.group_instance_id = instance;
      return request;
    });
  }
  Life& commits(std::int32_t generation = 1, std::string member = "", std::string metadata = "note",
                std::string topic = kTopic, std::int32_t partition = 0, std::string instance = "") {
    return step<OffsetCommitRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      OffsetCommitRequest request;
      request.group_id = group;
      request.member_id = member.empty() ? member_of(scene) : member == "-" ? "" : member;
      request.generation_id_or_member_epoch = generation;
      if (!instance.empty() && version >= 7) request.group_instance_id = instance;
      auto& written = request.topics.emplace_back();
      if (version < 10) {
        written.name = topic;
      } else if (topic == kTopic) {
        written.topic_id = scene.peer.topic_id(topic);
      } else {
        written.topic_id = Uuid(7, 7);
      }
      for (const std::int32_t index : {partition, partition + 1}) {
        written.partitions.emplace_back();
        written.partitions.back().partition_index = index;
        written.partitions.back().committed_offset = 40 + index;
        if (version >= 6) written.partitions.back().committed_leader_epoch = 3;
        written.partitions.back().committed_metadata = metadata;
      }
      return request;
    });
  }
  Life& fetches(bool all = false, std::string topic = kTopic, bool stable = false) {
    return step<OffsetFetchRequest>([=, group = group_](const Scene& scene, std::int16_t version) {
      OffsetFetchRequest request;
      if (version >= 7) request.require_stable = stable;
      if (version < 8) {
        request.group_id = group;
        if (all && version >= 2) {
          request.topics.reset();
          return request;
        }
        request.topics->emplace_back();
        request.topics->back().name = topic;
        request.topics->back().partition_indexes = {0, 1, 9};
        return request;
      }
      auto& asked = request.groups.emplace_back();
      asked.group_id = group;
      if (all) {
        asked.topics.reset();
        return request;
      }
      auto& one = asked.topics->emplace_back();
      if (version < 10) one.name = topic;
      if (version >= 10) one.topic_id = topic == kTopic ? scene.peer.topic_id(topic) : Uuid(7, 7);
      one.partition_indexes = {0, 1, 9};
      return request;
    });
  }
  Life& is_described() {
    return step<DescribeGroupsRequest>([group = group_](const Scene&, std::int16_t version) {
      DescribeGroupsRequest request;
      request.groups = {group};
      if (version >= 3) request.include_authorized_operations = true;
      return request;
    });
  }
  Life& is_deleted() {
    return step<DeleteGroupsRequest>([group = group_](const Scene&, std::int16_t) {
      DeleteGroupsRequest request;
      request.groups_names = {group, group};
      return request;
    });
  }
  Life& loses_offsets(std::string topic = kTopic) {
    return step<OffsetDeleteRequest>([=, group = group_](const Scene&, std::int16_t) {
      OffsetDeleteRequest request;
      request.group_id = group;
      request.topics.emplace_back();
      request.topics.back().name = topic;
      for (const std::int32_t index : {0, 9}) {
        request.topics.back().partitions.emplace_back();
        request.topics.back().partitions.back().partition_index = index;
      }
      return request;
    });
  }
  /// Into the table, under the name of the API that it is about.
  void into(Rows& rows, const std::string& what, std::chrono::seconds patience = std::chrono::seconds(20)) {
    rows.add({row_name(ApiKey::join_group, age_, what), std::move(steps_), start_groups, patience});
  }

 private:
  template <typename Request>
  Life& step(std::function<Request(const Scene&, std::int16_t)> make) {
    const ApiInfo& info = *find_api(Request::kApiKey);
    // The oldest JoinGroup goes with the oldest of the others, the newest with the newest.
    const std::int16_t version =
        age_ >= 9 ? info.max_stable_version
                  : static_cast<std::int16_t>(std::min<int>(info.max_stable_version, info.min_version + age_));
    steps_.push_back([make, version](const Scene& scene) { return frame_of(make(scene, version), version); });
    return *this;
  }

  const std::string group_;
  const std::int16_t age_;
  std::vector<Step> steps_;
};

/// The first rounds of a group's only member, in the versions of its time.
Life member_of_group(const std::string& what, std::int16_t age) {
  Life life(what + "-" + std::to_string(age), age);
  life.joins();
  if (age >= 4) life.joins_again();
  return life;
}

void add_member_lives(Rows& rows, std::int16_t age) {
  Life whole = member_of_group("whole", age);
  whole.syncs().beats().is_described().commits().fetches().fetches(true).leaves().is_described().fetches();
  whole.loses_offsets().fetches(true).is_deleted().is_described().into(rows, "whole_life");
  Life stale = member_of_group("stale", age);
  stale.beats(0).syncs(0).syncs().beats(2).syncs(2).commits(2).commits(0).commits(-1, "-").beats();
  stale.into(rows, "stale_generations");
  Life strange = member_of_group("strange", age);
  strange.beats(1, "made-up").syncs(1, "consumer", "made-up").syncs().leaves("made-up").commits(1, "made-up");
  strange.into(rows, "unknown_members");
  member_of_group("early", age).commits().syncs().commits().into(rows, "commit_before_sync");
  Life wrong = member_of_group("wrong", age);
  wrong.syncs(1, "connect").syncs().joins("", {"own"}).joins_again("", {"own"}).beats(2);
  wrong.into(rows, "other_protocols");
  member_of_group("again", age).syncs().joins_again().syncs(2).beats(2).into(rows, "leader_joins_again");
  Life busy = member_of_group("busy", age);
  busy.syncs().is_deleted().loses_offsets().loses_offsets("none").into(rows, "delete_what_is_in_use");
}

void add_other_lives(Rows& rows, std::int16_t age) {
  Life simple("simple-" + std::to_string(age), age);
  simple.commits(-1, "-").is_described().fetches().commits(-1, "-", std::string(4097, 'x'));
  simple.commits(-1, "-", "note", "none").commits(-1, "-", "note", kTopic, 1).fetches(false, "none");
  simple.fetches(false, kTopic, true).loses_offsets().is_deleted().is_deleted().into(rows, "offsets_alone");
  Life absent("absent-" + std::to_string(age), age);
  absent.joins_again().syncs().beats().leaves().commits().fetches().fetches(true).is_described().is_deleted();
  absent.loses_offsets().into(rows, "no_group");
  Life("", age).joins().syncs().beats().leaves().loses_offsets().into(rows, "empty_group_id");
  if (age < 5) return;
  Life till("static-" + std::to_string(age), age);
  till.joins("till").syncs().beats(1, "", "till").joins("till").beats(1, "", "till").beats(1, "", "none");
  till.is_described().leaves("made-up", "till").leaves("-", "none").leaves("-", "till").is_described();
  till.into(rows, "static_member");
}

/// What a static member hears whose name another process has taken since.
void add_fenced_lives(Rows& rows, std::int16_t age) {
  if (age < 5) return;
  Life fenced("fenced-" + std::to_string(age), age);
  fenced.joins("till").syncs().joins("till").joins_again("till").syncs(1, "consumer", "", "till");
  fenced.beats(1, "", "till").commits(1, "", "note", kTopic, 0, "till").commits(1, "-", "note", kTopic, 0, "till");
  fenced.commits(1, "", "note", kTopic, 0, "none").syncs(1, "consumer", "", "none").leaves("", "till").is_described();
  fenced.into(rows, "fenced_member");
}

/// Subscriptions that do not parse. Apache Kafka leaves joins with some of them without an answer.
void add_garbage_lives(Rows& rows, std::int16_t age) {
  Bytes cut = subscription();
  cut.resize(cut.size() / 2);
  const std::vector<std::pair<std::string, Bytes>> kinds{
      {"empty", {}}, {"short", Bytes(1)}, {"wild", Bytes(40, std::byte{0xff})}, {"cut", cut}};
  for (const auto& [kind, metadata] : kinds) {
    const bool is_answered = kind == "empty" || kind == "short";
    if (!is_answered && age != 0 && age != 9) continue;
    Life life("garbage-" + kind + "-" + std::to_string(age), age);
    life.joins_with(metadata);
    if (age >= 4) life.joins_with(metadata);
    life.syncs().beats().is_described().commits().loses_offsets().loses_offsets("none").leaves().loses_offsets();
    life.into(rows, "subscription_that_is_" + kind, std::chrono::seconds(is_answered ? 20 : 2));
  }
  Life huge = member_of_group("huge", age);
  huge.syncs(1, "consumer", "", "", 3'000'000).beats().syncs().is_described().into(rows, "assignment_of_3_MB");
}

void add_bad_joins(Rows& rows) {
  const auto add = [&rows](const std::string& what, std::function<void(JoinGroupRequest&)> change) {
    single(
        rows, what, {},
        [change, what](const Scene&, std::int16_t version) {
          JoinGroupRequest request = join("bad-" + what + std::to_string(version), "");
          change(request);
          return request;
        },
        start_groups);
  };
  add("short_session", [](JoinGroupRequest& request) { request.session_timeout_ms = 5'999; });
  add("long_session", [](JoinGroupRequest& request) { request.session_timeout_ms = 1'800'001; });
  add("without_protocols", [](JoinGroupRequest& request) { request.protocols.clear(); });
  add("without_protocol_type", [](JoinGroupRequest& request) { request.protocol_type.clear(); });
  add("with_a_strange_member_id", [](JoinGroupRequest& request) { request.member_id = "made-up"; });
  single(
      rows, "with_a_name_as_long_as_can_be", {},
      [](const Scene&, std::int16_t version) {
        return join(std::string(32'760, 'g') + "-" + std::to_string(version), "");
      },
      start_groups);
}

/// A name longer than any that the protocol allows, where the length of a text is not two bytes.
template <typename Request>
void add_name_too_long(Rows& rows, Request request, std::int16_t version) {
  const auto make = [=](const Scene&) {
    Writer out;
    const std::size_t begin = begin_frame(out);
    Writer rest;  // all that follows the group's name, which is empty: one byte
    const bool done = encode_request_header(out, Request::kApiKey, version, kCorrelationId, "differential") &&
                      request.encode(rest, version);
    if (!done) throw std::runtime_error("a row's request cannot be encoded");
    out.compact_string(std::string(32'768, 'g'));
    out.bytes(rest.view().subspan(1));
    end_frame(out, begin);
    return Frame{out.take(), Request::kApiKey, version};
  };
  rows.add({row_name(Request::kApiKey, version, "with_too_long_a_name"), {make}, start_groups});
}

void add_names_too_long(Rows& rows) {
  add_name_too_long(rows, join("", ""), 9);
  add_name_too_long(rows, SyncGroupRequest{}, 5);
  add_name_too_long(rows, HeartbeatRequest{}, 4);
  add_name_too_long(rows, LeaveGroupRequest{}, 5);
  add_name_too_long(rows, OffsetCommitRequest{}, 9);
}

void add_lists(Rows& rows) {
  const auto add = [&rows](const std::string& what, Versions versions, const ListGroupsRequest& request) {
    single(
        rows, what, versions, [request](const Scene&, std::int16_t) { return request; }, start_groups);
  };
  add("of_all", {}, {});
  ListGroupsRequest filtered;
  filtered.states_filter = {" stable", "EMPTY"};
  add("of_two_states", {4}, filtered);
  filtered.states_filter = {"no such state"};
  add("of_no_state", {4}, filtered);
  filtered.states_filter.clear();
  filtered.types_filter = {"Classic"};
  add("of_the_classic_type", {5}, filtered);
  filtered.types_filter = {"consumer"};
  add("of_the_consumer_type", {5}, filtered);
  filtered.types_filter = {"no such type"};
  add("of_no_type", {5}, filtered);
}

}  // namespace

void add_group_rows(Rows& rows) {
  add_find_coordinator(rows);
  add_bad_joins(rows);
  add_names_too_long(rows);
  for (std::int16_t age = 0; age <= 9; ++age) {
    add_member_lives(rows, age);
    add_other_lives(rows, age);
    add_fenced_lives(rows, age);
  }
  add_lists(rows);
  // Behind the lists: groups that Apache Kafka fails over stay in another state there.
  for (std::int16_t age = 0; age <= 9; ++age) add_garbage_lives(rows, age);
}

}  // namespace barnabas::differential
