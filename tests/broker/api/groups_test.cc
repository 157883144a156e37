// The group APIs over a connection: every version is understood, and a group lives from its first member to its end.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "barnabas/embedded_broker.h"
#include "common/protocol/messages/delete_groups.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/describe_configs.h"
#include "common/protocol/messages/describe_groups.h"
#include "common/protocol/messages/find_coordinator.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/list_groups.h"
#include "common/protocol/messages/metadata.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_delete.h"
#include "common/protocol/messages/offset_fetch.h"
#include "common/protocol/messages/sync_group.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using namespace barnabas::protocol;

FindCoordinatorResponse find_coordinator(RawSocket& socket, const std::string& key, std::int16_t version = 6) {
  FindCoordinatorRequest request;
  if (version < 4) {
    request.key = key;
  } else {
    request.coordinator_keys = {key};
  }
  return ask<FindCoordinatorResponse>(socket, request, version).value();
}

JoinGroupRequest join_request(const std::string& group, const std::string& member_id = "") {
  JoinGroupRequest request;
  request.group_id = group;
  request.member_id = member_id;
  request.session_timeout_ms = 10'000;
  request.rebalance_timeout_ms = 60'000;
  request.protocol_type = "consumer";
  request.protocols.emplace_back();
  request.protocols.back().name = "range";
  request.protocols.back().metadata = Bytes(6);
  return request;
}

/// Becomes the group's only member, with an assignment of one byte; its id.
std::string join_alone(RawSocket& socket, const std::string& group, std::int16_t join_version = 9,
                       std::int16_t sync_version = 5) {
  auto joined = ask<JoinGroupResponse>(socket, join_request(group), join_version).value();
  if (join_version >= 4) {
    EXPECT_EQ(error_of(joined.error_code), ErrorCode::member_id_required);
    joined = ask<JoinGroupResponse>(socket, join_request(group, joined.member_id), join_version).value();
  }
  EXPECT_EQ(joined.error_code, 0) << join_version;
  EXPECT_EQ(joined.leader, joined.member_id);
  SyncGroupRequest sync;
  sync.group_id = group;
  sync.member_id = joined.member_id;
  sync.generation_id = joined.generation_id;
  if (sync_version >= 5) {
    sync.protocol_type = "consumer";
    sync.protocol_name = "range";
  }
  sync.assignments.emplace_back();
  sync.assignments.back().member_id = joined.member_id;
  sync.assignments.back().assignment = Bytes(1);
  const auto synced = ask<SyncGroupResponse>(socket, sync, sync_version).value();
  EXPECT_EQ(synced.error_code, 0);
  EXPECT_EQ(synced.assignment.size(), 1U);
  return joined.member_id;
}

std::int16_t heartbeat(RawSocket& socket, const std::string& group, const std::string& member_id,
                       std::int32_t generation = 1, std::int16_t version = 4) {
  HeartbeatRequest request;
  request.group_id = group;
  request.member_id = member_id;
  request.generation_id = generation;
  return ask<HeartbeatResponse>(socket, request, version)->error_code;
}

OffsetCommitResponse commit(RawSocket& socket, const std::string& group, const std::string& topic, std::int64_t offset,
                            std::int16_t version = 9, const Uuid& topic_id = {}, std::int32_t partition = 0) {
  OffsetCommitRequest request;
  request.group_id = group;
  auto& written = request.topics.emplace_back();
  if (version < 10) {
    written.name = topic;
  } else {
    written.topic_id = topic_id;
  }
  written.partitions.emplace_back();
  written.partitions.back().partition_index = partition;
  written.partitions.back().committed_offset = offset;
  written.partitions.back().committed_metadata = "note";
  return ask<OffsetCommitResponse>(socket, request, version).value();
}

OffsetFetchResponse fetch(RawSocket& socket, const std::string& group, const std::string& topic, std::int16_t version,
                          const Uuid& topic_id = {}) {
  OffsetFetchRequest request;
  if (version < 8) {
    request.group_id = group;
    request.topics->emplace_back();
    request.topics->back().name = topic;
    request.topics->back().partition_indexes = {0};
  } else {
    auto& batched = request.groups.emplace_back();
    batched.group_id = group;
    batched.topics->emplace_back();
    if (version < 10) batched.topics->back().name = topic;
    if (version >= 10) batched.topics->back().topic_id = topic_id;
    batched.topics->back().partition_indexes = {0};
  }
  return ask<OffsetFetchResponse>(socket, request, version).value();
}

