#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <list>
#include <memory>

#include "barnabas/topic_partition.h"
#include "client/core/client_runtime.h"

namespace barnabas::client {

/// What calls of a producer wait for beside room in buffer.memory: close() ends it at once, whatever it waits for.
/// Threads: the executor's, but for end_all().
class OpenWaits : public std::enable_shared_from_this<OpenWaits> {
 public:
  explicit OpenWaits(std::shared_ptr<ClientRuntime> runtime) : runtime_(std::move(runtime)) {}

  /// Runs `work`, which waits for metadata of `what`, to its end, or until end_all(). Errors: work's; Errc::closed.
  static asio::awaitable<Result<void>> run(std::shared_ptr<OpenWaits> self, TopicPartition what,
                                           asio::awaitable<Result<void>> work);
  /// Ends all waits, those to come too. Threads: any.
  void end_all();

  /// One call that waits for metadata of a partition.
  struct Wait {
    Wait(TopicPartition partition, runtime::MonotonicTime now) : what(std::move(partition)), since(now) {}
    TopicPartition what;
    runtime::MonotonicTime since;
    asio::cancellation_signal cancel;
  };
  const std::list<Wait>& open() const noexcept { return open_; }

 private:
  std::shared_ptr<ClientRuntime> runtime_;
  std::list<Wait> open_;
  bool ended_ = false;
};

}  // namespace barnabas::client
