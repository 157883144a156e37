#include "common/runtime/env.h"

#include <asio/this_coro.hpp>

namespace barnabas::runtime {

asio::awaitable<Result<void>> Env::sleep_until(MonotonicTime deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const std::unique_ptr<Alarm> alarm = make_alarm(executor);
  co_return co_await alarm->wait_until(deadline);
}

}  // namespace barnabas::runtime
