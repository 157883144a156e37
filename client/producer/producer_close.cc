#include <fmt/format.h>

#include "client/core/errors.h"
#include "client/producer/producer_impl.h"

namespace barnabas::client {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;

constexpr std::chrono::seconds kEndGrace{5};  // for cutting connections; nothing in it waits for a peer

}  // namespace

asio::awaitable<Result<void>> ProducerImpl::shut_down(std::shared_ptr<Sender> sender,
                                                      std::shared_ptr<RequestRouter> router, Failure why) {
  sender->abort(std::move(why));
  const auto ended = co_await router->shutdown();
  // What was in flight came back with the connections' end; its callbacks have run.
  sender->abort(Failure{make_error_code(Errc::closed), "the producer is closed"});
  co_return ended;
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
  closed_.store(true, std::memory_order_release);
  const bool on_reactor = runtime_->is_current_thread();
  if (graceful && on_reactor) return failure(Errc::would_deadlock, "close on the client's own reactor thread");
  if (shut_down_.exchange(true)) return {};
  sender_->close_soon();
  if (graceful) static_cast<void>(flush(timeout));  // what is left fails below, and is counted
  sender_->accumulator().budget().close();
  const std::uint64_t undelivered = sender_->buffered_records();
  if (undelivered > 0) {
    logger_.warn("closed with {} records that were not delivered; they have failed", undelivered);
  }
  Failure why{make_error_code(Errc::closed), "the producer was closed before the record was delivered"};
  auto work = shut_down(sender_, sender_->shared_router(), std::move(why));
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

ProducerMetrics Producer::metrics() const {
  return impl_->metrics();
}

}  // namespace v0
}  // namespace barnabas
