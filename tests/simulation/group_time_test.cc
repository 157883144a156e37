#include <barnabas/barnabas.h>
#include <barnabas/consumer_async.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/core/client_runtime.h"
#include "tests/simulation/world.h"

// How long partitions of a member that goes away are served by nobody, in virtual time, at Kafka's default settings.
namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;

constexpr std::int32_t kPartitions = 6;
constexpr Duration kSessionTimeout = 45s;    // session.timeout.ms
constexpr Duration kHeartbeatInterval = 3s;  // heartbeat.interval.ms
constexpr Duration kBetweenRecords = 200ms;  // of a partition
constexpr auto kPoll = std::chrono::milliseconds(500);
constexpr Duration kSpread = 12s;  // all know each other by then

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

struct Member {
  Member(World& world, runtime::VirtualProcess& its_process, const std::string& name, const std::string& assignors)
      : process(its_process),
        consumer(Config{{"bootstrap.servers", "broker:9092"},
                        {"group.id", "g"},
                        {"client.id", name},
                        {"auto.offset.reset", "earliest"},
                        {"partition.assignment.strategy", assignors}},
                 {.runtime = Runtime(client::ClientRuntime::make(process, world.network(), name))}) {
    consumer.subscribe({kTopic});
  }

  runtime::VirtualProcess& process;
  bool is_over = false;
  std::map<std::int32_t, std::vector<Duration>> reads;  // by partition: when a record came
  Consumer consumer;
};

/// Three members that poll all the time, and records for each partition all the time.
class GroupTime : public ::testing::TestWithParam<std::tuple<const char*, std::uint64_t>> {
 protected:
  GroupTime()
      : world_(plan(), runtime::LogLevel::off, [](const std::string&) {}),
        producer_(
            (world_.start_broker(), make_topic(), Config{{"bootstrap.servers", "broker:9092"}, {"linger.ms", "0"}}),
            {.runtime = runtime("producer")}) {
    for (std::int32_t p = 0; p < kPartitions; ++p) producer_.send_sync({.topic = kTopic, .partition = p, .value = "v"});
    asio::co_spawn(world_.env().executor(), produce(this), asio::detached);
  }
  ~GroupTime() override {
    is_over_ = true;
    for (const auto& member : members_) {
      member->is_over = true;
      member->process.pause(false);
    }
    world_.env().run_for(1s);
    members_.clear();
    world_.env().run_for(1s);  // what they left under way ends while their processes are there
  }

  static Plan plan() {
    Plan plan;
    plan.seed = std::get<1>(GetParam());
    return plan;
  }
  Runtime runtime(const std::string& name) {
    return Runtime(client::ClientRuntime::make(world_.env(), world_.network(), name));
  }
  void make_topic() {
    Admin admin(Config{{"bootstrap.servers", "broker:9092"}}, {.runtime = runtime("admin")});
    EXPECT_FALSE(admin.create_topics({{.name = kTopic, .partitions = kPartitions}}).at(0).error);
  }

  static asio::awaitable<void> produce(GroupTime* self) {
    while (!self->is_over_) {
      for (std::int32_t p = 0; p < kPartitions; ++p) {
        self->producer_.send({.topic = kTopic, .partition = p, .value = "v"}, [](const Delivery&) {});
      }
      co_await self->world_.env().sleep_for(kBetweenRecords);
    }
  }
  static asio::awaitable<void> poll(GroupTime* self, Member* member) {
    while (!member->is_over) {
      const Records records = co_await member->consumer.async_poll(kPoll, asio::use_awaitable);
      for (const RecordView& record : records) member->reads[record.partition()].push_back(self->world_.elapsed());
    }
  }

