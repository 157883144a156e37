#pragma once

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "broker/coordinator/coordinator_partition.h"
#include "common/record/control_record.h"

namespace barnabas::coordinator {

inline constexpr std::int16_t kAcksAll = -1;
inline constexpr std::size_t kMaxBytesKept = 16 * 1024;           // of each buffer, for the next batch
inline constexpr std::size_t kMaxBytesOfLooseBatch = 512 * 1024;  // half of what a topic takes by default
inline constexpr std::size_t kMaxPlainBytes = std::size_t{1} << 30;

/// Whether a control batch ends its producer's transaction, and how. Nothing for other control batches.
std::optional<bool> is_commit_of(const record::RecordView& marker);

template <typename Shard>
void CoordinatorPartition<Shard>::give(Answers& answers, protocol::ErrorCode error) {
  for (const Answer& answer : answers) answer(error);
}

template <typename Shard>
CoordinatorPartition<Shard>::CoordinatorPartition(runtime::Env& env, TopicSettings settings, MakeShard make_shard,
                                                  partition::PartitionPtr partition, asio::any_io_executor timers,
                                                  runtime::Logger logger)
    : env_(env),
      settings_(settings),
      make_shard_(std::move(make_shard)),
      partition_(std::move(partition)),
      timers_(std::move(timers)),
      logger_(std::move(logger)),
      alarm_(env.make_alarm(timers_)) {}

template <typename Shard>
bool CoordinatorPartition<Shard>::is_log_empty() const {
  return partition_->log().log_start_offset() >= partition_->log().high_watermark();
}

template <typename Shard>
protocol::ErrorCode CoordinatorPartition<Shard>::unusable() const {
  if (state_ == State::loading) return protocol::ErrorCode::coordinator_load_in_progress;
  return state_ == State::active ? protocol::ErrorCode::none : protocol::ErrorCode::not_coordinator;
}

template <typename Shard>
typename CoordinatorPartition<Shard>::Step CoordinatorPartition<Shard>::begin_step() const {
  Step step;
  step.now = env_.clock().now();
  step.wall_ms = env_.clock().wall_ms();
  return step;
}

template <typename Shard>
protocol::ErrorCode CoordinatorPartition<Shard>::submit(const std::function<void(Shard&, Step&)>& event) {
  Answers ready;
  {
    const std::lock_guard lock(mutex_);
    if (const protocol::ErrorCode error = unusable(); error != protocol::ErrorCode::none) return error;
    Step step = begin_step();
    event(*shard_, step);
    finish(step, ready);
    if (shard_->next_look() < next_look_) wake_timers();
  }
  give(ready, protocol::ErrorCode::none);
  return protocol::ErrorCode::none;
}

template <typename Shard>
protocol::ErrorCode CoordinatorPartition<Shard>::look(const std::function<void(const Shard&)>& reader) const {
  const std::lock_guard lock(mutex_);
  const protocol::ErrorCode error = unusable();
  if (error == protocol::ErrorCode::none) reader(*shard_);
  return error;
}

/// Appends what the step has to say, lets it take effect, and finds out which answers may leave.
template <typename Shard>
void CoordinatorPartition<Shard>::finish(Step& step, Answers& ready) {
  const protocol::ErrorCode error = step.records.empty() ? protocol::ErrorCode::none : append(step);
  if (error != protocol::ErrorCode::none) {
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

template <typename Shard>
protocol::ErrorCode CoordinatorPartition<Shard>::append(Step& step) {
  for (std::size_t done = 0; done < step.records.size();) {
    record::BatchBuilder builder = batch_of(step, done);
    const std::size_t end = done + static_cast<std::size_t>(builder.record_count());
    std::int64_t offset = 0;
    const protocol::ErrorCode error = append_batch(builder, offset);
    if (error != protocol::ErrorCode::none) return error;
    for (; done < end; ++done, ++offset) {
      if (step.replays) replay(std::move(step.records[done]), offset, step.wall_ms);
    }
  }
  return protocol::ErrorCode::none;
}

/// As many of the records from `first` on as belong into one.
template <typename Shard>
record::BatchBuilder CoordinatorPartition<Shard>::batch_of(const Step& step, std::size_t first) {
  record::BatchBuilder builder(record::BatchOptions{.compression = settings_.compression},
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
  if (encoder_.capacity_bytes() > kMaxBytesKept) encoder_ = typename Shard::RecordEncoder();
  return builder;
}

template <typename Shard>
protocol::ErrorCode CoordinatorPartition<Shard>::append_batch(record::BatchBuilder& builder,
                                                              std::int64_t& base_offset) {
  Result<Bytes> batch = builder.finish();
  if (!batch) return protocol::ErrorCode::unknown_server_error;
  const log::AppendResult appended = partition_->append(*batch, kAcksAll, record::AppendOrigin::coordinator);
  if (batch->capacity() <= kMaxBytesKept) batch_memory_ = std::move(*batch);
  if (!appended) return appended.error().code;
  base_offset = appended->first_offset;
  end_offset_ = appended->last_offset + 1;
  return protocol::ErrorCode::none;
}

/// What it says takes effect as at a start, where it is read back.
template <typename Shard>
void CoordinatorPartition<Shard>::replay(typename Shard::Record&& record, std::int64_t offset, std::int64_t wall_ms) {
  std::visit([&](auto& one) { shard_->replay(offset, record::kNoProducerId, std::move(one), wall_ms); }, record);
}

template <typename Shard>
void CoordinatorPartition<Shard>::release(Answers& ready) {
  while (!held_.empty() && partition_->is_replicated(held_.front().offset)) {
    std::move(held_.front().answers.begin(), held_.front().answers.end(), std::back_inserter(ready));
    held_.pop_front();
  }
  if (held_.empty()) has_held_.store(false, std::memory_order_seq_cst);
}

template <typename Shard>
void CoordinatorPartition<Shard>::on_move() {
  if (!has_held_.load(std::memory_order_seq_cst)) return;
  asio::post(timers_, [this] {
    Answers ready;
    {
      const std::lock_guard lock(mutex_);
      release(ready);
    }
    give(ready, protocol::ErrorCode::none);
  });
}

template <typename Shard>
void CoordinatorPartition<Shard>::unload() {
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
  give(answers, protocol::ErrorCode::not_coordinator);
}

template <typename Shard>
void CoordinatorPartition<Shard>::wake_timers() {
  next_look_ = runtime::MonotonicTime::min();  // until it has looked nobody wakes it again
  asio::post(timers_, [this] { alarm_->wake(); });
}

template <typename Shard>
asio::awaitable<void> CoordinatorPartition<Shard>::run_timers(CoordinatorPartition* self) {
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

template <typename Shard>
void CoordinatorPartition<Shard>::on_time() {
  for (bool is_done = false; !is_done;) {
    Answers ready;
    {
      const std::lock_guard lock(mutex_);
      if (state_ != State::active) return;
      Step step = begin_step();
      is_done = !shard_->on_time(step);
      finish(step, ready);
    }
    give(ready, protocol::ErrorCode::none);
  }
}

// How it comes to know what its log says.

template <typename Shard>
void CoordinatorPartition<Shard>::load() {
  const runtime::MonotonicTime began = env_.clock().now();
  std::unique_ptr<Shard> shard = make_shard_(began);
  if (!is_log_empty()) replay_log(*shard);
  if (ended_) return;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(env_.clock().now() - began);
  if (!is_log_empty()) {
    logger_.info("{}: loaded {} in {} ms", partition_->id().to_string(), shard->contents(), took.count());
  }
  Answers ready;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::loading) return;
    shard_ = std::move(shard);
    state_ = State::active;
    end_offset_ = partition_->log().log_end_offset();
    Step step = begin_step();
    shard_->on_loaded(step);
    finish(step, ready);
  }
  give(ready, protocol::ErrorCode::none);
  asio::co_spawn(timers_, run_timers(this), asio::detached);
}

template <typename Shard>
void CoordinatorPartition<Shard>::replay_log(Shard& shard) {
  const auto end = partition_->log().high_watermark();
  std::int64_t next = partition_->log().log_start_offset();
  while (next < end && !ended_) {
    const auto slice = partition_->read(next, static_cast<std::size_t>(settings_.load_buffer_bytes), true,
                                        log::ReadBound::high_watermark);
    Result<Bytes> bytes = slice ? slice->bytes() : failure(slice.error());
    if (!bytes) {
      logger_.error("{}: not all of it could be loaded: {}", partition_->id().to_string(), bytes.error().message());
      return;
    }
    const std::int64_t before = next;
    replay_bytes(shard, *bytes, next);
    if (next == before) return;  // nothing whole was left to read
  }
}

template <typename Shard>
void CoordinatorPartition<Shard>::replay_bytes(Shard& shard, BytesView bytes, std::int64_t& next_offset) {
  const std::string name = partition_->id().to_string();
  record::BatchCursor cursor(bytes);
  Bytes scratch;
  for (;;) {
    const auto whole = cursor.next();
    if (!whole || !*whole) return;
    const auto batch = record::BatchView::read(**whole);
    if (!batch) return logger_.error("{}: a batch does not read: {}", name, batch.error().message());
    const Result<void> done = replay_batch(shard, *batch, scratch);
    if (!done) {
      logger_.error("{}: the batch at offset {} does not read: {}", name, batch->header().base_offset,
                    done.error().message());
    }
    next_offset = batch->header().last_offset() + 1;
  }
}

template <typename Shard>
void CoordinatorPartition<Shard>::replay_record(Shard& shard, const record::BatchHeader& header,
                                                const record::RecordView& record) {
  if (header.is_control()) {
    if (const auto is_commit = is_commit_of(record)) shard.replay_end_of_transaction(header.producer_id, *is_commit);
    return;
  }
  if (!record.key) return;
  auto parsed = Shard::parse(*record.key, record.value);
  if (!parsed) {
    logger_.error("{}: the record at offset {} does not read: {}", partition_->id().to_string(), record.offset,
                  parsed.error().message());
    return;
  }
  const std::int64_t producer_id = header.is_transactional() ? header.producer_id : record::kNoProducerId;
  std::visit([&](auto& read) { shard.replay(record.offset, producer_id, std::move(read), record.timestamp_ms); },
             *parsed);
}

template <typename Shard>
Result<void> CoordinatorPartition<Shard>::replay_batch(Shard& shard, const record::BatchView& batch, Bytes& scratch) {
  const Result<BytesView> plain = batch.plain_records(scratch, kMaxPlainBytes);
  if (!plain) return failure(plain.error());
  record::RecordReader reader = batch.reader(*plain);
  record::RecordView record;
  for (;;) {
    const Result<bool> more = reader.next(record);
    if (!more) return failure(more.error());
    if (!*more) return {};
    replay_record(shard, batch.header(), record);
  }
}

}  // namespace barnabas::coordinator
