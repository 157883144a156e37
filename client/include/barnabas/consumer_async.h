#pragma once

#include <chrono>
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

}  // namespace client

inline namespace v0 {

template <typename CompletionToken>
auto Consumer::async_poll(std::chrono::milliseconds timeout, CompletionToken&& token) {
  return initiate<std::error_code, Records>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                            [impl = impl_, timeout](Handler<std::error_code, Records> done) {
                                              client::start_poll(*impl, timeout, std::move(done));
                                            });
}

}  // namespace v0
}  // namespace barnabas