  Member& join() {
    const std::string name = "member-" + std::to_string(members_.size());
    processes_.push_back(std::make_unique<runtime::VirtualProcess>(world_.env()));
    members_.push_back(std::make_unique<Member>(world_, *processes_.back(), name, std::get<0>(GetParam())));
    asio::co_spawn(world_.env().executor(), poll(this, members_.back().get()), asio::detached);
    return *members_.back();
  }
  /// Three members; so long after they know each other that the seed decides where their heartbeats are.
  void spread() {
    for (int i = 0; i < 3; ++i) join();
    world_.env().run_for(kSpread + std::chrono::milliseconds(world_.env().random().below(3000)));
    for (const auto& member : members_) ASSERT_EQ(owned(*member).size(), 2u) << member->consumer.explain();
  }
  static std::set<std::int32_t> owned(const Member& member) {
    std::set<std::int32_t> partitions;
    for (const TopicPartition& where : member.consumer.assignment()) partitions.insert(where.partition);
    return partitions;
  }
  /// When anybody but `gone` first read something of the partition after `since`.
  std::optional<Duration> served(std::int32_t partition, const Member& gone, Duration since) const {
    std::optional<Duration> first;
    for (const auto& member : members_) {
      if (member.get() == &gone) continue;
      const auto reads = member->reads.find(partition);
      if (reads == member->reads.end()) continue;
      const auto at = std::upper_bound(reads->second.begin(), reads->second.end(), since);
      if (at != reads->second.end() && (!first || *at < *first)) first = *at;
    }
    return first;
  }
  void expect_served(const std::set<std::int32_t>& partitions, const Member& gone, Duration since, Duration within) {
    ASSERT_EQ(partitions.size(), 2u);
    for (const std::int32_t partition : partitions) {
      const auto first = served(partition, gone, since);
      ASSERT_TRUE(first) << "partition " << partition << " is read by nobody";
      EXPECT_LE(seconds(*first - since), seconds(within)) << "partition " << partition;
      longest_ = std::max(longest_, *first - since);
    }
  }

  World world_;
  Producer producer_;
  std::vector<std::unique_ptr<runtime::VirtualProcess>> processes_;
  std::vector<std::unique_ptr<Member>> members_;
  Duration longest_{};
  bool is_over_ = false;
};

class CooperativeGroupTime : public GroupTime {};

TEST_P(GroupTime, a_killed_members_partitions_are_served_within_session_timeout_heartbeat_interval_and_a_second) {
  ASSERT_NO_FATAL_FAILURE(spread());
  Member& victim = *members_[1];
  const auto partitions = owned(victim);
  victim.process.pause(true);  // as a host that is gone: not even its connections end
  const Duration killed = world_.elapsed();
  constexpr Duration kWithin = kSessionTimeout + kHeartbeatInterval + 1s;
  world_.env().run_for(kWithin + 10s);
  expect_served(partitions, victim, killed, kWithin);
  EXPECT_GE(seconds(longest_), seconds(kSessionTimeout - kHeartbeatInterval - 1s))
      << "it was given up before its session ended";
}

TEST_P(GroupTime, a_leaving_members_partitions_are_served_within_heartbeat_interval_and_a_second) {
  ASSERT_NO_FATAL_FAILURE(spread());
  Member& leaver = *members_[1];
  const auto partitions = owned(leaver);
  leaver.is_over = true;
  world_.env().run_for(2 * kPoll);
  const Duration left = world_.elapsed();
  leaver.consumer.close();
  world_.env().run_for(kHeartbeatInterval + 10s);
  expect_served(partitions, leaver, left, kHeartbeatInterval + 1s);
}

TEST_P(CooperativeGroupTime, a_cooperative_rebalance_leaves_no_gap_on_partitions_that_stay) {
  ASSERT_NO_FATAL_FAILURE(spread());
  std::vector<std::set<std::int32_t>> before;
  for (const auto& member : members_) before.push_back(owned(*member));
  const Duration joined = world_.elapsed();
  Member& fourth = join();
  world_.env().run_for(15s);
  EXPECT_EQ(owned(fourth).size(), 1u) << fourth.consumer.explain();
  int stayed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    for (const std::int32_t partition : before[i]) {
      if (owned(*members_[i]).count(partition) == 0) continue;
      ++stayed;
      Duration last = joined;
      for (const Duration at : members_[i]->reads[partition]) {
        if (at < joined) continue;
        EXPECT_LT(seconds(at - last), 2 * seconds(kBetweenRecords))
            << "partition " << partition << " at " << seconds(at - joined) << " s";
        last = at;
      }
      EXPECT_LT(seconds(world_.elapsed() - last), 2 * seconds(kBetweenRecords)) << "partition " << partition;
    }
  }
  EXPECT_EQ(stayed, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupTime,
                         ::testing::Combine(::testing::Values("range,cooperative-sticky", "cooperative-sticky"),
                                            ::testing::Range<std::uint64_t>(1, 4)));
INSTANTIATE_TEST_SUITE_P(Seeds, CooperativeGroupTime,
                         ::testing::Combine(::testing::Values("cooperative-sticky"),
                                            ::testing::Range<std::uint64_t>(1, 4)));

}  // namespace
}  // namespace barnabas::simulation
