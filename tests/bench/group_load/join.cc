#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>

#include "barnabas/consumer.h"
#include "barnabas/consumer_async.h"
#include "tests/bench/group_load/loads.h"

namespace barnabas::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Partitions = RebalanceListener::Partitions;

constexpr auto kPatience = 120s;

/// Who has how many partitions, by what the listeners hear.
class Shares {
 public:
  Shares(std::size_t members, std::size_t partitions) : counts_(members), partitions_(partitions) {}

  RebalanceListener listener(std::size_t member) {
    RebalanceListener made;
    made.on_assigned = [this, member](const Partitions& added) { change(member, added.size(), 0); };
    made.on_revoked = [this, member](const Partitions& gone) { change(member, 0, gone.size()); };
    return made;
  }
  /// When each had its share; none as long as that is not so.
  std::optional<Clock::time_point> settled() {
    const std::lock_guard lock(mutex_);
    return settled_;
  }

 private:
  void change(std::size_t member, std::size_t added, std::size_t gone) {
    const std::lock_guard lock(mutex_);
    counts_[member] += added;
    counts_[member] -= gone;
    std::size_t total = 0;
    for (const std::size_t count : counts_) total += count;
    const bool all_have_some = std::find(counts_.begin(), counts_.end(), 0u) == counts_.end();
    settled_.reset();
    if (all_have_some && total == partitions_) settled_ = Clock::now();
  }

  std::mutex mutex_;
  std::vector<std::size_t> counts_;           // mutex_
  std::optional<Clock::time_point> settled_;  // mutex_
  const std::size_t partitions_;
};

struct Crowd {
  bool is_over = false;
  std::size_t polling = 0;
  std::string failure;
};

asio::awaitable<void> poll(Crowd* crowd, Consumer* consumer) {
  try {
    while (!crowd->is_over) co_await consumer->async_poll(100ms, asio::use_awaitable);
  } catch (const std::exception& error) {
    crowd->failure = error.what();
    crowd->is_over = true;
  }
  --crowd->polling;
}

}  // namespace

Result<void> measure_join(const LoadOptions& options) {
  const auto members = static_cast<std::size_t>(options.members);
  const Runtime runtime = Runtime::make();
  Shares shares(members, static_cast<std::size_t>(options.partitions));
  std::vector<std::unique_ptr<Consumer>> consumers;
  for (std::size_t i = 0; i < members; ++i) {
    consumers.push_back(std::make_unique<Consumer>(Config{{"bootstrap.servers", options.bootstrap},
                                                          {"group.id", group_name(options, 0)},
                                                          {"client.id", fmt::format("member-{}", i)}},
                                                   ConsumerOptions{.runtime = runtime}));
  }
  asio::io_context loop;
  Crowd crowd;
  const auto begin = Clock::now();
  const double cpu_before = cpu_seconds_of(options.broker_pid);
  for (std::size_t i = 0; i < members; ++i) {
    consumers[i]->subscribe({options.topic}, shares.listener(i));
    asio::co_spawn(loop, poll(&crowd, consumers[i].get()), asio::detached);
    ++crowd.polling;
  }
  while (!shares.settled() && !crowd.is_over && Clock::now() < begin + kPatience) loop.run_one_for(10ms);
  const auto settled = shares.settled();
  const double cpu = cpu_seconds_of(options.broker_pid) - cpu_before;
  crowd.is_over = true;
  while (crowd.polling > 0) loop.run_one_for(100ms);
  if (!crowd.failure.empty()) return failure(Errc::closed, crowd.failure);
  if (!settled) return failure(Errc::timed_out, "the members do not settle");
  const auto generation = consumers.front()->group_metadata().generation_id;
  std::puts(fmt::format(
                R"({{"members": {}, "seconds": {:.3f}, "generation": {}, "broker_cpu": {:.6f}, "client_cpu": {:.6f}}})",
                members, std::chrono::duration<double>(*settled - begin).count(), generation, cpu,
                cpu_seconds_of(getpid()))
                .c_str());
  return {};
}

}  // namespace barnabas::bench
