#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "client/core/consumer_protocol.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/sync_group.h"
#include "common/record/batch_view.h"
#include "tests/simulation/group_run.h"
#include "tests/simulation/world.h"

namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = GroupEvent::Kind;

// ---- defects in what was observed

GroupEvent event(Kind kind, std::vector<std::int32_t> partitions, std::string member = "a") {
  GroupEvent made;
  made.kind = kind;
  made.member = std::move(member);
  made.generation = 1;
  made.partitions = std::move(partitions);
  return made;
}
GroupEvent at(Kind kind, std::int32_t partition, std::int64_t offset) {
  GroupEvent made;
  made.kind = kind;
  made.member = "a";
  made.place = {partition, offset};
  return made;
}

/// One member has two partitions, processes a record of each, commits, and loses one of them in good order.
GroupHistory sound_history() {
  GroupHistory history;
  history.acknowledged = {{0, 0}, {1, 0}};
  history.events = {event(Kind::assigned, {0, 1}), event(Kind::owns, {0, 1}), at(Kind::returned, 0, 0),
                    at(Kind::returned, 1, 0),      at(Kind::processed, 0, 0), at(Kind::processed, 1, 0),
                    at(Kind::commits, 0, 1),       at(Kind::commits, 1, 1),   event(Kind::revoked, {1})};
  history.ledger = {{LedgerEntry::Kind::stored, 0, 5}, {LedgerEntry::Kind::read, 0, 5}};
  return history;
}

std::vector<std::string> problems_of(const std::function<void(GroupHistory&)>& spoil) {
  GroupHistory history = sound_history();
  spoil(history);
  return check(history);
}
std::vector<std::string> problems_after(GroupEvent last) {
  return problems_of([&last](GroupHistory& history) { history.events.push_back(std::move(last)); });
}

TEST(GroupChecker, finds_nothing_in_a_sound_history) {
  EXPECT_THAT(problems_of([](GroupHistory&) {}), IsEmpty());
}

TEST(GroupChecker, finds_two_owners_of_one_generation) {
  EXPECT_THAT(problems_after(event(Kind::owns, {1}, "b")),
              Contains(HasSubstr("partition 1 has two owners in generation 1: a and b")));
  GroupEvent later = event(Kind::owns, {1}, "b");
  later.generation = 2;
  EXPECT_THAT(problems_after(later), IsEmpty());
}

TEST(GroupChecker, finds_partitions_that_are_given_and_taken_twice) {
  EXPECT_THAT(problems_after(event(Kind::assigned, {0})), Contains(HasSubstr("was given partition 0 that it had")));
  EXPECT_THAT(problems_after(event(Kind::revoked, {1})), Contains(HasSubstr("that it did not have")));
  EXPECT_THAT(problems_after(at(Kind::returned, 1, 1)),
              Contains(HasSubstr("got record 1-1 of a partition that it did not have")));
}

TEST(GroupChecker, finds_a_member_that_is_expelled_without_a_reason) {
  EXPECT_THAT(problems_after(event(Kind::lost, {0})), Contains(HasSubstr("though it was there all the time")));
  GroupEvent excused = event(Kind::lost, {0});
  excused.may_be_lost = true;
  EXPECT_THAT(problems_after(excused), IsEmpty());
}

TEST(GroupChecker, finds_commits_past_unfinished_work_and_records_that_nobody_processed) {
  EXPECT_THAT(problems_after(at(Kind::commits, 0, 2)),
              Contains(HasSubstr("committed offset 2 of partition 0 when nobody had processed 1")));
  EXPECT_THAT(problems_of([](GroupHistory& history) { history.acknowledged.emplace(0, 1); }),
              Contains(HasSubstr("record 0-1 was acknowledged and never processed")));
}

TEST(GroupChecker, finds_committed_offsets_that_are_lost_or_come_back) {
  const auto problems_of_ledger = [](std::vector<LedgerEntry> more) {
    return problems_of(
        [&more](GroupHistory& history) { history.ledger.insert(history.ledger.end(), more.begin(), more.end()); });
  };
  EXPECT_THAT(problems_of_ledger({{LedgerEntry::Kind::read, 0, std::nullopt}}),
              Contains(HasSubstr("the offset of partition 0 is nothing, and 5 was stored last")));
  EXPECT_THAT(problems_of_ledger({{LedgerEntry::Kind::stored, 0, std::nullopt}, {LedgerEntry::Kind::read, 0, 5}}),
              Contains(HasSubstr("the offset of partition 0 is 5, and nothing was stored last")));
  EXPECT_THAT(problems_of_ledger({{LedgerEntry::Kind::tried, 0, 6}, {LedgerEntry::Kind::read, 0, 6}}), IsEmpty());
}

