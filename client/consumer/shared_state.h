#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "barnabas/consumer.h"
#include "client/consumer/consumer_config.h"
#include "client/consumer/memory_budget.h"
#include "client/consumer/positions.h"
#include "client/core/client_runtime.h"

namespace barnabas::client {

/// What the thread that polls and the reactor share.
/// Threads: positions and the fields below it under `mutex`, which is never held across I/O, decompression or a call to
/// the user; the atomics from any.
struct SharedState {
  /// One CompletedFetch that poll can take, in the order of arrival.
  struct Ready {
    std::shared_ptr<const TopicPartition> partition;
    std::uint64_t generation = 0;
  };

  SharedState(std::shared_ptr<ClientRuntime> client_runtime, ConsumerSettings consumer_settings)
      : runtime(std::move(client_runtime)),
        settings(std::move(consumer_settings)),
        budget(std::make_shared<MemoryBudget>(settings.buffer_memory_bytes)),
        buffers(std::make_shared<BufferPool>(budget)),
        signal(runtime->env().make_signal()),
        positions(settings.reset_policy) {}

  const std::shared_ptr<ClientRuntime> runtime;
  const ConsumerSettings settings;
  const std::shared_ptr<MemoryBudget> budget;
  const std::shared_ptr<BufferPool> buffers;

  const std::unique_ptr<runtime::Signal> signal;  ///< What a blocking call waits on.
  std::atomic<std::uint64_t> events{0};           ///< Grows with all that may end a wait.
  std::function<void()> wake_async;               ///< Set once; ends the wait of async_poll. Any thread.

  std::mutex mutex;
  Positions positions;
  std::deque<Ready> ready;
  bool maybe_stuck = false;        ///< Some partition may have an error to report.
  bool out_of_memory = false;      ///< The last look found no room for another fetch.
  bool hold_fetches = false;       ///< poll waits for what fetches under way have reserved, to decompress.
  std::size_t room_wanted = 0;     ///< By the fetch that the last look found no room for.
  std::size_t reserved_bytes = 0;  ///< Of the budget, for the answers to fetches under way.
  int fetches_under_way = 0;
  std::map<std::int32_t, runtime::MonotonicTime> fetches_sent_at;  ///< By broker: the last one; 0: none is under way.
  std::optional<PollFailure> poll_failure;                         ///< Of the last poll.
  bool closed = false;

  std::atomic<std::uint64_t> fetches{0};
  std::atomic<std::uint64_t> fetched_bytes{0};

  /// Something happened: wakes all who wait. Not with `mutex` held.
  void notify() {
    signal->notify([this] { events.fetch_add(1, std::memory_order_relaxed); });
    if (wake_async) wake_async();
  }
  /// What another fetch may bring: as long as poll has something to take, or gets it from fetches under way (`own` of
  /// them not counted), half of the budget stays free for decompression. Under `mutex`.
  std::size_t fetch_room(int own = 0) const noexcept {
    const bool is_first = ready.empty() && fetches_under_way <= own;
    const std::size_t allowed = is_first ? budget->limit_bytes() : budget->limit_bytes() / 2;
    const std::size_t used = budget->used_bytes();
    return used < allowed ? allowed - used : 0;
  }
  /// What the user's Records keep alive. Under `mutex`.
  std::size_t held_bytes() const noexcept {
    const std::size_t others = buffered_bytes() + reserved_bytes + buffers->idle_bytes();
    const std::size_t used = budget->used_bytes();
    return used > others ? used - others : 0;
  }
  /// Fetched and not handed out. Under `mutex`.
  std::size_t buffered_bytes() const noexcept {
    std::size_t bytes = 0;
    for (const auto& [partition, state] : positions.all()) bytes += state.fetched_bytes();
    return bytes;
  }
};

}  // namespace barnabas::client
