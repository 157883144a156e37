#pragma once

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "broker/server/request_context.h"
#include "common/bytes/uuid.h"
#include "common/runtime/env.h"

namespace barnabas::broker {

struct PartitionKey {
  Uuid topic_id;
  std::int32_t partition = 0;

  friend bool operator==(const PartitionKey&, const PartitionKey&) = default;
};

struct PartitionKeyHash {
  std::size_t operator()(const PartitionKey& key) const noexcept {
    return std::hash<Uuid>{}(key.topic_id) * 31 + static_cast<std::size_t>(key.partition);
  }
};

/// Where requests wait until a partition moves (its log end, high watermark or leader) or a deadline passes: nobody
/// polls. A handler watches first, looks second and waits third, so that no move between look and wait is lost.
/// Threads: notify from any; a Watch belongs to its request's executor.  Source: Kafka's DelayedOperationPurgatory.
class Purgatory {
 public:
  class Watch;
  enum class Outcome { moved, timed_out, cancelled };

  explicit Purgatory(runtime::Env& /*env*/) {}  // deadlines are the alarms of who waits

  /// Starts watching. The watch ends with the returned object.
  std::unique_ptr<Watch> watch(RequestContext& context, std::vector<PartitionKey> keys);
  /// The partition moved: whoever watches it looks again.
  void notify(const PartitionKey& key);
  /// Ends all waiting, now and from here on, with Outcome::cancelled.
  void shut_down();
  /// How many requests watch at this moment.
  std::size_t size() const noexcept { return watching_.load(std::memory_order_relaxed); }

 private:
  struct Waiter;
  struct Shard {
    std::mutex mutex;                                                                                  // leaf lock
    std::unordered_map<PartitionKey, std::vector<std::shared_ptr<Waiter>>, PartitionKeyHash> waiters;  // mutex
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(const PartitionKey& key) { return shards_[PartitionKeyHash{}(key) % kShards]; }
  static void wake(const std::shared_ptr<Waiter>& waiter);

  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> watching_{0};
  std::atomic<bool> shut_down_{false};
};

class Purgatory::Watch {
 public:
  Watch(Purgatory& purgatory, RequestContext& context, std::vector<PartitionKey> keys);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Returns at once when something moved since the watch began or since the last wait.
  asio::awaitable<Outcome> wait(runtime::MonotonicTime deadline);

 private:
  Purgatory& purgatory_;
  RequestContext& context_;
  std::vector<PartitionKey> keys_;
  std::shared_ptr<Waiter> waiter_;
};

}  // namespace barnabas::broker