TEST(FindCoordinator, names_this_broker_in_every_version_and_makes_the_offsets_topic) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (std::int16_t version = 0; version <= 6; ++version) {
    const auto found = find_coordinator(socket, "billing", version);
    if (version < 4) {
      EXPECT_EQ(found.error_code, 0) << version;
      EXPECT_EQ(found.node_id, 1);
      EXPECT_EQ(found.port, broker->port());
    } else {
      ASSERT_EQ(found.coordinators.size(), 1U);
      EXPECT_EQ(found.coordinators[0].key, "billing");
      EXPECT_EQ(found.coordinators[0].error_code, 0);
      EXPECT_EQ(found.coordinators[0].port, broker->port());
    }
  }
  MetadataRequest metadata;
  metadata.topics.emplace();
  metadata.topics->emplace_back();
  metadata.topics->back().name = "__consumer_offsets";
  const auto topics = ask<MetadataResponse>(socket, metadata, 12)->topics;
  EXPECT_TRUE(topics.at(0).is_internal);
  EXPECT_EQ(topics.at(0).partitions.size(), 50U);
  DescribeConfigsRequest configs;
  configs.resources.emplace_back();
  configs.resources.back().resource_type = 2;
  configs.resources.back().resource_name = "__consumer_offsets";
  std::map<std::string, std::string> values;
  const auto described = ask<DescribeConfigsResponse>(socket, configs, 4).value();
  for (const auto& entry : described.results.at(0).configs) values[entry.name] = entry.value.value_or("");
  EXPECT_EQ(values["cleanup.policy"], "compact");  // so retention deletes nothing of it
  EXPECT_EQ(values["compression.type"], "producer");
  EXPECT_EQ(values["segment.bytes"], "104857600");
}

TEST(FindCoordinator, refuses_other_kinds_of_coordinators) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  FindCoordinatorRequest request;
  request.coordinator_keys = {"payments"};
  request.key_type = 1;
  EXPECT_EQ(error_of(ask<FindCoordinatorResponse>(socket, request, 4)->coordinators.at(0).error_code),
            ErrorCode::unsupported_version);
  request.key_type = 9;
  EXPECT_EQ(error_of(ask<FindCoordinatorResponse>(socket, request, 4)->coordinators.at(0).error_code),
            ErrorCode::invalid_request);
}

TEST(Groups, live_from_the_first_member_to_the_last_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  find_coordinator(socket, "any");
  for (std::int16_t version = 0; version <= 9; ++version) {
    const std::string group = "g" + std::to_string(version);
    const auto at_most = [version](int most) { return static_cast<std::int16_t>(std::min<int>(version, most)); };
    const std::string id = join_alone(socket, group, version, at_most(5));
    EXPECT_EQ(heartbeat(socket, group, id, 1, at_most(4)), 0);
    EXPECT_EQ(error_of(heartbeat(socket, group, id, 2, at_most(4))), ErrorCode::illegal_generation);
    LeaveGroupRequest leave;
    leave.group_id = group;
    if (version < 3) {
      leave.member_id = id;
    } else {
      leave.members.emplace_back();
      leave.members.back().member_id = id;
    }
    const auto left = ask<LeaveGroupResponse>(socket, leave, at_most(5)).value();
    EXPECT_EQ(left.error_code, 0);
    for (const auto& member : left.members) EXPECT_EQ(member.error_code, 0);
    EXPECT_EQ(error_of(heartbeat(socket, group, id, 1, at_most(4))), ErrorCode::unknown_member_id);
  }
}

