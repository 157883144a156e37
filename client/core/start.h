#pragma once

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include "barnabas/handler_async.h"
#include "client/core/client_runtime.h"

namespace barnabas::client {

/// What every public async_ function ends in: runs `work` on the runtime's executor and calls `done` with its outcome
/// (a default value beside an error). Asio's cancellation ends the wait that `work` stands at with Errc::cancelled.
template <typename T>
void start(const std::shared_ptr<ClientRuntime>& runtime, asio::awaitable<Result<T>> work,
           Handler<std::error_code, T> done) {
  struct Run {
    static asio::awaitable<void> run(asio::awaitable<Result<T>> w, std::shared_ptr<Handler<std::error_code, T>> d) {
      co_await asio::this_coro::throw_if_cancelled(false);
      Result<T> result = co_await std::move(w);
      if (result) {
        (*d)({}, std::move(*result));
      } else {
        (*d)(result.error().code, T{});
      }
    }
  };
  auto signal = std::make_shared<asio::cancellation_signal>();
  auto shared = std::make_shared<Handler<std::error_code, T>>(std::move(done));
  shared->on_cancel([signal, runtime] {
    asio::post(runtime->executor(), [signal] { signal->emit(asio::cancellation_type::terminal); });
  });
  asio::co_spawn(runtime->executor(), Run::run(std::move(work), std::move(shared)),
                 asio::bind_cancellation_slot(signal->slot(), [signal](const std::exception_ptr&) {}));
}

}  // namespace barnabas::client
