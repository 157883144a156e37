#include "broker/metadata/snapshot_records.h"

#include "broker/metadata/features.h"
#include "broker/metadata/metadata_records.h"
#include "common/protocol/messages/config_record.h"
#include "common/protocol/messages/feature_level_record.h"
#include "common/protocol/messages/partition_record.h"
#include "common/protocol/messages/producer_ids_record.h"
#include "common/protocol/messages/register_broker_record.h"
#include "common/protocol/messages/topic_record.h"

namespace barnabas::metadata {
namespace {

protocol::RegisterBrokerRecord register_broker_record(const BrokerImage& broker) {
  protocol::RegisterBrokerRecord record;
  record.broker_id = broker.id;
  record.broker_epoch = broker.epoch;
  record.incarnation_id = broker.incarnation_id;
  for (const Endpoint& one : broker.endpoints) {
    protocol::RegisterBrokerRecord::BrokerEndpoint endpoint;
    endpoint.name = one.name;
    endpoint.host = one.host;
    endpoint.port = one.port;
    endpoint.security_protocol = one.security_protocol;
    record.end_points.push_back(std::move(endpoint));
  }
  for (const auto& [name, range] : broker.features) {
    protocol::RegisterBrokerRecord::BrokerFeature feature;
    feature.name = name;
    feature.min_supported_version = range.min;
    feature.max_supported_version = range.max;
    record.features.push_back(std::move(feature));
  }
  record.rack = broker.rack;
  record.fenced = broker.fenced;
  record.in_controlled_shutdown = broker.in_controlled_shutdown;
  record.log_dirs = broker.directories;
  record.cordoned_log_dirs = broker.cordoned_directories;
  return record;
}

protocol::PartitionRecord partition_record(const Uuid& topic_id, const PartitionImage& partition) {
  protocol::PartitionRecord record;
  record.topic_id = topic_id;
  record.partition_id = partition.id;
  record.replicas = partition.replicas;
  record.directories = partition.directories;
  record.isr = partition.isr;
  record.removing_replicas = partition.removing_replicas;
  record.adding_replicas = partition.adding_replicas;
  if (!partition.eligible_leader_replicas.empty()) record.eligible_leader_replicas = partition.eligible_leader_replicas;
  if (!partition.last_known_elr.empty()) record.last_known_elr = partition.last_known_elr;
  record.leader = partition.leader;
  record.leader_recovery_state = partition.leader_recovery_state;
  record.leader_epoch = partition.leader_epoch;
  record.partition_epoch = partition.partition_epoch;
  return record;
}

Bytes feature_record(const std::string& name, std::int16_t level) {
  protocol::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return frame_record(record, record_version::kOthers);
}

}  // namespace

std::vector<Bytes> SnapshotRecords::of(const MetadataImage& image) {
  SnapshotRecords snapshot(image);
  snapshot.add_features();
  snapshot.add_brokers();
  snapshot.add_kept("controller/");
  snapshot.add_topics();
  snapshot.add_configs();
  snapshot.add_kept("quota/");
  snapshot.add_producer_ids();
  for (const char* prefix : {"acl/", "scram/", "token/", "zk_migration_state"}) snapshot.add_kept(prefix);
  for (const Bytes& unknown : image.unknown_) snapshot.records_.push_back(unknown);
  return std::move(snapshot.records_);
}

void SnapshotRecords::add_features() {
  // metadata.version says how to read all that follows, so it comes first.
  if (const std::int16_t level = image_.feature_level(kMetadataVersion); level > 0) {
    records_.push_back(feature_record(kMetadataVersion, level));
  }
  for (const auto& [name, level] : image_.features_) {
    if (name != kMetadataVersion) records_.push_back(feature_record(name, level));
  }
}

void SnapshotRecords::add_brokers() {
  for (const auto& [id, broker] : image_.brokers_) {
    records_.push_back(frame_record(register_broker_record(broker), record_version::kRegisterBroker));
  }
}

void SnapshotRecords::add_topics() {
  for (const auto& [name, topic] : image_.topics_by_name_) {
    protocol::TopicRecord record;
    record.name = name;
    record.topic_id = topic->id;
    records_.push_back(frame_record(record, record_version::kOthers));
    for (const auto& [id, partition] : topic->partitions) {
      records_.push_back(frame_record(partition_record(topic->id, partition), record_version::kPartition));
    }
  }
}

void SnapshotRecords::add_configs() {
  for (const auto& [resource, configs] : image_.configs_) {
    for (const auto& [name, value] : configs) {
      protocol::ConfigRecord record;
      record.resource_type = static_cast<std::int8_t>(resource.type);
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      records_.push_back(frame_record(record, record_version::kOthers));
    }
  }
}

void SnapshotRecords::add_kept(const char* key_prefix) {
  const std::string prefix = key_prefix;
  for (auto one = image_.kept_.lower_bound(prefix); one != image_.kept_.end(); ++one) {
    if (one->first.compare(0, prefix.size(), prefix) != 0) return;
    records_.push_back(one->second);
  }
}

void SnapshotRecords::add_producer_ids() {
  if (image_.next_producer_id_ == 0) return;
  protocol::ProducerIdsRecord record;
  record.broker_id = -1;
  record.broker_epoch = -1;
  record.next_producer_id = image_.next_producer_id_;
  records_.push_back(frame_record(record, record_version::kOthers));
}

}  // namespace barnabas::metadata