TEST(Groups, are_refused_what_kafka_refuses) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  EXPECT_EQ(error_of(heartbeat(socket, "billing", "m")), ErrorCode::not_coordinator);  // nobody has asked for one
  find_coordinator(socket, "billing");
  EXPECT_EQ(error_of(heartbeat(socket, "billing", "m")), ErrorCode::unknown_member_id);
  EXPECT_EQ(error_of(heartbeat(socket, "", "m")), ErrorCode::invalid_group_id);
  auto join = join_request("billing");
  for (const std::int32_t timeout : {5'999, 1'800'001}) {
    join.session_timeout_ms = timeout;
    EXPECT_EQ(error_of(ask<JoinGroupResponse>(socket, join, 9)->error_code), ErrorCode::invalid_session_timeout);
  }
  join = join_request("");
  EXPECT_EQ(error_of(ask<JoinGroupResponse>(socket, join, 9)->error_code), ErrorCode::invalid_group_id);
  SyncGroupRequest sync;
  sync.group_id = "billing";
  EXPECT_EQ(error_of(ask<SyncGroupResponse>(socket, sync, 5)->error_code), ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(error_of(ask<SyncGroupResponse>(socket, sync, 4)->error_code), ErrorCode::unknown_member_id);
}

TEST(Groups, let_other_connections_go_on_while_one_waits_to_join) {
  TestBroker broker;
  RawSocket first = broker.connect();
  find_coordinator(first, "billing");
  const std::string leader = join_alone(first, "billing");
  RawSocket second = broker.connect();
  const auto given = ask<JoinGroupResponse>(second, join_request("billing"), 9).value();
  ASSERT_TRUE(second.send(request_frame(join_request("billing", given.member_id), 9)));
  while (error_of(heartbeat(first, "billing", leader)) != ErrorCode::rebalance_in_progress) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto rejoined = ask<JoinGroupResponse>(first, join_request("billing", leader), 9).value();
  EXPECT_EQ(rejoined.generation_id, 2);
  EXPECT_EQ(rejoined.members.size(), 2U);
  Bytes frame;
  const auto joined = receive<JoinGroupResponse>(second, 9, frame);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->generation_id, 2);
  EXPECT_TRUE(joined->members.empty());
}

TEST(Groups, forget_a_client_that_hung_up_while_it_waited) {
  TestBroker broker;
  RawSocket first = broker.connect();
  find_coordinator(first, "billing");
  const std::string leader = join_alone(first, "billing");
  {
    RawSocket second = broker.connect();
    const auto given = ask<JoinGroupResponse>(second, join_request("billing"), 9).value();
    ASSERT_TRUE(second.send(request_frame(join_request("billing", given.member_id), 9)));
    while (error_of(heartbeat(first, "billing", leader)) != ErrorCode::rebalance_in_progress) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  EXPECT_EQ(ask<JoinGroupResponse>(first, join_request("billing", leader), 9)->members.size(), 2U);
}

TEST(Offsets, are_committed_and_fetched_in_every_version) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  find_coordinator(socket, "billing");
  const Uuid id = create_topic(socket, "orders");
  for (std::int16_t version = 2; version <= 10; ++version) {
    EXPECT_EQ(commit(socket, "billing", "orders", version, version, id).topics.at(0).partitions.at(0).error_code, 0);
    for (std::int16_t reading = 1; reading <= 10; ++reading) {
      const auto fetched = fetch(socket, "billing", "orders", reading, id);
      const std::int64_t offset = reading < 8 ? fetched.topics.at(0).partitions.at(0).committed_offset
                                              : fetched.groups.at(0).topics.at(0).partitions.at(0).committed_offset;
      EXPECT_EQ(offset, version) << reading;
    }
  }
  OffsetFetchRequest all;
  all.groups.emplace_back();
  all.groups.back().group_id = "billing";
  all.groups.back().topics.reset();
  all.groups.emplace_back();
  all.groups.back().group_id = "another";
  const auto fetched = ask<OffsetFetchResponse>(socket, all, 10).value();
  ASSERT_EQ(fetched.groups.size(), 2U);
  EXPECT_EQ(fetched.groups[0].topics.at(0).topic_id, id);
  EXPECT_EQ(fetched.groups[0].topics.at(0).partitions.at(0).metadata, "note");
  EXPECT_EQ(fetched.groups[1].error_code, 0);
}

