#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"
#include "common/runtime/env.h"
#include "tests/support/thrown.h"

// Consumers in groups, on our broker in this process; with BARNABAS_TEST_BOOTSTRAP, on the broker that stands there.
namespace barnabas {

using namespace std::chrono_literals;
using Partitions = RebalanceListener::Partitions;

inline std::string unique_name(const std::string& prefix) {
  return prefix + "-" + std::to_string(runtime::system_env().random().below(1U << 30U));
}

/// What a listener heard, in order: "assigned 0 1", "revoked 0 1", "lost 0 1".
class Heard {
 public:
  RebalanceListener listener() {
    RebalanceListener made;
    made.on_assigned = [this](const Partitions& partitions) { note("assigned", partitions); };
    made.on_revoked = [this](const Partitions& partitions) {
      note("revoked", partitions);
      if (on_revoked) on_revoked();
    };
    made.on_lost = [this](const Partitions& partitions) { note("lost", partitions); };
    return made;
  }
  std::vector<std::string> events;
  std::function<void()> on_revoked;

 private:
  void note(std::string what, const Partitions& partitions) {
    for (const TopicPartition& where : partitions) what += " " + std::to_string(where.partition);
    events.push_back(std::move(what));
  }
};

class GroupTest : public ::testing::Test {
 protected:
  GroupTest() {
    const char* given = std::getenv("BARNABAS_TEST_BOOTSTRAP");
    if (given == nullptr) broker_.emplace();
    bootstrap_ = given == nullptr ? broker_->bootstrap_servers() : given;
    admin_.emplace(Config{{"bootstrap.servers", bootstrap_}});
    make_topic(topic_, 4);
  }

  void make_topic(const std::string& name, int partitions) {
    const auto created = admin_->create_topics({NewTopic{.name = name, .partitions = partitions}});
    ASSERT_FALSE(created.front().error) << created.front().error.context;
  }

  Config config(const Config& more = {}) const {
    Config config{{"bootstrap.servers", bootstrap_}, {"group.id", group_},           {"auto.offset.reset", "earliest"},
                  {"heartbeat.interval.ms", "100"},  {"session.timeout.ms", "6000"}, {"fetch.max.wait.ms", "20"},
                  {"metadata.max.age.ms", "500"}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    return config;
  }

  /// To each partition in turn.
  void produce(int count, const std::string& prefix = "v") {
    Producer producer(Config{{"bootstrap.servers", bootstrap_}});
    for (int i = 0; i < count; ++i) {
      const std::string value = prefix + std::to_string(i);
      producer.send({.topic = topic_, .partition = i % 4, .value = value},
                    [](const Delivery& d) { EXPECT_TRUE(d.ok()) << d.context; });
    }
    producer.close();
  }

  /// Polls all of them in turn until it holds, or twenty seconds have passed.
  bool poll_until(const std::vector<Consumer*>& members, const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      for (Consumer* member : members) {
        for (const RecordView& record : member->poll(10ms)) values_.emplace_back(record.value().value_or(""));
      }
    }
    return true;
  }
  /// What the first poll of `one` that fails throws, while the others poll too.
  static Thrown poll_until_it_throws(Consumer& one, const std::vector<Consumer*>& others = {}) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      Thrown thrown = thrown_by([&] { one.poll(10ms); });
      if (thrown.code) return thrown;
      for (Consumer* other : others) other->poll(10ms);
    }
    return {};
  }
  static std::string explained(const std::vector<Consumer*>& members) {
    std::string text;
    for (const Consumer* member : members) text += member->explain() + "\n";
    return text;
  }
  /// Until the members share the topic's partitions so, and their listeners have heard of it (in the poll behind).
  bool share(const std::vector<Consumer*>& members, const std::vector<std::size_t>& counts) {
    int rounds = 0;
    return poll_until(members, [&] { return are_shared(members, counts) && ++rounds == 4; });
  }
  static bool are_shared(const std::vector<Consumer*>& members, const std::vector<std::size_t>& counts) {
    std::set<TopicPartition> all;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto own = members[i]->assignment();
      if (own.size() != counts[i]) return false;
      all.insert(own.begin(), own.end());
    }
    std::size_t total = 0;
    for (const std::size_t count : counts) total += count;
    return all.size() == total;
  }
  TopicPartition at(std::int32_t partition) const { return {topic_, partition}; }
  static std::error_code code_of(const std::function<void()>& call) { return thrown_by(call).code; }

  std::optional<EmbeddedBroker> broker_;
  std::string bootstrap_;
  std::optional<Admin> admin_;
  const std::string topic_ = unique_name("orders");
  const std::string group_ = unique_name("billing");
  std::vector<std::string> values_;
};

}  // namespace barnabas
