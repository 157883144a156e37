#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/core/broker_connection.h"
#include "common/protocol/messages/join_group.h"

namespace barnabas::bench {

/// How much load, of what kind.
struct LoadOptions {
  std::string bootstrap;
  std::string topic;  ///< What members subscribe to, and commit of.
  std::string prefix = "bench";
  int broker_pid = 0;  ///< Whose CPU is counted.
  int groups = 1;
  int members = 1;     ///< Of each group.
  int partitions = 1;  ///< In each commit.
  int on_the_way = 1;  ///< Commits of one member at a time.
  std::uint64_t count = 0;
  std::chrono::milliseconds interval{3000};
  std::chrono::seconds time{20};
};

/// CPU of a process since its start, all its threads.
double cpu_seconds_of(int pid);

std::string group_name(const LoadOptions& options, int number);

/// One broker's connections, for coroutines on one thread. Threads: the executor's only.
class Wire {
 public:
  explicit Wire(LoadOptions options);

  const LoadOptions& options() const noexcept { return options_; }
  client::ClientRuntime& runtime() noexcept { return *runtime_; }
  runtime::MonotonicTime soon() { return runtime_->now() + std::chrono::seconds(60); }
  asio::awaitable<Result<std::shared_ptr<client::BrokerConnection>>> connect();
  asio::awaitable<void> sleep(runtime::Duration time);
  /// Until the broker coordinates groups: the first who asks has their topic made.
  asio::awaitable<Result<void>> await_coordinator();

 private:
  const LoadOptions options_;
  std::shared_ptr<client::ClientRuntime> runtime_;
  std::shared_ptr<client::ConnectionCounters> counters_ = std::make_shared<client::ConnectionCounters>();
};

/// Groups whose members speak the classic protocol by hand, each over a connection of its own: as many as a broker
/// meets, without the rest of a consumer.
class WireGroups {
 public:
  struct Group {
    std::string id;
    int size = 0;
    std::int32_t full_generation = -1;  ///< The one that its leader saw all members in.
  };
  struct Member {
    std::shared_ptr<Group> group;
    std::shared_ptr<client::BrokerConnection> connection;
    std::string id;
    std::int32_t generation = -1;  ///< -1: it has to join.
    bool has_phase = false;        ///< Its heartbeats are shifted against those of others.
  };

  explicit WireGroups(Wire& wire) : wire_(wire), stopping_(wire.runtime().make_gate()) {}

  /// Starts all members and waits until each group has all of its members in one generation.
  asio::awaitable<Result<void>> settle();
  /// Ends all members; before the destructor.
  asio::awaitable<void> stop();
  /// From now on heartbeats come at their interval, and not as often as it takes to settle.
  void calm_down() { is_calm_ = true; }
  const std::vector<std::shared_ptr<Member>>& members() const noexcept { return members_; }
  std::uint64_t heartbeats() const noexcept { return heartbeats_; }
  std::uint64_t rebalances() const noexcept { return rebalances_; }
  const std::string& failure_text() const noexcept { return failure_; }

 private:
  static asio::awaitable<void> live(WireGroups* self, std::shared_ptr<Member> member);
  static asio::awaitable<Result<void>> serve(WireGroups* self, std::shared_ptr<Member> member);
  static asio::awaitable<Result<void>> join(WireGroups* self, std::shared_ptr<Member> member);
  static asio::awaitable<Result<void>> sync(WireGroups* self, std::shared_ptr<Member> member,
                                            protocol::JoinGroupResponse joined);
  static asio::awaitable<Result<void>> beat(WireGroups* self, std::shared_ptr<Member> member);
  runtime::Duration until_next_beat(Member& member);
  bool is_settled() const;

  Wire& wire_;
  const std::shared_ptr<client::Gate> stopping_;
  std::vector<std::shared_ptr<Member>> members_;
  std::size_t alive_ = 0;
  std::uint64_t heartbeats_ = 0;
  std::uint64_t rebalances_ = 0;  // joins after the first one of each member
  bool is_calm_ = false;
  std::string failure_;
};

}  // namespace barnabas::bench
