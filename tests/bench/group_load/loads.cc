#include "tests/bench/group_load/loads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/protocol/errors.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_fetch.h"

namespace barnabas::bench {

using namespace std::chrono_literals;
using protocol::error_of;
using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

namespace {

using ConnectionPtr = std::shared_ptr<client::BrokerConnection>;

constexpr client::VersionRange kVersionsWithNames{8, 9};  // later ones want the topic's id

double seconds(runtime::Duration time) {
  return std::chrono::duration<double>(time).count();
}

void print(const std::string& line) {
  std::puts(line.c_str());
}

using Work = asio::awaitable<Result<void>> (*)(Wire*, WireGroups*, double settle_seconds);

/// Does the work with groups that are settled.
asio::awaitable<Result<void>> with_groups(Wire* wire, Work work) {
  const auto found = co_await wire->await_coordinator();
  if (!found) co_return failure(found.error());
  WireGroups groups(*wire);
  const auto begin = wire->runtime().now();
  Result<void> result = co_await groups.settle();
  groups.calm_down();
  if (result) result = co_await work(wire, &groups, seconds(wire->runtime().now() - begin));
  co_await groups.stop();
  co_return result;
}

asio::awaitable<Result<void>> heartbeats(Wire* wire, WireGroups* groups, double settle_seconds) {
  const LoadOptions& options = wire->options();
  co_await wire->sleep(options.interval + 500ms);
  const std::uint64_t beats_before = groups->heartbeats();
  const std::uint64_t rebalances_before = groups->rebalances();
  const double cpu_before = cpu_seconds_of(options.broker_pid);
  const auto from = wire->runtime().now();
  co_await wire->sleep(options.time);
  const double took = seconds(wire->runtime().now() - from);
  const double cpu = cpu_seconds_of(options.broker_pid) - cpu_before;
  if (!groups->failure_text().empty()) co_return failure(Errc::closed, groups->failure_text());
  print(fmt::format(
      R"({{"members": {}, "settle_seconds": {:.3f}, "seconds": {:.3f}, "heartbeats": {}, "rebalances": {}, )"
      R"("broker_cpu": {:.6f}}})",
      groups->members().size(), settle_seconds, took, groups->heartbeats() - beats_before,
      groups->rebalances() - rebalances_before, cpu));
  co_return Result<void>{};
}

/// What all committers share.
struct Commits {
  Wire& wire;
  std::uint64_t to_send = 0;
  std::uint64_t done = 0;
  int running = 0;
  std::vector<double> latencies_ms;
  std::string failure;
};

OffsetCommitRequest commit_of(const LoadOptions& options, const WireGroups::Member& member, std::int64_t offset) {
  OffsetCommitRequest request;
  request.group_id = member.group->id;
  request.generation_id_or_member_epoch = member.generation;
  request.member_id = member.id;
  auto& topic = request.topics.emplace_back();
  topic.name = options.topic;
  for (std::int32_t p = 0; p < options.partitions; ++p) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = p;
    partition.committed_offset = offset;
    partition.committed_leader_epoch = 0;
  }
  return request;
}

asio::awaitable<Result<void>> commit(Commits* all, std::shared_ptr<WireGroups::Member> member) {
  client::CallOptions call;
  call.versions = kVersionsWithNames;
  while (all->to_send > 0) {
    auto request = commit_of(all->wire.options(), *member, static_cast<std::int64_t>(--all->to_send));
    const auto sent = all->wire.runtime().now();
    const auto reply =
        co_await member->connection->call<OffsetCommitResponse>(std::move(request), all->wire.soon(), call);
    if (!reply) co_return failure(reply.error());
    for (const auto& topic : reply->body.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0)
          co_return failure(make_error_code(error_of(partition.error_code)), "OffsetCommit");
      }
    }
    all->latencies_ms.push_back(1e3 * seconds(all->wire.runtime().now() - sent));
    ++all->done;
  }
  co_return Result<void>{};
}

