#include "client/producer/sender_state.h"

/// What became of a batch, told to those who wait for it.
namespace barnabas::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSlowCallback{50};
constexpr int kCallbacksPerLook = 32;  // at the clock: a look costs more than a short callback

std::int64_t offset_of(std::int64_t base_offset, std::int32_t index) {
  return base_offset < 0 ? -1 : base_offset + index;
}

Timestamp timestamp_of(std::int64_t log_append_time_ms, std::int64_t own_ms) {
  return Timestamp(milliseconds(log_append_time_ms >= 0 ? log_append_time_ms : own_ms));
}

}  // namespace

/// Notices callbacks that hold up the reactor.
class Sender::CallbackWatch {
 public:
  CallbackWatch(Sender& sender, const ProducerBatch& batch)
      : sender_(sender), batch_(batch), started_(sender.runtime_->now()) {}
  ~CallbackWatch() { look(); }
  CallbackWatch(const CallbackWatch&) = delete;
  CallbackWatch& operator=(const CallbackWatch&) = delete;

  /// One callback has run.
  void count() {
    if (--left_ == 0) look();
  }

 private:
  void look() {
    if (left_ == kCallbacksPerLook) return;
    left_ = kCallbacksPerLook;
    const runtime::MonotonicTime ended = sender_.runtime_->now();
    if (ended - started_ > kSlowCallback) {
      sender_.counters_.slow_callbacks.fetch_add(1, std::memory_order_relaxed);
      sender_.router_->logger().once(
          runtime::LogLevel::warn, "slow callback",
          "delivery callbacks for {} ran for {} ms in a row and held up the client's reactor", batch_.queue->name,
          std::chrono::duration_cast<milliseconds>(ended - started_).count());
    }
    started_ = ended;
  }

  Sender& sender_;
  const ProducerBatch& batch_;
  runtime::MonotonicTime started_;
  int left_ = kCallbacksPerLook;
};

void Sender::deliver(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms) {
  counters_.records_delivered.fetch_add(static_cast<std::uint64_t>(batch->record_count), std::memory_order_relaxed);
  complete(*batch, {.base_offset = base_offset, .log_append_time_ms = log_append_time_ms});
  accumulator_.retire(std::move(batch));
}

void Sender::fail(BatchPtr batch, Failure why) {
  counters_.records_failed.fetch_add(static_cast<std::uint64_t>(batch->record_count), std::memory_order_relaxed);
  complete(*batch, {.error = why.code, .context = std::move(why.subject)});
  accumulator_.retire(std::move(batch));
}

/// In the order of the records, whichever way they came.
void Sender::complete(ProducerBatch& batch, const Outcome& outcome) {
  CallbackWatch watch(*this, batch);
  const std::span<PendingRun> runs(batch.runs);
  std::size_t next_run = 0;
  Delivery delivery;
  if (!batch.callbacks.empty() || !interceptors_.empty()) {
    delivery.error = outcome.error;
    delivery.context = outcome.context;
    delivery.topic = batch.queue->topic->name;
    delivery.partition = batch.queue->partition;
  }
  batch.callbacks.run_all(
      [&](std::int32_t index, std::int64_t timestamp_ms, const PendingCallbacks::Waiting& callback) {
        const std::size_t first = next_run;
        while (next_run < runs.size() && runs[next_run].index < index) ++next_run;
        if (next_run > first) complete_runs(batch, runs.subspan(first, next_run - first), outcome, watch);
        delivery.offset = offset_of(outcome.base_offset, index);
        delivery.timestamp = timestamp_of(outcome.log_append_time_ms, timestamp_ms);
        for (const auto& interceptor : interceptors_) interceptor->on_delivery(delivery);
        callback(delivery);
        watch.count();
      });
  if (next_run < runs.size()) complete_runs(batch, runs.subspan(next_run), outcome, watch);
}

void Sender::complete_runs(const ProducerBatch& batch, std::span<PendingRun> runs, const Outcome& outcome,
                           CallbackWatch& watch) {
  BatchDelivery delivery;
  delivery.error = outcome.error;
  delivery.context = outcome.context;
  delivery.topic = batch.queue->topic->name;
  delivery.partition = batch.queue->partition;
  for (PendingRun& run : runs) {
    delivery.first = run.position;
    delivery.count = static_cast<std::size_t>(run.count);
    delivery.base_offset = offset_of(outcome.base_offset, run.index);
    delivery.timestamp = timestamp_of(outcome.log_append_time_ms, run.timestamp_ms);
    if (!interceptors_.empty()) tell_interceptors(delivery);
    (*run.callback)(delivery);
    watch.count();
  }
}

/// With interceptors a run is one record.
void Sender::tell_interceptors(const BatchDelivery& run) const {
  Delivery delivery;
  delivery.error = run.error;
  delivery.context = run.context;
  delivery.topic = run.topic;
  delivery.partition = run.partition;
  delivery.offset = run.base_offset;
  delivery.timestamp = run.timestamp;
  for (const auto& interceptor : interceptors_) interceptor->on_delivery(delivery);
}

}  // namespace barnabas::client
