#include "barnabas/producer_async.h"

#include <deque>

#include "client/core/errors.h"
#include "client/producer/producer_impl.h"

namespace barnabas::client {

/// A record that must wait: with bytes of its own.
struct ProducerImpl::KeptRecord {
  KeptRecord(const Record& from, Handler<std::error_code, Delivery> handler) : done(std::move(handler)), record(from) {
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

  Handler<std::error_code, Delivery> done;
  Record record;
  std::vector<Header> headers;
  std::deque<std::string> texts;
};

namespace {

void finish(Handler<std::error_code, Delivery>& done, const Record& record, const Failure& why) {
  Delivery delivery;
  delivery.error = why.code;
  delivery.context = why.subject;
  delivery.topic = std::string(record.topic);
  done(why.code, std::move(delivery));
}

/// The handler in a callback's room; it is called once, with the record's delivery.
DeliveryCallback callback_for(const std::shared_ptr<Handler<std::error_code, Delivery>>& done) {
  return [done](const Delivery& delivery) { (*done)(delivery.error, delivery); };
}

}  // namespace

void ProducerImpl::start_send(const Record& given, Handler<std::error_code, Delivery> handler) {
  Record record = given;
  for (const auto& interceptor : interceptors_) interceptor->on_send(record);
  if (auto checked = check(record); !checked) return finish(handler, record, checked.error());
  const auto done = std::make_shared<Handler<std::error_code, Delivery>>(std::move(handler));
  DeliveryCallback callback = callback_for(done);
  Attempt attempt{.record = record, .callback = callback};
  attempt.timestamp_ms = record.timestamp ? record.timestamp->time_since_epoch().count() : runtime_->clock().wall_ms();
  const auto step = advance(attempt);
  if (!step) return finish(*done, record, step.error());
  if (*step == Step::done) return;
  sender_->counters().blocked_sends.fetch_add(1, std::memory_order_relaxed);
  record.timestamp = Timestamp(std::chrono::milliseconds(attempt.timestamp_ms));
  runtime_->spawn(send_later(shared_from_this(), std::make_shared<KeptRecord>(record, std::move(*done))));
}

asio::awaitable<void> ProducerImpl::send_later(std::shared_ptr<ProducerImpl> self, std::shared_ptr<KeptRecord> kept) {
  const auto done = std::make_shared<Handler<std::error_code, Delivery>>(std::move(kept->done));
  DeliveryCallback callback = callback_for(done);
  Attempt attempt{.record = kept->record, .callback = callback};
  attempt.timestamp_ms = kept->record.timestamp->time_since_epoch().count();
  const runtime::MonotonicTime deadline = self->runtime_->now() + self->sender_->config().max_block;
  for (;;) {
    const auto step = self->advance(attempt);
    if (step && *step == Step::done) co_return;
    Result<void> waited;
    if (!step) {
      waited = failure(step.error());
    } else if (*step == Step::needs_metadata) {
      waited = co_await await_partition(self->sender_->shared_router(), std::string(kept->record.topic),
                                        kept->record.partition.value_or(0), deadline,
                                        self->sender_->config().max_block.count());
    } else {
      self->sender_->wake();
      waited = co_await self->sender_->accumulator().budget().async_take(attempt.wanted_bytes, deadline);
      if (waited) attempt.reserved_bytes = attempt.wanted_bytes;
    }
    if (waited && self->closed_.load(std::memory_order_acquire))
      waited = failure(Errc::closed, "the producer was closed");
    if (waited) continue;
    self->give_up(attempt);
    finish(*done, kept->record, waited.error());
    co_return;
  }
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