asio::awaitable<void> run_committer(Commits* all, std::shared_ptr<WireGroups::Member> member) {
  const auto ended = co_await commit(all, member);
  if (!ended) {
    all->failure = ended.error().message();
    all->to_send = 0;
  }
  --all->running;
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

asio::awaitable<Result<void>> commits(Wire* wire, WireGroups* groups, double /*settle_seconds*/) {
  const LoadOptions& options = wire->options();
  Commits all{*wire, options.count, 0, static_cast<int>(groups->members().size()) * options.on_the_way, {}, {}};
  all.latencies_ms.reserve(options.count);
  const double cpu_before = cpu_seconds_of(options.broker_pid);
  const auto from = wire->runtime().now();
  for (const auto& member : groups->members()) {
    for (int i = 0; i < options.on_the_way; ++i) wire->runtime().spawn(run_committer(&all, member));
  }
  while (all.running > 0) co_await wire->sleep(1ms);
  const double took = seconds(wire->runtime().now() - from);
  const double cpu = cpu_seconds_of(options.broker_pid) - cpu_before;
  if (!all.failure.empty()) co_return failure(Errc::closed, all.failure);
  print(fmt::format(R"({{"commits": {}, "partitions": {}, "seconds": {:.3f}, "broker_cpu": {:.6f}, "p50_ms": {:.3f}, )"
                    R"("p99_ms": {:.3f}}})",
                    all.done, options.partitions, took, cpu, percentile(all.latencies_ms, 0.5),
                    percentile(all.latencies_ms, 0.99)));
  co_return Result<void>{};
}

/// How many offsets the groups have; none as long as one of them is not loaded.
asio::awaitable<Result<std::optional<std::uint64_t>>> fetch_all(Wire* wire, ConnectionPtr connection) {
  OffsetFetchRequest request;
  for (int g = 0; g < wire->options().groups; ++g) {
    auto& group = request.groups.emplace_back();
    group.group_id = group_name(wire->options(), g);
    group.topics = std::nullopt;
  }
  client::CallOptions call;
  call.versions = kVersionsWithNames;
  const auto reply = co_await connection->call<OffsetFetchResponse>(std::move(request), wire->soon(), call);
  if (!reply) co_return failure(reply.error());
  std::uint64_t offsets = 0;
  for (const auto& group : reply->body.groups) {
    const ErrorCode error = error_of(group.error_code);
    if (error != ErrorCode::none && !protocol::is_retriable(error))
      co_return failure(make_error_code(error), "OffsetFetch");
    if (error != ErrorCode::none) co_return std::optional<std::uint64_t>{};
    for (const auto& topic : group.topics) offsets += topic.partitions.size();
  }
  co_return std::optional<std::uint64_t>{offsets};
}

asio::awaitable<Result<void>> load(Wire* wire) {
  const auto begin = wire->runtime().now();
  const auto deadline = begin + 120s;
  auto connection = co_await wire->connect();
  while (!connection) {
    if (wire->runtime().now() > deadline) co_return failure(connection.error());
    co_await wire->sleep(1ms);
    connection = co_await wire->connect();
  }
  const double connected = seconds(wire->runtime().now() - begin);
  for (;;) {
    const auto offsets = co_await fetch_all(wire, *connection);
    if (!offsets) co_return failure(offsets.error());
    const LoadOptions& options = wire->options();
    if (*offsets) {
      print(fmt::format(R"({{"connected_seconds": {:.4f}, "seconds": {:.4f}, "offsets": {}, "broker_cpu": {:.6f}}})",
                        connected, seconds(wire->runtime().now() - begin), **offsets,
                        cpu_seconds_of(options.broker_pid)));
      co_return Result<void>{};
    }
    if (wire->runtime().now() > deadline) co_return failure(Errc::timed_out, "the groups are not loaded");
    co_await wire->sleep(2ms);
  }
}

}  // namespace

Result<void> measure_heartbeats(const LoadOptions& options) {
  Wire wire(options);
  return wire.runtime().wait(with_groups(&wire, heartbeats));
}

Result<void> measure_commits(const LoadOptions& options) {
  Wire wire(options);
  return wire.runtime().wait(with_groups(&wire, commits));
}

Result<void> measure_load(const LoadOptions& options) {
  Wire wire(options);
  return wire.runtime().wait(load(&wire));
}

}  // namespace barnabas::bench