TEST(Offsets, of_what_is_not_there_are_refused) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  create_topic(socket, "orders");
  const auto error = [](const OffsetCommitResponse& response) {
    return error_of(response.topics.at(0).partitions.at(0).error_code);
  };
  EXPECT_EQ(error(commit(socket, "billing", "orders", 1)), ErrorCode::not_coordinator);
  find_coordinator(socket, "billing");
  EXPECT_EQ(error(commit(socket, "billing", "none", 1)), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(error(commit(socket, "billing", "orders", 1, 9, {}, 7)), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(error(commit(socket, "billing", "", 1, 10, Uuid(1, 2))), ErrorCode::unknown_topic_id);
  const auto fetched = fetch(socket, "billing", "", 10, Uuid(1, 2));
  EXPECT_EQ(error_of(fetched.groups.at(0).topics.at(0).partitions.at(0).error_code), ErrorCode::unknown_topic_id);
}

TEST(Groups, are_described_listed_and_deleted) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  find_coordinator(socket, "billing");
  create_topic(socket, "orders");
  const std::string id = join_alone(socket, "billing");
  commit(socket, "simple", "orders", 5);
  for (std::int16_t version = 0; version <= 6; ++version) {
    DescribeGroupsRequest describe;
    describe.groups = {"billing", "none"};
    describe.include_authorized_operations = version >= 3;
    const auto described = ask<DescribeGroupsResponse>(socket, describe, version).value();
    ASSERT_EQ(described.groups.size(), 2U);
    EXPECT_EQ(described.groups[0].group_state, "Stable");
    EXPECT_EQ(described.groups[0].members.at(0).client_id, "test");
    EXPECT_EQ(described.groups[0].members.at(0).client_host, "/127.0.0.1");
    EXPECT_EQ(described.groups[1].group_state, "Dead");
    EXPECT_EQ(error_of(described.groups[1].error_code), version >= 6 ? ErrorCode::group_id_not_found : ErrorCode::none);
  }
  ListGroupsRequest list;
  EXPECT_EQ(ask<ListGroupsResponse>(socket, list, 0)->groups.size(), 2U);
  list.states_filter = {" STABLE "};
  list.types_filter = {"Classic"};
  const auto stable = ask<ListGroupsResponse>(socket, list, 5).value();
  ASSERT_EQ(stable.groups.size(), 1U);
  EXPECT_EQ(stable.groups[0].group_id, "billing");
  list.types_filter = {"consumer"};
  EXPECT_TRUE(ask<ListGroupsResponse>(socket, list, 5)->groups.empty());

  OffsetDeleteRequest remove;
  remove.group_id = "simple";
  remove.topics.emplace_back();
  remove.topics.back().name = "orders";
  remove.topics.back().partitions.emplace_back();
  EXPECT_EQ(ask<OffsetDeleteResponse>(socket, remove, 0)->topics.at(0).partitions.at(0).error_code, 0);
  EXPECT_EQ(fetch(socket, "simple", "orders", 7).topics.at(0).partitions.at(0).committed_offset, -1);
  DeleteGroupsRequest erase;
  erase.groups_names = {"billing", "simple", "none"};
  const auto erased = ask<DeleteGroupsResponse>(socket, erase, 2).value();
  std::map<std::string, ErrorCode> results;
  for (const auto& result : erased.results) results[result.group_id] = error_of(result.error_code);
  EXPECT_EQ(results["billing"], ErrorCode::non_empty_group);
  EXPECT_EQ(results["simple"], ErrorCode::none);
  EXPECT_EQ(results["none"], ErrorCode::group_id_not_found);
}

/// A broker with a page of metrics, and that page as a monitoring system reads it.
class GroupMetricsTest : public ::testing::Test {
 protected:
  std::string scrape() {
    RawSocket scraper(broker->metrics_port());
    EXPECT_TRUE(scraper.send(as_bytes("GET /metrics HTTP/1.1\r\n\r\n")));
    return std::string(as_text(scraper.receive_rest()));
  }
  void expect_line(const std::string& page, const std::string& line) {
    EXPECT_NE(page.find("\n" + line + "\n"), std::string::npos) << line << " is not in\n" << page;
  }
  static std::string of(const char* name, const std::string& partition) {
    return std::string(name) + R"({group="billing",topic="orders",partition=")" + partition + "\"} ";
  }

  TestBroker broker{TestBroker::Settings{{"metrics.port", "0"}}};
  RawSocket socket = broker.connect();
};

