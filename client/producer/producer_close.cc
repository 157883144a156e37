#include <fmt/format.h>

#include "client/core/errors.h"
#include "client/producer/producer_impl.h"

namespace barnabas::client {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;

constexpr std::chrono::seconds kEndGrace{5};          // for cutting connections; nothing in it waits for a peer
constexpr std::chrono::seconds kCompressionGrace{3};  // for what is being compressed to come to its end

}  // namespace

asio::awaitable<Result<void>> ProducerImpl::shut_down(std::shared_ptr<ProducerImpl> self, Failure why) {
  const std::shared_ptr<Sender> sender = self->sender_;
  const std::shared_ptr<RequestRouter> router = sender->shared_router();
  sender->abort(std::move(why));
  const auto ended = co_await router->shutdown();
  // What was in flight comes back with the connections' end, and what is being compressed with its compressor: the
  // callbacks may refer to what the caller destroys next, so all of them run first.
  const std::shared_ptr<Gate> all_failed = sender->runtime()->make_gate();
  sender->flush_below(sender->accumulator().next_number(), [all_failed] { all_failed->open(); });
  const MonotonicTime deadline = sender->runtime()->now() + kCompressionGrace;
  co_await all_failed->wait(deadline);
  if (self->metrics_sink_.write) self->metrics_sink_.write(sender->config().client.client_id, self->metrics());
  co_return ended;
}

asio::awaitable<void> ProducerImpl::report(std::shared_ptr<ProducerImpl> self) {
  const std::shared_ptr<RequestRouter> router = self->sender_->shared_router();
  for (;;) {
    const MonotonicTime next = self->runtime_->now() + self->metrics_sink_.interval;
    const auto slept = co_await router->sleep_until(next);
    if (!slept) co_return;
    self->metrics_sink_.write(self->sender_->config().client.client_id, self->metrics());
  }
}

/// Starts the work and waits for it no longer than this: an executor that nobody runs must not hang a destructor.
Result<void> ProducerImpl::wait_bounded(asio::awaitable<Result<void>> work, Duration timeout) {
  struct Outcome {
    std::unique_ptr<runtime::Signal> signal;
    std::optional<Result<void>> result;
  };
  const auto outcome = std::make_shared<Outcome>();
  outcome->signal = runtime_->env().make_signal();
  asio::co_spawn(runtime_->executor(), std::move(work), [outcome](std::exception_ptr thrown, Result<void> result) {
    if (thrown) result = failure(Errc::cancelled);
    outcome->signal->notify([&] { outcome->result = std::move(result); });
  });
  const MonotonicTime deadline = runtime_->now() + timeout;
  if (!outcome->signal->wait_until(deadline, [&outcome] { return outcome->result.has_value(); })) {
    return failure(Errc::timed_out, "closing the producer: its executor does not run");
  }
  return std::move(*outcome->result);
}

Result<void> ProducerImpl::close(Duration timeout, bool graceful) {
  const bool on_reactor = runtime_->is_current_thread();
  if (graceful && on_reactor) return failure(Errc::would_deadlock, "close on the client's own reactor thread");
  closed_.store(true, std::memory_order_release);
  if (shut_down_.exchange(true)) return {};
  waits_->end_all();  // sends that wait were not taken yet: they fail at once
  sender_->accumulator().budget().close();
  sender_->close_soon();
  if (graceful) static_cast<void>(flush(timeout));  // what is left fails below, and is counted
  ended_.store(true, std::memory_order_release);
  const std::uint64_t undelivered = sender_->buffered_records();
  if (undelivered > 0) {
    logger_.warn("closed with {} records that were not delivered; they have failed", undelivered);
  }
  Failure why{make_error_code(Errc::closed), "the producer was closed before the record was delivered"};
  auto work = shut_down(shared_from_this(), std::move(why));
  if (on_reactor) {
    runtime_->spawn(std::move(work));
    return {};
  }
  return wait_bounded(std::move(work), kEndGrace);
}

}  // namespace barnabas::client

namespace barnabas {
inline namespace v0 {

using client::ProducerImpl;
using client::throw_error;
using client::value_or_throw;

Producer::Producer(Config config, ProducerOptions options)
    : impl_(value_or_throw(ProducerImpl::make(config, std::move(options)))) {}

Producer::~Producer() {
  if (impl_) static_cast<void>(impl_->close({}, false));
}

Producer::Producer(Producer&&) noexcept = default;

Producer& Producer::operator=(Producer&& other) noexcept {
  if (this != &other) {
    if (impl_) static_cast<void>(impl_->close({}, false));
    impl_ = std::move(other.impl_);
  }
  return *this;
}

void Producer::send(const Record& record, DeliveryCallback callback) {
  if (auto sent = impl_->send(record, std::move(callback)); !sent) throw_error(sent.error());
}

void Producer::send_batch(std::span<const Record> records, BatchDeliveryCallback callback) {
  std::size_t taken = 0;
  const auto sent = impl_->send_batch(records, std::move(callback), taken);
  if (!sent) throw SendBatchError(sent.error().code, sent.error().subject, taken);
}

Delivery Producer::send_sync(const Record& record) {
  return value_or_throw(impl_->send_sync(record));
}

void Producer::flush() {
  value_or_throw(impl_->flush(impl_->longest_delivery()));
}

void Producer::flush(std::chrono::milliseconds timeout) {
  value_or_throw(impl_->flush(timeout));
}

std::vector<PartitionInfo> Producer::partitions_for(const std::string& topic) {
  return value_or_throw(impl_->partitions_for(topic));
}

void Producer::close(std::chrono::milliseconds timeout) {
  value_or_throw(impl_->close(timeout, true));
}

std::string Producer::explain() const {
  return impl_->explain();
}

ProducerMetrics Producer::metrics() const {
  return impl_->metrics();
}

}  // namespace v0
}  // namespace barnabas
