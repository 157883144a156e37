#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "broker/metadata/image.h"
#include "common/bytes/result.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"

namespace barnabas::metadata {

/// A run of producer ids that belongs to one broker alone.
struct ProducerIdBlock {
  std::int64_t first = 0;
  std::int32_t count = 0;
};

/// What handlers ask of the controller. Local now, forwarded over the network when there are several brokers.
/// Every answer is durable when it arrives, and every listener has seen it.
/// Threads: any; completes on the caller's executor.
class ControllerClient {
 public:
  virtual ~ControllerClient() = default;
  /// The newest published image. Never null.
  virtual ImagePtr image() const = 0;
  virtual asio::awaitable<protocol::CreateTopicsResponse> create_topics(protocol::CreateTopicsRequest request) = 0;
  /// By name or id, as in version 6; earlier versions put the names into `topics`.
  virtual asio::awaitable<protocol::DeleteTopicsResponse> delete_topics(protocol::DeleteTopicsRequest request) = 0;
  virtual asio::awaitable<Result<ProducerIdBlock>> allocate_producer_ids() = 0;
};

}  // namespace barnabas::metadata
