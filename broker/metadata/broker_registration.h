#pragma once

#include <cstdint>
#include <vector>

#include "broker/metadata/controller.h"
#include "broker/metadata/image.h"
#include "common/bytes/bytes.h"
#include "common/runtime/random.h"

namespace barnabas::metadata {

/// The records of this node's comings and goings. Nothing here changes state.
/// Source: Kafka's ClusterControlManager and ReplicationControlManager.

/// What the controller says of itself when it becomes active.
Bytes register_controller_record(const ControllerOptions& options, runtime::Random& random);
/// The broker joins, fenced. `broker_epoch` is the offset that the record will get.
Bytes register_broker_record(const ControllerOptions& options, const BrokerRegistrationRequest& request,
                             std::int64_t broker_epoch, runtime::Random& random);
/// The broker may serve: it leads every partition that it is a replica of, each with a new leader epoch.
std::vector<Bytes> unfence_records(const MetadataImage& image, const ControllerOptions& options,
                                   std::int64_t broker_epoch);
/// The broker is about to stop: its partitions have no leader from here on, but know who may lead them again.
std::vector<Bytes> controlled_shutdown_records(const MetadataImage& image, std::int32_t node_id,
                                               std::int64_t broker_epoch);
/// The broker has stopped.
std::vector<Bytes> fence_records(std::int32_t node_id, std::int64_t broker_epoch);

}  // namespace barnabas::metadata
