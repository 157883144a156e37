#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <chrono>
#include <functional>
#include <system_error>
#include <utility>

#include "barnabas/consumer.h"
#include "barnabas/handler_async.h"

namespace barnabas {
namespace client {

/// What the templates below call; implemented in client/consumer.
BARNABAS_API asio::any_io_executor executor_of(ConsumerImpl& consumer);
BARNABAS_API void start_poll(ConsumerImpl& consumer, std::chrono::milliseconds timeout,
                             Handler<std::error_code, Records> done);
BARNABAS_API void start_commit(ConsumerImpl& consumer, std::optional<Offsets> offsets, Handler<std::error_code> done);

}  // namespace client

inline namespace v0 {

template <typename CompletionToken>
auto Consumer::async_poll(std::chrono::milliseconds timeout, CompletionToken&& token) {
  return initiate<std::error_code, Records>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                            [impl = impl_, timeout](Handler<std::error_code, Records> done) {
                                              client::start_poll(*impl, timeout, std::move(done));
                                            });
}

template <typename CompletionToken>
auto Consumer::async_commit(CompletionToken&& token) {
  return initiate<std::error_code>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_](Handler<std::error_code> done) { client::start_commit(*impl, std::nullopt, std::move(done)); });
}

template <typename CompletionToken>
auto Consumer::async_commit(Offsets offsets, CompletionToken&& token) {
  return initiate<std::error_code>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                   [impl = impl_, offsets = std::move(offsets)](Handler<std::error_code> done) mutable {
                                     client::start_commit(*impl, std::move(offsets), std::move(done));
                                   });
}

/// A rebalance listener whose functions are coroutines: `co_await consumer.async_commit(asio::use_awaitable)` before
/// partitions go. Any of them may be left out.
struct CoroutineListener {
  using Partitions = RebalanceListener::Partitions;
  std::function<asio::awaitable<void>(Partitions)> on_assigned{};
  std::function<asio::awaitable<void>(Partitions)> on_revoked{};
  std::function<asio::awaitable<void>(Partitions)> on_lost{};  ///< Without it, on_revoked.
};

/// `consumer.subscribe({"orders"}, coroutine_listener(executor, {...}))`. They run on `executor`.
inline RebalanceListener coroutine_listener(asio::any_io_executor executor, CoroutineListener listener) {
  RebalanceListener made;
  made.start = [executor = std::move(executor), listener = std::move(listener)](
                   RebalanceListener::Event event, RebalanceListener::Partitions partitions,
                   std::function<void(std::exception_ptr)> done) {
    const bool lost = event == RebalanceListener::Event::lost && listener.on_lost;
    const auto& function = event == RebalanceListener::Event::assigned ? listener.on_assigned
                           : lost                                      ? listener.on_lost
                                                                       : listener.on_revoked;
    if (!function) return done(nullptr);
    asio::co_spawn(executor, function(std::move(partitions)), std::move(done));
  };
  return made;
}

}  // namespace v0
}  // namespace barnabas
