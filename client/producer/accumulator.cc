#include "client/producer/accumulator.h"

#include <algorithm>
#include <utility>

namespace barnabas::client {
namespace {

constexpr std::size_t kMostSpareBatches = 512;  // more than wait for their answers at a time
constexpr std::size_t kMostSpareNumbers = 1024;
constexpr float kRatioImproves = 0.005F;
constexpr float kRatioWorsens = 0.05F;
constexpr float kRatioMargin = 1.05F;

/// How a batch's bytes end that were still in use when the batch had ended.
struct FreeBytes {
  std::shared_ptr<ByteBudget> budget;
  std::size_t reserved_bytes = 0;
  void operator()(Bytes* bytes) const {
    delete bytes;
    if (reserved_bytes > 0) budget->give_back(reserved_bytes);
  }
};

}  // namespace

PartitionQueue::PartitionQueue(TopicState& of, std::int32_t number)
    : topic(&of), partition(number), name(of.name + "-" + std::to_string(number)) {}

Accumulator::Accumulator(const ProducerConfig& config, std::shared_ptr<ClientRuntime> runtime)
    : config_(config),
      runtime_(std::move(runtime)),
      budget_(std::make_shared<ByteBudget>(runtime_, config.buffer_bytes - Compressors::reserved_bytes(config))),
      compressors_(config, runtime_->env()) {}

TopicState& Accumulator::topic(std::string_view name) {
  const std::lock_guard lock(topics_mutex_);
  const auto found = topics_.find(name);
  if (found != topics_.end()) return *found->second;
  const std::uint64_t seed = runtime_->random().next();
  auto made = std::make_unique<TopicState>(std::string(name), config_.batch_bytes, seed);
  return *topics_.emplace(std::string(name), std::move(made)).first->second;
}

PartitionQueue& Accumulator::queue(TopicState& topic, std::int32_t partition) {
  const auto index = static_cast<std::size_t>(partition);
  while (topic.queues.size() <= index) {
    auto made = std::make_unique<PartitionQueue>(topic, static_cast<std::int32_t>(topic.queues.size()));
    const std::lock_guard lock(topics_mutex_);
    queues_.push_back(made.get());
    topic.queues.push_back(std::move(made));
  }
  return *topic.queues[index];
}

void Accumulator::collect(std::vector<PartitionQueue*>& known) const {
  const std::lock_guard lock(topics_mutex_);
  if (known.size() < queues_.size()) {
    known.insert(known.end(), queues_.begin() + static_cast<std::ptrdiff_t>(known.size()), queues_.end());
  }
}

/// The sender will look at the queue. Its mutex is held, so that who finds it announced knows that it is in the list.
void Accumulator::announce(PartitionQueue& queue) {
  const std::lock_guard lock(announced_mutex_);
  if (!std::exchange(queue.is_announced, true)) announced_.push_back(&queue);
}

void Accumulator::take_announced(std::vector<PartitionQueue*>& to) {
  const std::lock_guard lock(announced_mutex_);
  for (PartitionQueue* queue : announced_) queue->is_announced = false;
  to.insert(to.end(), announced_.begin(), announced_.end());
  announced_.clear();
}

/// batch.size counts compressed bytes: what compresses well may hold more plain ones.
std::size_t Accumulator::target_bytes(const TopicState& topic) const {
  if (config_.compression == record::CompressionType::none) return config_.batch_bytes;
  const float ratio = topic.compression_ratio.load(std::memory_order_relaxed) * kRatioMargin;
  const auto plain = static_cast<std::size_t>(static_cast<float>(config_.batch_bytes) / ratio);
  return std::clamp(plain, config_.batch_bytes, most_plain_bytes(config_));
}

std::size_t Accumulator::new_batch_bytes(const TopicState& topic, const record::RecordInput& record) const {
  const std::size_t limit = budget_->limit_bytes();
  const std::size_t target = std::min(target_bytes(topic), limit - limit / 4);  // the rest is for callbacks
  return std::max(target, record::single_batch_bytes_bound(record));
}

/// Records were appended; whether the batch is full now. The queue's mutex is held.
bool Accumulator::note(PartitionQueue& queue, ProducerBatch& batch, const Listener& listener, std::int64_t timestamp_ms,
                       std::size_t records, std::size_t payload_bytes) {
  batch.note(listener, timestamp_ms, static_cast<std::int32_t>(records));
  queue.records_taken += records;
  queue.record_bytes_taken += payload_bytes;
  if (batch.builder.plain_bytes() < batch.reserved_bytes && config_.batch_bytes > 0) return false;
  batch.is_full = true;
  queue.close(batch);
  announce(queue);
  return true;
}

/// Room for the callback of the batch's next record, if it has one. The queue's mutex is held.
bool Accumulator::has_room(ProducerBatch& batch, const Listener& listener, std::int64_t timestamp_ms) {
  if (!listener.is_single()) return true;
  if (!batch.callbacks.is_near(batch.record_count, timestamp_ms)) return false;
  if (batch.callbacks.has_room()) return true;
  CallbackRoom room = budget_->try_take_room();
  if (!room) return false;
  batch.callbacks.add_room(std::move(room));
  return true;
}

/// False, with nothing changed, where the batch has no room: not even an empty one is made larger for it.
bool Accumulator::add_record(PartitionQueue& queue, ProducerBatch& batch, const SizedRecord& record,
                             const Listener& listener, Appended& result) {
  if (!has_room(batch, listener, record.input.timestamp_ms)) return false;
  if (!batch.builder.append_within(batch.reserved_bytes, record.input)) return false;
  result.done = true;
  result.is_ready |= note(queue, batch, listener, record.input.timestamp_ms, 1, record.payload_bytes);
  return true;
}

AppendedRun Accumulator::append_run(PartitionQueue& queue, std::span<const Record> records, std::int64_t now_ms,
                                    const Listener& listener) {
  AppendedRun run;
  const std::lock_guard lock(queue.mutex);
  ProducerBatch* const batch = queue.open_batch.load(std::memory_order_relaxed);
  if (batch == nullptr) return run;
  const std::int64_t first_ms = timestamp_of(records.front(), now_ms);
  if (!has_room(*batch, listener, first_ms)) return run;
  for (const Record& record : records) {
    const std::int64_t timestamp_ms = timestamp_of(record, now_ms);
    if (!batch->builder.append_within(batch->reserved_bytes, input_of(record, timestamp_ms))) break;
    ++run.count;
    run.payload_bytes += payload_bytes(record);
  }
  if (run.count > 0) {
    run.is_ready = note(queue, *batch, listener, first_ms, run.count, run.payload_bytes);
  }
  return run;
}

/// A record did not fit any more. The queue's mutex is held.
void Accumulator::end_batch(PartitionQueue& queue, ProducerBatch& batch, Appended& result) {
  batch.is_full = true;
  queue.close(batch);
  announce(queue);
  result.is_ready = true;
  if (config_.compression == record::CompressionType::none) return;
  close_batch(batch);
  result.to_seal = &batch;
}

Appended Accumulator::append(PartitionQueue& queue, const SizedRecord& record, const Listener& listener) {
  Appended result;
  const std::lock_guard lock(queue.mutex);
  ProducerBatch* const open = queue.open_batch.load(std::memory_order_relaxed);
  if (open == nullptr) return result;
  if (!add_record(queue, *open, record, listener, result)) end_batch(queue, *open, result);
  return result;
}

Appended Accumulator::append_to_new(PartitionQueue& queue, const SizedRecord& record, const Listener& listener,
                                    Reservation reservation) {
  Appended result = append(queue, record, listener);
  if (result.done) {
    budget_->give_back(reservation.bytes, std::move(reservation.buffer));  // another thread made a batch meanwhile
    return result;
  }
  if (result.to_seal != nullptr) seal(*std::exchange(result.to_seal, nullptr));
  const std::size_t capacity = reservation.bytes;
  BatchPtr made = make_batch(queue, std::move(reservation), capacity);
  const std::lock_guard lock(queue.mutex);
  // Numbers must grow within the queue, and flush must see the batch: both hold from here on.
  made->number = next_number_.fetch_add(1, std::memory_order_acq_rel);
  note_incomplete(made->number);
  ProducerBatch* const other = queue.open_batch.load(std::memory_order_relaxed);
  if (other != nullptr) end_batch(queue, *other, result);  // yet another thread made one
  result.is_new = true;
  ProducerBatch& batch = *made;
  queue.batches.push_back(std::move(made));
  // Before the caller asks whether the sender is awake, see Sender::nudge; and the length first, see Sender::lingers.
  queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_seq_cst);
  queue.open_since.store(batch.created_at, std::memory_order_relaxed);
  queue.open_batch.store(&batch, std::memory_order_seq_cst);
  announce(queue);
  static_cast<void>(add_record(queue, batch, record, listener, result));  // it was made large enough
  return result;
}

