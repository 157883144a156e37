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

#include "broker/coordinator/step.h"
#include "broker/partition/partition.h"
#include "common/protocol/errors.h"
#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::coordinator {

/// How a coordinator's topic is written and read.
struct TopicSettings {
  record::CompressionType compression = record::CompressionType::none;
  std::int32_t load_buffer_bytes = 0;  ///< Read at a time at a start.
};

/// One partition of a coordinator's topic with the state machine that it feeds, a `Shard`: a serial queue. Each event
/// runs alone, on the thread that brings it: what it writes is appended and replayed before the next one begins, and
/// its answers leave when all replicas have that.
///
/// A Shard has
/// - Record, a variant of what it writes, and RecordEncoder, which makes bytes of one;
/// - `static parse(key, value)`: a Result of a variant of what it reads;
/// - `replay(offset, producer_id, record, wall_ms)` for each kind of these, and
///   `replay_end_of_transaction(producer_id, is_commit)`;
/// - `on_loaded(step)`, `on_unloaded(step)`, `on_time(step)` (deals with one timer that is due; false when none is) and
///   `next_look()` (when that is worth a call);
/// - `contents()`, which says in words what it holds.
/// Members are defined in coordinator_partition_impl.h, included where a kind of shard is instantiated.
///
/// Order of use: load, submit, unload.
/// Threads: any. The lock is outer to the log's. Timers run on `timers`, which ends before this does.
/// Source: Kafka's CoordinatorRuntime.CoordinatorContext.
template <typename Shard>
class CoordinatorPartition {
 public:
  using Step = coordinator::Step<typename Shard::Record>;
  using MakeShard = std::function<std::unique_ptr<Shard>(runtime::MonotonicTime)>;

  CoordinatorPartition(runtime::Env& env, TopicSettings settings, MakeShard make_shard,
                       partition::PartitionPtr partition, asio::any_io_executor timers, runtime::Logger logger);
  CoordinatorPartition(const CoordinatorPartition&) = delete;
  CoordinatorPartition& operator=(const CoordinatorPartition&) = delete;

  /// Replays the log and begins to serve. Blocks; on a worker.
  void load();
  /// Whether there is nothing to load.
  bool is_log_empty() const;

  /// Runs the event. COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR where it cannot: then nothing has happened.
  protocol::ErrorCode submit(const std::function<void(Shard&, Step&)>& event);
  /// Looks without changing anything, under the same lock.
  protocol::ErrorCode look(const std::function<void(const Shard&)>& reader) const;
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
  void replay(typename Shard::Record&& record, std::int64_t offset, std::int64_t wall_ms);
  void release(Answers& ready);
  void replay_log(Shard& shard);
  void replay_bytes(Shard& shard, BytesView bytes, std::int64_t& next_offset);
  Result<void> replay_batch(Shard& shard, const record::BatchView& batch, Bytes& scratch);
  void replay_record(Shard& shard, const record::BatchHeader& header, const record::RecordView& record);
  void wake_timers();
  static asio::awaitable<void> run_timers(CoordinatorPartition* self);
  void on_time();

  runtime::Env& env_;
  const TopicSettings settings_;
  const MakeShard make_shard_;
  const partition::PartitionPtr partition_;
  const asio::any_io_executor timers_;
  const runtime::Logger logger_;
  const std::unique_ptr<runtime::Alarm> alarm_;  // timers_' thread

  mutable std::mutex mutex_;
  State state_ = State::loading;           // mutex_
  std::unique_ptr<Shard> shard_;           // mutex_
  std::deque<Held> held_;                  // mutex_; by offset
  typename Shard::RecordEncoder encoder_;  // mutex_
  Bytes batch_memory_;                     // mutex_; of the last batch, for the next
  std::int64_t end_offset_ = 0;            // mutex_; behind the last record that was appended
  runtime::MonotonicTime next_look_{};     // mutex_; when run_timers wakes by itself
  std::atomic<bool> has_held_{false};
  std::atomic<bool> ended_{false};
};

}  // namespace barnabas::coordinator
