#include "broker/metadata/broker_registration.h"

#include <algorithm>

#include "broker/metadata/features.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/random_uuid.h"
#include "common/protocol/messages/broker_registration_change_record.h"
#include "common/protocol/messages/partition_change_record.h"
#include "common/protocol/messages/register_broker_record.h"
#include "common/protocol/messages/register_controller_record.h"

namespace barnabas::metadata {
namespace {

constexpr std::int8_t kFence = 1;
constexpr std::int8_t kUnfence = -1;
constexpr std::int8_t kInControlledShutdown = 1;
constexpr std::int8_t kRecovered = 0;
/// The lowest version that holds the fields which are set, as Kafka chooses it.
constexpr std::int16_t kFencedSince = 0;
constexpr std::int16_t kControlledShutdownSince = 1;
constexpr std::int16_t kCordonedSince = 3;

template <typename Record, typename Feature>
void add_features(Record& record) {
  for (const auto& [name, range] : supported_features()) {
    Feature feature;
    feature.name = name;
    feature.min_supported_version = range.min;
    feature.max_supported_version = range.max;
    record.features.push_back(std::move(feature));
  }
}

template <typename Wire>
Wire endpoint_of(const Endpoint& one) {
  Wire endpoint;
  endpoint.name = one.name;
  endpoint.host = one.host;
  endpoint.port = one.port;
  endpoint.security_protocol = one.security_protocol;
  return endpoint;
}

bool contains(const std::vector<std::int32_t>& list, std::int32_t id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

protocol::PartitionChangeRecord change_of(const Uuid& topic_id, const PartitionImage& partition) {
  protocol::PartitionChangeRecord record;
  record.topic_id = topic_id;
  record.partition_id = partition.id;
  return record;
}

Bytes framed(const protocol::PartitionChangeRecord& record) {
  return frame_record(record, record_version::kPartitionChange);
}

/// Puts the partition's replica here into a directory that this broker has, if the log names another.
void assign_directory(protocol::PartitionChangeRecord& record, const PartitionImage& partition,
                      const ControllerOptions& options) {
  const auto replica = std::find(partition.replicas.begin(), partition.replicas.end(), options.node_id);
  const auto index = static_cast<std::size_t>(replica - partition.replicas.begin());
  const auto& ours = options.log_directories;
  if (std::find(ours.begin(), ours.end(), partition.directories[index]) != ours.end()) return;
  record.directories = partition.directories;
  (*record.directories)[index] = ours.front();
}

Bytes election_record(const Uuid& topic_id, const PartitionImage& partition, const ControllerOptions& options) {
  protocol::PartitionChangeRecord record = change_of(topic_id, partition);
  record.leader = options.node_id;
  if (partition.isr != std::vector{options.node_id}) record.isr = {options.node_id};
  if (!partition.eligible_leader_replicas.empty()) record.eligible_leader_replicas.emplace();
  if (!partition.last_known_elr.empty()) record.last_known_elr.emplace();
  if (partition.leader_recovery_state != kRecovered) record.leader_recovery_state = kRecovered;
  assign_directory(record, partition, options);
  return framed(record);
}

protocol::BrokerRegistrationChangeRecord registration_change(std::int32_t node_id, std::int64_t broker_epoch) {
  protocol::BrokerRegistrationChangeRecord record;
  record.broker_id = node_id;
  record.broker_epoch = broker_epoch;
  return record;
}

}  // namespace

Bytes register_controller_record(const ControllerOptions& options, runtime::Random& random) {
  using Record = protocol::RegisterControllerRecord;
  Record record;
  record.controller_id = options.node_id;
  record.incarnation_id = random_uuid(random);
  record.end_points.push_back(endpoint_of<Record::ControllerEndpoint>(options.controller_endpoint));
  add_features<Record, Record::ControllerFeature>(record);
  return frame_record(record, record_version::kOthers);
}

Bytes register_broker_record(const ControllerOptions& options, const BrokerRegistrationRequest& request,
                             std::int64_t broker_epoch, runtime::Random& random) {
  using Record = protocol::RegisterBrokerRecord;
  Record record;
  record.broker_id = options.node_id;
  record.broker_epoch = broker_epoch;
  record.incarnation_id = random_uuid(random);
  for (const Endpoint& one : request.endpoints) record.end_points.push_back(endpoint_of<Record::BrokerEndpoint>(one));
  add_features<Record, Record::BrokerFeature>(record);
  record.rack = request.rack;
  record.fenced = true;
  record.log_dirs = options.log_directories;
  std::sort(record.log_dirs.begin(), record.log_dirs.end());
  return frame_record(record, record_version::kRegisterBroker);
}

std::vector<Bytes> unfence_records(const MetadataImage& image, const ControllerOptions& options,
                                   std::int64_t broker_epoch) {
  std::vector<Bytes> records;
  auto unfence = registration_change(options.node_id, broker_epoch);
  unfence.fenced = kUnfence;
  records.push_back(frame_record(unfence, kFencedSince));
  for (const auto& [name, topic] : image.topics()) {
    for (const auto& [id, partition] : topic->partitions) {
      if (contains(partition.replicas, options.node_id))
        records.push_back(election_record(topic->id, partition, options));
    }
  }
  auto cordoned = registration_change(options.node_id, broker_epoch);
  cordoned.cordoned_log_dirs.emplace();
  records.push_back(frame_record(cordoned, kCordonedSince));
  return records;
}

std::vector<Bytes> controlled_shutdown_records(const MetadataImage& image, std::int32_t node_id,
                                               std::int64_t broker_epoch) {
  std::vector<Bytes> records;
  auto stopping = registration_change(node_id, broker_epoch);
  stopping.in_controlled_shutdown = kInControlledShutdown;
  records.push_back(frame_record(stopping, kControlledShutdownSince));
  const bool keeps_elr = image.feature_level(kElrVersion) > 0;
  for (const auto& [name, topic] : image.topics()) {
    for (const auto& [id, partition] : topic->partitions) {
      if (partition.leader != node_id) continue;
      auto record = change_of(topic->id, partition);
      record.leader = kNoLeader;
      if (keeps_elr && partition.isr == std::vector{node_id}) {
        record.isr.emplace();
        record.eligible_leader_replicas = {node_id};
        record.last_known_elr = {node_id};
      }
      records.push_back(framed(record));
    }
  }
  return records;
}

std::vector<Bytes> fence_records(std::int32_t node_id, std::int64_t broker_epoch) {
  auto fence = registration_change(node_id, broker_epoch);
  fence.fenced = kFence;
  return {frame_record(fence, kFencedSince)};
}

}  // namespace barnabas::metadata
