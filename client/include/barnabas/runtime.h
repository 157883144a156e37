#pragma once

#include <memory>
#include <utility>

#include "barnabas/export.h"

namespace barnabas {
namespace client {
class ClientRuntime;
}
inline namespace v0 {

/// What clients run on. A default one is made per client, with one thread; any number of producers, consumers and
/// admins may share one instead: `auto runtime = Runtime::make(); Producer a(config, {.runtime = runtime}); Consumer
/// b(config, {.runtime = runtime});` Runtime::on(executor) in runtime_async.h takes the user's own Asio executor (no
/// thread is made then, and a blocking call works from any other thread than the one that runs it). A copyable handle.
/// The thread ends when the last client and the last handle are gone. Threads: any.
class BARNABAS_API Runtime {
 public:
  /// None: the client that gets it makes its own.
  Runtime() = default;
  /// One thread, to be shared.
  static Runtime make();
  /// For the library's own tests and tools: an internal runtime (virtual time, a network in memory).
  explicit Runtime(std::shared_ptr<client::ClientRuntime> internals) : internals_(std::move(internals)) {}

  /// Defined in runtime_async.h: runs on this executor, of an io_context or thread pool that the user runs.
  /// A multi-threaded executor is put behind a strand.
  template <typename Executor>
  static Runtime on(const Executor& executor);

  explicit operator bool() const noexcept { return internals_ != nullptr; }
  const std::shared_ptr<client::ClientRuntime>& internals() const noexcept { return internals_; }

 private:
  std::shared_ptr<client::ClientRuntime> internals_;
};

}  // namespace v0
}  // namespace barnabas