TEST_F(GroupMetricsTest, tell_how_far_a_group_lies_behind_what_was_produced) {
  create_topic(socket, "orders", 2);
  produce(socket, "orders", batch_of({"a", "b", "c", "d", "e"}), -1, 0);
  produce(socket, "orders", batch_of({"a", "b", "c"}), -1, 1);
  find_coordinator(socket, "billing");
  commit(socket, "billing", "orders", 2, 9, {}, 0);
  commit(socket, "billing", "orders", 3, 9, {}, 1);
  std::string page = scrape();
  expect_line(page, of("barnabas_group_committed_offset", "0") + "2");
  expect_line(page, of("barnabas_group_committed_offset", "1") + "3");
  expect_line(page, of("barnabas_group_lag", "0") + "3");
  expect_line(page, of("barnabas_group_lag", "1") + "0");
  expect_line(page, "barnabas_group_commits_total 2");
  expect_line(page, R"(barnabas_groups{state="Empty"} 1)");
  produce(socket, "orders", batch_of({"d", "e", "f", "g"}), -1, 1);
  commit(socket, "billing", "orders", 9, 9, {}, 0);  // of a log that was longer once
  page = scrape();
  expect_line(page, of("barnabas_group_lag", "0") + "0");
  expect_line(page, of("barnabas_group_lag", "1") + "4");
  expect_line(page, "barnabas_group_commits_total 3");
}

TEST_F(GroupMetricsTest, tell_the_states_of_groups_and_how_often_they_met) {
  find_coordinator(socket, "billing");
  std::string page = scrape();
  expect_line(page, "barnabas_group_rebalances_total 0");
  EXPECT_EQ(page.find("barnabas_groups{"), std::string::npos);
  const std::string id = join_alone(socket, "billing");
  join_alone(socket, "audit");
  page = scrape();
  expect_line(page, R"(barnabas_groups{state="Stable"} 2)");
  expect_line(page, "barnabas_group_rebalances_total 2");
  LeaveGroupRequest leave;
  leave.group_id = "billing";
  leave.members.emplace_back();
  leave.members.back().member_id = id;
  ask<LeaveGroupResponse>(socket, leave, 5);
  page = scrape();
  expect_line(page, R"(barnabas_groups{state="Stable"} 1)");
  expect_line(page, R"(barnabas_groups{state="Empty"} 1)");
  expect_line(page, "barnabas_group_rebalances_total 2");
}

TEST(Groups, go_on_over_a_restart_of_the_broker_without_a_rebalance) {
  EmbeddedBroker broker;
  std::string id;
  {
    RawSocket socket(broker.port());
    find_coordinator(socket, "billing");
    create_topic(socket, "orders");
    id = join_alone(socket, "billing");
    OffsetCommitRequest request;
    commit(socket, "simple", "orders", 5);
  }
  for (int round = 0; round < 3; ++round) {
    broker.stop();
    broker.start();
    RawSocket socket(broker.port());
    std::int16_t error = heartbeat(socket, "billing", id);
    EXPECT_EQ(error, 0) << round;
    OffsetFetchResponse fetched;
    do {
      fetched = fetch(socket, "simple", "orders", 8);
    } while (error_of(fetched.groups.at(0).error_code) == ErrorCode::coordinator_load_in_progress);
    EXPECT_EQ(fetched.groups.at(0).topics.at(0).partitions.at(0).committed_offset, 5);
    EXPECT_EQ(heartbeat(socket, "billing", id), 0);
  }
}

TEST(Groups, keep_their_topic_to_themselves) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  find_coordinator(socket, "billing");
  const auto refused = produce(socket, "__consumer_offsets", batch_of({"mine"}));
  EXPECT_EQ(error_of(refused.error_code), ErrorCode::invalid_topic_exception);
}

TEST(Offsets, go_with_their_topic) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  find_coordinator(socket, "billing");
  create_topic(socket, "orders");
  commit(socket, "billing", "orders", 5);
  DeleteTopicsRequest remove;
  remove.topic_names = {"orders"};
  remove.timeout_ms = 10'000;
  ASSERT_TRUE(ask<DeleteTopicsResponse>(socket, remove, 4));
  create_topic(socket, "orders");
  std::int64_t offset = 5;
  for (int i = 0; i < 2000 && offset != -1; ++i) {
    offset = fetch(socket, "billing", "orders", 7).topics.at(0).partitions.at(0).committed_offset;
    if (offset != -1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(offset, -1);
}

}  // namespace
}  // namespace barnabas::broker
