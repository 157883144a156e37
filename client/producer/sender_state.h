#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/producer/sender.h"

namespace barnabas::client {

/// Of a batch that went unanswered, and whose place in the sequence is lost.
inline constexpr const char* kInDoubt =
    " (it may be stored; an earlier batch failed, and under another number it might be stored twice)";

/// What one run finds.
struct Sender::Look {
  runtime::MonotonicTime now;
  runtime::MonotonicTime next = runtime::MonotonicTime::max();  ///< When to look again.
  bool no_linger = false;
  bool metadata_wanted = false;
  bool id_wanted = false;
  std::shared_ptr<const ClusterSnapshot> cluster;
  const TopicState* topic = nullptr;  ///< The last one that was looked up, and what the cluster says of it.
  const TopicMetadata* metadata = nullptr;
};

/// The batches' bytes, kept alive until the request is written.
struct RequestBytes {
  std::vector<std::shared_ptr<Bytes>> owners;
  std::vector<BytesView> parts;
};

/// One Produce request and the batches in it, at most one per partition. Used again, for the sake of its memory.
struct Sender::InFlight {
  std::vector<BatchPtr> batches;        ///< Null: expired meanwhile.
  std::vector<PartitionQueue*> queues;  ///< Of the batches.
  protocol::ProduceRequest request;
  std::shared_ptr<RequestBytes> bytes;
  VersionRange versions{};
  std::shared_ptr<const std::string> broker;
  std::int32_t broker_id = -1;
  runtime::MonotonicTime deadline{};
  runtime::MonotonicTime first_expiry{};  ///< No batch of it expires before.

  BatchPtr take_batch(std::string_view name, const Uuid& id, std::int32_t partition);
};

}  // namespace barnabas::client
