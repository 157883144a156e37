#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "broker/group/group_records.h"
#include "broker/group/group_settings.h"
#include "broker/group/group_shard.h"
#include "broker/partition/partition.h"
#include "common/protocol/errors.h"
#include "common/record/batch_builder.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::group {

/// One partition of __consumer_offsets with the state machine that it feeds: a serial queue. Each event runs alone, on
/// the thread that brings it: what it writes is appended and replayed before the next one begins, and its answers leave
/// when all replicas have that.
/// Order of use: load (or start_empty), submit, unload.
/// Threads: any. The lock is outer to the log's. Timers run on `timers`, which ends before this does.
/// Source: Kafka's CoordinatorRuntime.CoordinatorContext.
class CoordinatorPartition {
 public:
  CoordinatorPartition(runtime::Env& env, const GroupSettings& settings, partition::PartitionPtr partition,
                       asio::any_io_executor timers, runtime::Logger logger);
  CoordinatorPartition(const CoordinatorPartition&) = delete;
  CoordinatorPartition& operator=(const CoordinatorPartition&) = delete;

  /// Replays the log and begins to serve. Blocks; on a worker.
  void load();
  /// Whether there is nothing to load.
  bool is_log_empty() const;

  /// Runs the event. COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR where it cannot: then nothing has happened.
  protocol::ErrorCode submit(const std::function<void(GroupShard&, Step&)>& event);
  /// Looks without changing anything, under the same lock.
  protocol::ErrorCode look(const std::function<void(const GroupShard&)>& reader) const;
  /// The high watermark moved, or the leader did: answers may leave. Only posts.
  void on_move();
  /// Ends it for good: whoever waits is told NOT_COORDINATOR.
  void unload();

  const partition::PartitionPtr& partition() const noexcept { return partition_; }

 private:
  enum class State { loading, active, ended };
  /// Answers that wait until all replicas have what is before `offset`.
  struct Held {
    std::int64_t offset = 0;
    std::vector<Answer> answers;
  };
  using Answers = std::vector<Answer>;

  static void give(Answers& answers, protocol::ErrorCode error);
  protocol::ErrorCode unusable() const;
  Step begin_step() const;
  void finish(Step& step, Answers& ready);
  protocol::ErrorCode append(Step& step);
  record::BatchBuilder batch_of(const Step& step, std::size_t first);
  protocol::ErrorCode append_batch(record::BatchBuilder& builder, std::int64_t& base_offset);
  void replay(CoordinatorRecord&& record, std::int64_t offset, std::int64_t wall_ms);
  void release(Answers& ready);
  void replay_log(GroupShard& shard);
  void replay_bytes(GroupShard& shard, BytesView bytes, std::int64_t& next_offset);
  void wake_timers();
  static asio::awaitable<void> run_timers(CoordinatorPartition* self);
  void on_time();

  runtime::Env& env_;
  const GroupSettings& settings_;
  const partition::PartitionPtr partition_;
  const asio::any_io_executor timers_;
  const runtime::Logger logger_;
  const std::unique_ptr<runtime::Alarm> alarm_;  // timers_' thread

  mutable std::mutex mutex_;
  State state_ = State::loading;        // mutex_
  std::unique_ptr<GroupShard> shard_;   // mutex_
  std::deque<Held> held_;               // mutex_; by offset
  RecordEncoder encoder_;               // mutex_
  Bytes batch_memory_;                  // mutex_; of the last batch, for the next
  std::int64_t end_offset_ = 0;         // mutex_; behind the last record that was appended
  runtime::MonotonicTime next_look_{};  // mutex_; when run_timers wakes by itself
  std::atomic<bool> has_held_{false};
  std::atomic<bool> ended_{false};
};

}  // namespace barnabas::group
