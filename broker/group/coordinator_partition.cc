#include "broker/group/coordinator_partition.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <utility>
#include <variant>

namespace barnabas::group {
namespace {

constexpr std::int16_t kAcksAll = -1;
constexpr std::size_t kMaxBytesKept = 16 * 1024;           // of each buffer, for the next batch
constexpr std::size_t kMaxBytesOfLooseBatch = 512 * 1024;  // half of what a topic takes by default

}  // namespace

using protocol::ErrorCode;

void CoordinatorPartition::give(Answers& answers, ErrorCode error) {
  for (const Answer& answer : answers) answer(error);
}

CoordinatorPartition::CoordinatorPartition(runtime::Env& env, const GroupSettings& settings,
                                           partition::PartitionPtr partition, asio::any_io_executor timers,
                                           runtime::Logger logger)
    : env_(env),
      settings_(settings),
      partition_(std::move(partition)),
      timers_(std::move(timers)),
      logger_(std::move(logger)),
      alarm_(env.make_alarm(timers_)) {}

bool CoordinatorPartition::is_log_empty() const {
  return partition_->log().log_start_offset() >= partition_->log().high_watermark();
}

ErrorCode CoordinatorPartition::unusable() const {
  if (state_ == State::loading) return ErrorCode::coordinator_load_in_progress;
  return state_ == State::active ? ErrorCode::none : ErrorCode::not_coordinator;
}

Step CoordinatorPartition::begin_step() const {
  Step step;
  step.now = env_.clock().now();
  step.wall_ms = env_.clock().wall_ms();
  return step;
}

ErrorCode CoordinatorPartition::submit(const std::function<void(GroupShard&, Step&)>& event) {
  Answers ready;
  {
    const std::lock_guard lock(mutex_);
    if (const ErrorCode error = unusable(); error != ErrorCode::none) return error;
    Step step = begin_step();
    event(*shard_, step);
    finish(step, ready);
    if (shard_->next_look() < next_look_) wake_timers();
  }
  give(ready, ErrorCode::none);
  return ErrorCode::none;
}

ErrorCode CoordinatorPartition::look(const std::function<void(const GroupShard&)>& reader) const {
  const std::lock_guard lock(mutex_);
  const ErrorCode error = unusable();
  if (error == ErrorCode::none) reader(*shard_);
  return error;
}

/// Appends what the step has to say, lets it take effect, and finds out which answers may leave.
void CoordinatorPartition::finish(Step& step, Answers& ready) {
  const ErrorCode error = step.records.empty() ? ErrorCode::none : append(step);
  if (error != ErrorCode::none) {
    logger_.warn("{}: {} records could not be appended: {}", partition_->id().to_string(), step.records.size(),
                 protocol::to_string(error));
  }
  step.records.clear();
  if (step.settle) std::exchange(step.settle, nullptr)(step, error);
  if (step.answers.empty()) return;
  // Also what only reads waits for what was written before it: nobody is told what could still be taken back.
  if (held_.empty() && partition_->is_replicated(end_offset_)) {
    ready = std::move(step.answers);
    return;
  }
  held_.push_back({end_offset_, std::move(step.answers)});
  has_held_.store(true, std::memory_order_seq_cst);
  release(ready);  // the watermark may have moved before anybody could know that we wait
}

ErrorCode CoordinatorPartition::append(Step& step) {
  for (std::size_t done = 0; done < step.records.size();) {
    record::BatchBuilder builder = batch_of(step, done);
    const std::size_t end = done + static_cast<std::size_t>(builder.record_count());
    std::int64_t offset = 0;
    const ErrorCode error = append_batch(builder, offset);
    if (error != ErrorCode::none) return error;
    if (!step.replays) {
      done = end;
      continue;
    }
    for (; done < end; ++done) replay(std::move(step.records[done]), offset++, step.wall_ms);
  }
  return ErrorCode::none;
}

/// As many of the records from `first` on as belong into one.
record::BatchBuilder CoordinatorPartition::batch_of(const Step& step, std::size_t first) {
  record::BatchBuilder builder(record::BatchOptions{.compression = settings_.topic_compression},
                               std::exchange(batch_memory_, {}));
  for (std::size_t i = first; i < step.records.size(); ++i) {
    if (!step.is_atomic && builder.plain_bytes() >= kMaxBytesOfLooseBatch) break;
    encoder_.encode(step.records[i]);
    record::RecordInput input;
    input.timestamp_ms = step.wall_ms;
    input.key = encoder_.key();
    input.value = encoder_.value();
    builder.append(input);
  }
  if (encoder_.capacity_bytes() > kMaxBytesKept) encoder_ = RecordEncoder();
  return builder;
}

ErrorCode CoordinatorPartition::append_batch(record::BatchBuilder& builder, std::int64_t& base_offset) {
  Result<Bytes> batch = builder.finish();
  if (!batch) return ErrorCode::unknown_server_error;
  const log::AppendResult appended = partition_->append(*batch, kAcksAll, record::AppendOrigin::coordinator);
  if (batch->capacity() <= kMaxBytesKept) batch_memory_ = std::move(*batch);
  if (!appended) return appended.error().code;
  base_offset = appended->first_offset;
  end_offset_ = appended->last_offset + 1;
  return ErrorCode::none;
}

/// What it says takes effect as at a start, where it is read back.
void CoordinatorPartition::replay(CoordinatorRecord&& record, std::int64_t offset, std::int64_t wall_ms) {
  std::visit([&](auto& one) { shard_->replay(offset, record::kNoProducerId, std::move(one), wall_ms); }, record);
}

void CoordinatorPartition::release(Answers& ready) {
  while (!held_.empty() && partition_->is_replicated(held_.front().offset)) {
    std::move(held_.front().answers.begin(), held_.front().answers.end(), std::back_inserter(ready));
    held_.pop_front();
  }
  if (held_.empty()) has_held_.store(false, std::memory_order_seq_cst);
}

void CoordinatorPartition::on_move() {
  if (!has_held_.load(std::memory_order_seq_cst)) return;
  asio::post(timers_, [this] {
    Answers ready;
    {
      const std::lock_guard lock(mutex_);
      release(ready);
    }
    give(ready, ErrorCode::none);
  });
}

void CoordinatorPartition::unload() {
  Answers answers;
  {
    const std::lock_guard lock(mutex_);
    ended_.store(true);
    if (std::exchange(state_, State::ended) == State::ended) return;
    Step step = begin_step();
    if (shard_) shard_->on_unloaded(step);
    shard_.reset();
    // What was held may be lost with the leadership.
    answers = std::move(step.answers);
    for (Held& held : held_) std::move(held.answers.begin(), held.answers.end(), std::back_inserter(answers));
    held_.clear();
    has_held_.store(false);
    wake_timers();
  }
  give(answers, ErrorCode::not_coordinator);
}

void CoordinatorPartition::wake_timers() {
  next_look_ = runtime::MonotonicTime::min();  // until it has looked nobody wakes it again
  asio::post(timers_, [this] { alarm_->wake(); });
}

asio::awaitable<void> CoordinatorPartition::run_timers(CoordinatorPartition* self) {
  for (;;) {
    self->on_time();
    runtime::MonotonicTime deadline;
    {
      const std::lock_guard lock(self->mutex_);
      if (self->state_ != State::active) co_return;
      self->next_look_ = self->shard_->next_look();
      deadline = self->next_look_;
    }
    const Result<void> waited = co_await self->alarm_->wait_until(deadline);
    if (!waited && waited.error().code == Errc::cancelled) co_return;
  }
}

void CoordinatorPartition::on_time() {
  for (bool is_done = false; !is_done;) {
    Answers ready;
    {
      const std::lock_guard lock(mutex_);
      if (state_ != State::active) return;
      Step step = begin_step();
      is_done = !shard_->on_time(step);
      finish(step, ready);
    }
    give(ready, ErrorCode::none);
  }
}

}  // namespace barnabas::group