// ---- defects in the system

constexpr std::size_t kHeartbeatErrorAt = 4 + 4 + 1 + 4;  // behind size, correlation id, tags and throttle time

template <typename Request>
Instead instead_of(const protocol::RequestHeader& header, const Request& request) {
  Writer out;
  EXPECT_TRUE(protocol::encode_request_frame(out, request, header.request_api_version, header.correlation_id,
                                             header.client_id));
  return {out.take(), std::nullopt};
}

template <typename Request>
std::optional<Request> request_of(const protocol::RequestHeader& header, BytesView body) {
  if (static_cast<protocol::ApiKey>(header.request_api_key) != Request::kApiKey) return std::nullopt;
  Reader in(body);
  auto request = Request::decode(in, header.request_api_version);
  EXPECT_TRUE(request);
  return request ? std::optional(std::move(*request)) : std::nullopt;
}

TEST(GroupSimulation, passes_a_group_to_which_nothing_happens) {
  const GroupOutcome outcome = run(GroupPlan::calm(1));
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_GT(outcome.history.acknowledged.size(), 100U);
}

/// The leader's assignments are changed on their way: the second member gets what the first one has, too.
TEST(GroupSimulation, reports_two_owners_in_one_generation) {
  GroupObserver observer;
  observer.tap = [](const std::string&, const protocol::RequestHeader& header,
                    BytesView body) -> std::optional<Instead> {
    auto request = request_of<protocol::SyncGroupRequest>(header, body);
    if (!request || request->assignments.size() < 2) return std::nullopt;
    const auto first = client::decode_assignment(request->assignments[0].assignment).value();
    auto second = client::decode_assignment(request->assignments[1].assignment).value();
    second.partitions.insert(second.partitions.end(), first.partitions.begin(), first.partitions.end());
    request->assignments[1].assignment = client::encode_assignment(second).value();
    return instead_of(header, *request);
  };
  EXPECT_THAT(run(GroupPlan::calm(1), observer).problems, Contains(HasSubstr("has two owners in generation")));
}

/// The coordinator takes one member's heartbeats for somebody else's, and says nothing.
TEST(GroupSimulation, reports_a_heartbeat_that_is_ignored) {
  GroupObserver observer;
  observer.tap = [](const std::string& member, const protocol::RequestHeader& header,
                    BytesView body) -> std::optional<Instead> {
    auto request = request_of<protocol::HeartbeatRequest>(header, body);
    if (!request || member != "member-1") return std::nullopt;
    EXPECT_GE(header.request_api_version, protocol::HeartbeatRequest::kFirstFlexibleVersion);
    request->member_id = "somebody else";
    Instead instead = instead_of(header, *request);
    instead.no_error_at = kHeartbeatErrorAt;
    return instead;
  };
  GroupPlan plan = GroupPlan::calm(1);
  plan.member["auto.commit.interval.ms"] = "15000";  // which is a sign of life too
  EXPECT_THAT(run(plan, observer).problems,
              Contains(HasSubstr("member-1 lost its partitions though it was there all the time")));
}

/// Some of a member's heartbeats, in their order, are ignored as above while it is stuck for two sessions.
GroupOutcome run_stuck(const std::string& max_poll_interval_ms, int ignored_from, int ignored_to) {
  GroupPlan plan = GroupPlan::calm(1);
  plan.members = 1;
  plan.member["max.poll.interval.ms"] = max_poll_interval_ms;
  plan.deeds = {{DeedKind::stick, 10s, 12s}};
  GroupObserver observer;
  int count = 0;
  observer.tap = [&](const std::string&, const protocol::RequestHeader& header,
                     BytesView body) -> std::optional<Instead> {
    auto request = request_of<protocol::HeartbeatRequest>(header, body);
    if (!request || ++count < ignored_from || count >= ignored_to) return std::nullopt;
    request->member_id = "somebody else";
    Instead instead = instead_of(header, *request);
    instead.no_error_at = kHeartbeatErrorAt;
    return instead;
  };
  return run(plan, observer);
}
std::size_t losses_of(const GroupOutcome& outcome) {
  const auto& events = outcome.history.events;
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [](const GroupEvent& one) { return one.kind == Kind::lost; }));
}

