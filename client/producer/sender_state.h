#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/producer/sender.h"

namespace barnabas::client {

/// What one run finds.
struct Sender::Look {
  runtime::MonotonicTime now;
  runtime::MonotonicTime next = runtime::MonotonicTime::max();  ///< When to look again.
  bool no_linger = false;
  bool metadata_wanted = false;
  bool id_wanted = false;
  std::shared_ptr<const ClusterSnapshot> cluster;
};

/// One Produce request and the batches in it, at most one per partition.
struct Sender::InFlight {
  std::vector<BatchPtr> batches;        ///< Null: expired meanwhile.
  std::vector<PartitionQueue*> queues;  ///< Of the batches.
  protocol::ProduceRequest request;
  CallOptions options;
  std::shared_ptr<const std::string> broker;
  std::vector<std::pair<Uuid, std::string>> topic_ids;  ///< As they were when the request was built.
  runtime::MonotonicTime deadline{};
};

/// The batches' bytes, kept alive until the request is written.
struct RequestBytes {
  std::vector<std::shared_ptr<Bytes>> parts;
};

}  // namespace barnabas::client