BatchPtr Accumulator::make_batch(PartitionQueue& queue, Reservation reservation, std::size_t capacity) {
  BatchPtr batch;
  {
    const std::lock_guard lock(batches_mutex_);
    if (!spare_.empty()) {
      batch = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (!batch) batch = std::make_unique<ProducerBatch>();
  record::BatchOptions options;
  options.compression = config_.compression;
  options.level = config_.compression_level;
  batch->queue = &queue;
  reservation.buffer.reserve(capacity);
  batch->builder = record::BatchBuilder(options, std::move(reservation.buffer));
  batch->reserved_bytes = reservation.bytes;
  batch->created_at = runtime_->now();
  batch->deadline = batch->created_at + config_.delivery_timeout;
  return batch;
}

void Accumulator::split_callbacks(ProducerBatch& batch, std::int32_t half, ProducerBatch& first,
                                  ProducerBatch& second) {
  batch.callbacks.take_all([&](std::int32_t index, std::int64_t timestamp_ms, DeliveryCallback&& callback) {
    const bool in_first = index < half;
    PendingCallbacks& to = in_first ? first.callbacks : second.callbacks;
    if (!to.has_room()) to.add_room(budget_->take_room_beyond_limit());
    to.add(in_first ? index : index - half, timestamp_ms, std::move(callback));
  });
  budget_->give_back_rooms(batch.callbacks.given_rooms());
}

void Accumulator::note_incomplete(std::uint64_t number) {
  const std::lock_guard lock(batches_mutex_);
  if (spare_numbers_.empty()) {
    incomplete_.insert(incomplete_.end(), number);
    return;
  }
  auto node = std::move(spare_numbers_.back());
  spare_numbers_.pop_back();
  node.value() = number;
  incomplete_.insert(incomplete_.end(), std::move(node));
}

/// Bytes that a write still holds (the answer to one request may come before the write of those behind it has ended)
/// count until it lets them go.
void Accumulator::free_bytes(ProducerBatch& batch) {
  if (batch.bytes.use_count() > 1) {
    std::get_deleter<FreeBytes>(batch.bytes)->reserved_bytes = batch.reserved_bytes;
    batch.bytes = nullptr;
    return;
  }
  Bytes memory = batch.bytes ? std::move(*batch.bytes) : batch.builder.release_buffer();
  if (batch.bytes) batch.spare_bytes = std::move(batch.bytes);
  budget_->give_back(batch.reserved_bytes, std::move(memory));
}

void Accumulator::retire(BatchPtr batch) {
  free_bytes(*batch);
  PendingCallbacks callbacks = std::move(batch->callbacks);
  budget_->give_back_rooms(callbacks.given_rooms());
  std::vector<PendingRun> runs = std::move(batch->runs);
  runs.clear();
  const std::uint64_t number = batch->number;
  std::shared_ptr<Bytes> spare_bytes = std::move(batch->spare_bytes);
  *batch = ProducerBatch{};
  batch->callbacks = std::move(callbacks);
  batch->runs = std::move(runs);
  batch->spare_bytes = std::move(spare_bytes);
  const std::lock_guard lock(batches_mutex_);
  auto node = incomplete_.extract(incomplete_.find(number));
  if (spare_numbers_.size() < kMostSpareNumbers) spare_numbers_.push_back(std::move(node));
  if (spare_.size() < kMostSpareBatches) spare_.push_back(std::move(batch));
}

void Accumulator::close_batch(ProducerBatch& batch) {
  batch.state = BatchState::sealing;
  batch.queue->close(batch);
}

void Accumulator::finish(ProducerBatch& batch) {
  note_finished(batch, batch.builder.finish());
}

void Accumulator::note_finished(ProducerBatch& batch, Result<Bytes> finished) {
  if (!finished) {
    batch.seal_failure = finished.error();
  } else {
    batch.bytes =
        batch.spare_bytes ? std::move(batch.spare_bytes) : std::shared_ptr<Bytes>(new Bytes(), FreeBytes{budget_});
    *batch.bytes = std::move(*finished);
  }
}

void Accumulator::seal(ProducerBatch& batch) {
  const std::size_t plain_bytes = batch.builder.plain_bytes();
  CompressorRoom room = compressors_.take();
  note_finished(batch, batch.builder.finish(room.compressor, room.output));
  compressors_.give_back(std::move(room));
  std::size_t spare_bytes = 0;
  Bytes plain;
  if (batch.bytes) {
    note_ratio(*batch.queue->topic, batch.bytes->size(), plain_bytes);
    const std::size_t kept = std::min(batch.reserved_bytes, batch.bytes->size());
    spare_bytes = batch.reserved_bytes - kept;
    plain = batch.builder.release_buffer();
  }
  {
    const std::lock_guard lock(batch.queue->mutex);
    batch.reserved_bytes -= spare_bytes;
    batch.state = BatchState::sealed;
  }
  // The batch may be gone from here on.
  budget_->give_back(spare_bytes, std::move(plain));
}

void Accumulator::note_ratio(TopicState& topic, std::size_t compressed_bytes, std::size_t plain_bytes) {
  const float seen = static_cast<float>(compressed_bytes) / static_cast<float>(plain_bytes);
  const float now = topic.compression_ratio.load(std::memory_order_relaxed);
  const float next = seen > now ? std::max(now + kRatioWorsens, seen) : std::max(now - kRatioImproves, seen);
  topic.compression_ratio.store(next, std::memory_order_relaxed);
}

bool Accumulator::is_complete_below(std::uint64_t number) const {
  const std::lock_guard lock(batches_mutex_);
  return incomplete_.empty() || *incomplete_.begin() >= number;
}

Accumulator::Totals Accumulator::totals() const {
  std::vector<PartitionQueue*> queues;
  collect(queues);
  Totals totals;
  for (PartitionQueue* queue : queues) {
    const std::lock_guard lock(queue->mutex);
    totals.records += queue->records_taken;
    totals.bytes += queue->record_bytes_taken;
  }
  return totals;
}

std::size_t Accumulator::incomplete() const {
  const std::lock_guard lock(batches_mutex_);
  return incomplete_.size();
}

}  // namespace barnabas::client
