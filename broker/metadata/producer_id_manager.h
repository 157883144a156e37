#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <mutex>

#include "broker/metadata/controller_client.h"
#include "common/bytes/result.h"

namespace barnabas::metadata {

/// Hands out producer ids, one by one, from blocks that belong to this broker alone. An id is never handed out twice,
/// also after kill -9: a block is in the synced metadata log before its first id leaves, and what is left of it at a
/// stop is lost. Threads: any.  Source: Kafka's RPCProducerIdManager.
class ProducerIdManager {
 public:
  explicit ProducerIdManager(ControllerClient& controller) : controller_(controller) {}

  /// Errors: those of allocate_producer_ids.
  asio::awaitable<Result<std::int64_t>> next();

 private:
  std::int64_t take();

  ControllerClient& controller_;
  std::mutex mutex_;                    // leaf lock
  std::deque<ProducerIdBlock> blocks_;  // mutex_; what is left of each
};

}  // namespace barnabas::metadata
