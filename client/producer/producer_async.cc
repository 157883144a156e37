#include "barnabas/producer_async.h"

#include <asio/post.hpp>
#include <deque>
#include <memory>
#include <string>

#include "client/core/errors.h"
#include "client/producer/producer_impl.h"

namespace barnabas::client {

namespace {

/// One async_send: its handler is called once, by the delivery, a failure or Asio's cancellation, whichever comes
/// first. Threads: the executor's, but for start() and for what fails before the record was taken.
class PendingSend : public std::enable_shared_from_this<PendingSend> {
 public:
  explicit PendingSend(Handler<std::error_code, Delivery> handler) : handler_(std::move(handler)) {}

  /// A record that is in its batch already may still be stored; only the wait ends.
  void allow_cancel(const std::shared_ptr<ClientRuntime>& runtime, const Record& record) {
    topic_ = record.topic;
    handler_.on_cancel([weak = weak_from_this(), runtime] {
      asio::post(runtime->executor(), [weak] {
        const auto self = weak.lock();
        if (self && self->handler_) self->fail(Failure{make_error_code(Errc::cancelled), "async_send was cancelled"});
      });
    });
  }
  bool is_done() const noexcept { return !handler_; }
  void deliver(const Delivery& delivery) {
    if (handler_) handler_(delivery.error, delivery);
  }
  void fail(const Failure& why) {
    Delivery delivery;
    delivery.error = why.code;
    delivery.context = why.subject;
    delivery.topic = topic_;
    deliver(delivery);
  }

 private:
  Handler<std::error_code, Delivery> handler_;
  std::string topic_;
};

DeliveryCallback callback_for(const std::shared_ptr<PendingSend>& pending) {
  return [pending](const Delivery& delivery) { pending->deliver(delivery); };
}

}  // namespace

/// A record that must wait: with bytes of its own.
struct ProducerImpl::KeptRecord {
  KeptRecord(const Record& from, std::shared_ptr<PendingSend> send) : pending(std::move(send)), record(from) {
    record.topic = keep(from.topic);
    record.key = keep(from.key);
    record.value = keep(from.value);
    for (const Header& header : from.headers) headers.push_back({keep(header.key), keep(header.value)});
    record.headers = headers;
  }
  std::string_view keep(std::string_view text) { return texts.emplace_back(text); }
  NullableBytes keep(const NullableBytes& bytes) {
    return bytes.is_null() ? NullableBytes() : NullableBytes(keep(bytes.text()));
  }

  std::shared_ptr<PendingSend> pending;
  Record record;
  std::vector<Header> headers;
  std::deque<std::string> texts;
};

void ProducerImpl::start_send(const Record& given, Handler<std::error_code, Delivery> handler) {
  Record record = given;
  for (const auto& interceptor : interceptors_) interceptor->on_send(record);
  const auto pending = std::make_shared<PendingSend>(std::move(handler));
  pending->allow_cancel(runtime_, record);
  const auto refuse = [&](const Failure& why) {
    tell_interceptors(record, why);
    pending->fail(why);
  };
  if (auto checked = check(record); !checked) return refuse(checked.error());
  DeliveryCallback callback = callback_for(pending);
  const Listener listener{.callback = &callback, .notes_each = !interceptors_.empty()};
  Attempt attempt{.record = record, .listener = listener};
  attempt.timestamp_ms = timestamp_of(record, clock_.wall_ms());
  const auto step = advance(attempt);
  if (!step) return refuse(step.error());
  if (*step == Step::done) return;
  sender_->counters().blocked_sends.fetch_add(1, std::memory_order_relaxed);
  record.timestamp = Timestamp(std::chrono::milliseconds(attempt.timestamp_ms));
  runtime_->spawn(send_later(shared_from_this(), std::make_shared<KeptRecord>(record, pending)));
}

asio::awaitable<void> ProducerImpl::send_later(std::shared_ptr<ProducerImpl> self, std::shared_ptr<KeptRecord> kept) {
  const std::shared_ptr<PendingSend> pending = kept->pending;
  DeliveryCallback callback = callback_for(pending);
  const Listener listener{.callback = &callback, .notes_each = !self->interceptors_.empty()};
  Attempt attempt{.record = kept->record, .listener = listener};
  attempt.timestamp_ms = kept->record.timestamp->time_since_epoch().count();
  const ProducerConfig& config = self->sender_->config();
  const runtime::MonotonicTime deadline = self->runtime_->now() + config.max_block;
  for (;;) {
    if (pending->is_done()) break;
    const auto step = self->advance(attempt);
    if (step && *step == Step::done) co_return;
    Result<void> waited;
    if (!step) {
      waited = failure(step.error());
    } else if (*step == Step::needs_metadata) {
      auto work = self->await_topic(kept->record, deadline);
      waited = co_await std::move(work);
    } else {
      self->sender_->begin_wait_for_room();
      auto taken = co_await self->sender_->accumulator().budget().async_take(attempt.wanted_bytes, deadline);
      self->sender_->end_wait_for_room();
      if (taken) {
        attempt.reservation = std::move(*taken);
      } else {
        waited = failure(taken.error());
      }
    }
    if (waited && self->closed_.load(std::memory_order_acquire)) {
      waited = failure(Errc::closed, "the producer was closed");
    }
    if (waited) continue;
    self->tell_interceptors(kept->record, waited.error());
    pending->fail(waited.error());
    break;
  }
  self->give_up(attempt);
}

void ProducerImpl::start_flush(Handler<std::error_code> handler) {
  auto done = std::make_shared<Handler<std::error_code>>(std::move(handler));
  sender_->flush_below(sender_->accumulator().next_number(), [done] { (*done)(std::error_code{}); });
}

asio::any_io_executor executor_of(ProducerImpl& producer) {
  return producer.shared_runtime()->executor();
}

void start_send(ProducerImpl& producer, const Record& record, Handler<std::error_code, Delivery> done) {
  producer.start_send(record, std::move(done));
}

void start_flush(ProducerImpl& producer, Handler<std::error_code> done) {
  producer.start_flush(std::move(done));
}

}  // namespace barnabas::client
