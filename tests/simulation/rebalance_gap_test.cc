#include <barnabas/barnabas.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/core/client_runtime.h"
#include "tests/simulation/group_plan.h"
#include "tests/simulation/world.h"

// How long partitions rest while their group meets, in virtual time: the network takes long, records come all the time,
// and poll is called all the time, so that a rest is the protocol's doing.
namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::int32_t kPartitions = 6;
constexpr runtime::Duration kNetworkDelay = 30ms;
constexpr milliseconds kBetweenPolls{2};
constexpr milliseconds kBetweenRecords{10};  // of one partition

struct Rest {
  runtime::Duration before{};  ///< The longest time between two records of a partition, while nothing happened.
  runtime::Duration during{};  ///< The same of the partitions that stayed, from the other's coming on.
  std::set<std::int32_t> stayed;
  std::set<std::int32_t> told_of;  ///< By the listener, since the other came.
};

class Rebalance {
 public:
  explicit Rebalance(const std::map<std::string, std::string>& settings)
      : settings_(settings), world_(plan_.world, runtime::LogLevel::off, [](const std::string&) {}) {
    world_.network().set_delay(kNetworkDelay, kNetworkDelay);
    world_.start_broker();
    Admin admin(config("admin"), AdminOptions{.runtime = runtime("admin")});
    EXPECT_FALSE(admin.create_topics({{.name = kTopic, .partitions = kPartitions}}).at(0).error);
    producer_.emplace(config("producer").set("linger.ms", "0"), ProducerOptions{.runtime = runtime("producer")});
  }

  Rest run() {
    Consumer first(member("first"), ConsumerOptions{.runtime = runtime("first")});
    RebalanceListener listener;
    listener.on_assigned = [this](const auto& partitions) { note(partitions); };
    listener.on_revoked = [this](const auto& partitions) { note(partitions); };
    first.subscribe({kTopic}, listener);
    live_until(5s, {&first});
    EXPECT_EQ(first.assignment().size(), static_cast<std::size_t>(kPartitions));
    live_until(10s, {&first});
    told_of_.clear();
    Consumer second(member("second"), ConsumerOptions{.runtime = runtime("second")});
    second.subscribe({kTopic});
    live_until(20s, {&first, &second});
    EXPECT_EQ(first.assignment().size(), static_cast<std::size_t>(kPartitions) / 2);
    EXPECT_EQ(second.assignment().size(), static_cast<std::size_t>(kPartitions) / 2);

    Rest rest;
    rest.told_of = told_of_;
    for (const TopicPartition& where : first.assignment()) rest.stayed.insert(where.partition);
    for (const std::int32_t partition : rest.stayed) {
      rest.before = std::max(rest.before, longest_gap(partition, 5s, 10s));
      rest.during = std::max(rest.during, longest_gap(partition, 10s, 20s));
    }
    return rest;
  }

 private:
  Config config(const std::string& name) const { return {{"bootstrap.servers", "broker:9092"}, {"client.id", name}}; }
  Config member(const std::string& name) const {
    Config made = config(name);
    made.set("group.id", "readers").set("auto.offset.reset", "earliest").set("heartbeat.interval.ms", "500");
    for (const auto& [key, value] : settings_) made.set(key, value);
    return made;
  }
  Runtime runtime(const std::string& name) {
    return Runtime(client::ClientRuntime::make(world_.env(), world_.network(), name));
  }
  void note(const std::vector<TopicPartition>& partitions) {
    for (const TopicPartition& where : partitions) told_of_.insert(where.partition);
  }

  void live_until(runtime::Duration end, const std::vector<Consumer*>& members) {
    while (world_.elapsed() < end) {
      if (world_.elapsed() >= next_records_) {
        for (std::int32_t i = 0; i < kPartitions; ++i) producer_->send({.topic = kTopic, .partition = i, .value = "x"});
        next_records_ = world_.elapsed() + kBetweenRecords;
      }
      for (Consumer* const one : members) {
        for (const RecordView& record : one->poll(0ms)) {
          if (one == members.front()) read_at_[record.partition()].push_back(world_.elapsed());
        }
      }
      world_.env().run_for(kBetweenPolls);
    }
  }

  /// Between two records that came one after the other, the later one within [from, to).
  runtime::Duration longest_gap(std::int32_t partition, runtime::Duration from, runtime::Duration to) const {
    runtime::Duration longest{};
    const auto& times = read_at_.at(partition);
    for (std::size_t i = 1; i < times.size(); ++i) {
      if (times[i] >= from && times[i] < to) longest = std::max(longest, times[i] - times[i - 1]);
    }
    return longest;
  }

  const std::map<std::string, std::string> settings_;
  const GroupPlan plan_ = GroupPlan::calm(1);
  World world_;
  std::optional<Producer> producer_;
  runtime::Duration next_records_{};
  std::map<std::int32_t, std::vector<runtime::Duration>> read_at_;
  std::set<std::int32_t> told_of_;
};

std::string ms(runtime::Duration time) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(time).count()) + " ms";
}

class CooperativeRebalance : public ::testing::TestWithParam<const char*> {};

TEST_P(CooperativeRebalance, never_stops_partitions_that_stay) {
  const Rest rest = Rebalance({{"partition.assignment.strategy", "cooperative-sticky"},
                               {"enable.auto.commit", GetParam()},
                               {"auto.commit.interval.ms", "1000"}})
                        .run();
  EXPECT_LE(rest.during, rest.before + kBetweenPolls) << ms(rest.during) << " against " << ms(rest.before);
  for (const std::int32_t partition : rest.stayed) EXPECT_EQ(rest.told_of.count(partition), 0U) << partition;
  EXPECT_EQ(rest.told_of.size(), static_cast<std::size_t>(kPartitions) / 2) << "those that moved";
  RecordProperty("before", ms(rest.before));
  RecordProperty("during", ms(rest.during));
}

INSTANTIATE_TEST_SUITE_P(AutoCommit, CooperativeRebalance, ::testing::Values("true", "false"),
                         [](const auto& one) { return std::string(one.param); });

/// What the measure above would see if they stopped: the eager protocol stops them, and says so.
TEST(EagerRebalance, stops_all_partitions_while_the_group_meets) {
  const std::map<std::string, std::string> eager{{"partition.assignment.strategy", "range"}};
  const Rest rest = Rebalance(eager).run();
  EXPECT_GT(rest.during, rest.before + 4 * kNetworkDelay) << ms(rest.during) << " against " << ms(rest.before);
  EXPECT_EQ(rest.told_of.size(), static_cast<std::size_t>(kPartitions));
}

}  // namespace
}  // namespace barnabas::simulation
