#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "broker/group/step.h"
#include "broker/server/connection_limits.h"
#include "broker/server/request_context.h"
#include "common/runtime/async_event.h"

namespace barnabas::broker {

/// Where a group coordinator's reply arrives: often before anybody waits for it, else from another thread.
template <typename Response>
class ReplyBox : public std::enable_shared_from_this<ReplyBox<Response>> {
 public:
  group::Reply<Response> reply() {
    return [box = this->shared_from_this()](Response response) { box->put(std::move(response)); };
  }

  void put(Response response) {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
    if (event_) event_->notify();
  }
  bool is_full() const {
    const std::lock_guard lock(mutex_);
    return response_.has_value();
  }
  std::optional<Response> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(response_, std::nullopt);
  }
  /// Who is notified of the reply from now on; nullptr when nobody waits any more.
  void set_event(runtime::AsyncEvent* event) {
    const std::lock_guard lock(mutex_);
    event_ = event;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Response> response_;      // mutex_
  runtime::AsyncEvent* event_ = nullptr;  // mutex_; the waiter's own
};

template <typename Response>
std::shared_ptr<ReplyBox<Response>> make_reply_box() {
  return std::make_shared<ReplyBox<Response>>();
}

/// The reply, once it is there: it may be long in coming, so the connection's next request may start meanwhile.
/// Nothing when the connection has ended.
template <typename Response>
asio::awaitable<std::optional<Response>> await_reply(RequestContext& context, std::shared_ptr<ReplyBox<Response>> box) {
  if (box->is_full()) co_return box->take();
  context.start_waiting();
  runtime::AsyncEvent event(context.env(), context.executor());
  context.set_on_cancel([&event] { event.notify(); });
  box->set_event(&event);
  while (!box->is_full() && !context.is_cancelled()) {
    const Result<void> woken = co_await event.wait();
    if (!woken) break;
  }
  box->set_event(nullptr);
  context.set_on_cancel(nullptr);
  co_return box->take();
}

/// Who asks, as the coordinator writes it down.
inline group::Origin origin_of(RequestContext& context) {
  return {context.client_id().value_or(""), '/' + address_of(context.connection().peer), context.api_version()};
}

}  // namespace barnabas::broker
