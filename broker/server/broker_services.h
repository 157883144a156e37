#pragma once

#include <cstdint>
#include <string>

#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::config {
class BrokerConfig;
}  // namespace barnabas::config

namespace barnabas::group {
class GroupCoordinator;
}  // namespace barnabas::group

namespace barnabas::metadata {
class ControllerClient;
class ProducerIdManager;
}  // namespace barnabas::metadata

namespace barnabas::partition {
class ReplicaManager;
}  // namespace barnabas::partition

namespace barnabas::broker {

class FetchSessionCache;
class Purgatory;
class BrokerMetrics;

/// What the broker offers its handlers. Owned by Broker, which outlives every connection.
/// Threads: any; each part says how it is used.
struct BrokerServices {
  runtime::Env* env = nullptr;
  runtime::Logger logger{"broker"};
  std::int32_t node_id = 1;
  std::string cluster_id;
  const config::BrokerConfig* config = nullptr;      ///< server.properties with its defaults.
  metadata::ControllerClient* controller = nullptr;  ///< Changes metadata; its image() is what it is now.
  metadata::ProducerIdManager* producer_ids = nullptr;
  partition::ReplicaManager* replicas = nullptr;  ///< The partitions that live here.
  group::GroupCoordinator* groups = nullptr;      ///< The groups whose coordinator this broker is.
  Purgatory* purgatory = nullptr;                 ///< Requests that wait for a partition to move.
  FetchSessionCache* fetch_sessions = nullptr;
  BrokerMetrics* metrics = nullptr;
};

}  // namespace barnabas::broker
