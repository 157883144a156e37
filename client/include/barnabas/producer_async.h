#pragma once

#include <system_error>
#include <utility>

#include "barnabas/handler_async.h"
#include "barnabas/producer.h"

namespace barnabas {
namespace client {

/// What the templates below call; implemented in client/producer.
/// `record` is copied before start_send returns or, where the operation must wait for room, kept as a copy of its
/// bytes.
BARNABAS_API asio::any_io_executor executor_of(ProducerImpl& producer);
BARNABAS_API void start_send(ProducerImpl& producer, const Record& record, Handler<std::error_code, Delivery> done);
BARNABAS_API void start_flush(ProducerImpl& producer, Handler<std::error_code> done);

}  // namespace client

inline namespace v0 {

template <typename CompletionToken>
auto Producer::async_send(const Record& record, CompletionToken&& token) {
  return initiate<std::error_code, Delivery>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                             [impl = impl_, record](Handler<std::error_code, Delivery> done) {
                                               client::start_send(*impl, record, std::move(done));
                                             });
}

template <typename CompletionToken>
auto Producer::async_flush(CompletionToken&& token) {
  return initiate<std::error_code>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_](Handler<std::error_code> done) { client::start_flush(*impl, std::move(done)); });
}

}  // namespace v0
}  // namespace barnabas