TEST(GroupSimulation, excuses_who_does_not_poll_only_from_its_max_poll_interval_on) {
  const GroupOutcome patient = run_stuck("300000", 0, 0);
  EXPECT_THAT(patient.problems, IsEmpty());
  EXPECT_EQ(losses_of(patient), 0U);
  const GroupOutcome strict = run_stuck("9000", 0, 0);
  EXPECT_THAT(strict.problems, IsEmpty());
  EXPECT_EQ(losses_of(strict), 1U);
  const GroupOutcome unheard = run_stuck("300000", 7, 15);  // about 10 s to 22 s
  EXPECT_EQ(losses_of(unheard), 1U);
  EXPECT_THAT(unheard.problems, Contains(HasSubstr("lost its partitions though it was there all the time")));
}

/// A member commits what poll returned before it has worked on it, and dies at that.
TEST(GroupSimulation, reports_a_commit_past_unfinished_work) {
  GroupPlan plan = GroupPlan::calm(1);
  plan.member["enable.auto.commit"] = "false";
  plan.deeds = {{DeedKind::crash, 10s, 0s}, {DeedKind::join, 11s, 0s}, {DeedKind::crash, 18s, 0s}};
  EXPECT_THAT(run(plan).problems, IsEmpty());
  plan.commits_too_early = true;
  EXPECT_THAT(run(plan).problems, Contains(HasSubstr("when nobody had processed")));
}

/// What a file of batches says without the batches that hold a tombstone; they leave a gap, as compaction does.
Bytes without_tombstones(const Bytes& log, std::size_t& removed) {
  Bytes rest;
  record::BatchCursor cursor{BytesView(log)};
  for (auto next = cursor.next(); next && *next; next = cursor.next()) {
    const auto batch = record::BatchView::read(**next);
    if (!batch) break;
    bool has_tombstone = false;
    record::RecordReader reader = batch->reader(batch->records());
    record::RecordView record;
    for (auto more = reader.next(record); more && *more; more = reader.next(record)) has_tombstone |= !record.value;
    removed += has_tombstone ? 1 : 0;
    if (!has_tombstone) rest.insert(rest.end(), (*next)->begin(), (*next)->end());
  }
  return rest;
}

/// One who commits and deletes offsets, a kill, and what the log of the offsets holds after it.
std::vector<std::string> problems_with_log(const std::function<Bytes(const Bytes&)>& damage) {
  GroupPlan plan = GroupPlan::calm(1);
  plan.members = 0;
  plan.world.faults = {{FaultKind::kill, 36s, 1s, 0}};
  GroupObserver observer;
  bool done = false;
  observer.while_down = [&](runtime::Files& files) {
    if (std::exchange(done, true)) return;
    const auto file =
        files.open("/data/__consumer_offsets-0/00000000000000000000.log", runtime::OpenMode::read_write).value();
    Bytes bytes(static_cast<std::size_t>(file->size().value()));
    ASSERT_EQ(file->read_at(bytes, 0).value(), bytes.size());
    const Bytes damaged = damage(bytes);
    ASSERT_TRUE(file->truncate(0));
    ASSERT_TRUE(file->write_at(BytesView(damaged), 0));
  };
  const GroupOutcome outcome = run(plan, observer);
  EXPECT_TRUE(done);
  return outcome.problems;
}

TEST(GroupSimulation, reports_a_lost_tombstone) {
  EXPECT_THAT(problems_with_log([](const Bytes& log) { return log; }), IsEmpty());
  std::size_t removed = 0;
  const auto problems = problems_with_log([&](const Bytes& log) { return without_tombstones(log, removed); });
  EXPECT_GT(removed, 0U);
  EXPECT_THAT(problems, Contains(HasSubstr("and nothing was stored last")));
}

}  // namespace
}  // namespace barnabas::simulation
