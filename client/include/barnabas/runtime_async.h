#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/strand.hpp>
#include <memory>

#include "barnabas/runtime.h"

namespace barnabas {
namespace client {

/// `executor` runs one handler at a time.
BARNABAS_API std::shared_ptr<ClientRuntime> make_runtime_on(asio::any_io_executor executor);

}  // namespace client

inline namespace v0 {

template <typename Executor>
Runtime Runtime::on(const Executor& executor) {
  return Runtime(client::make_runtime_on(asio::any_io_executor(asio::make_strand(executor))));
}

}  // namespace v0
}  // namespace barnabas
