#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/strand.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "barnabas/runtime.h"

namespace barnabas {
namespace client {

/// `executor` runs one handler at a time; `runs_here` says whether the caller is on a thread that runs it.
BARNABAS_API std::shared_ptr<ClientRuntime> make_runtime_on(asio::any_io_executor executor,
                                                            std::function<bool()> runs_here);

}  // namespace client

inline namespace v0 {

template <typename Executor>
Runtime Runtime::on(const Executor& executor) {
  const auto strand = asio::make_strand(executor);
  std::function<bool()> runs_here = [strand] { return strand.running_in_this_thread(); };
  if constexpr (requires { executor.running_in_this_thread(); }) {
    runs_here = [executor] { return executor.running_in_this_thread(); };
  }
  return Runtime(client::make_runtime_on(asio::any_io_executor(strand), std::move(runs_here)));
}

}  // namespace v0
}  // namespace barnabas
