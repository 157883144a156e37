#include "broker/metadata/image_builder.h"

#include "broker/metadata/features.h"
#include "broker/metadata/kept_records.h"
#include "common/protocol/messages/broker_registration_change_record.h"
#include "common/protocol/messages/clear_elr_record.h"
#include "common/protocol/messages/config_record.h"
#include "common/protocol/messages/feature_level_record.h"
#include "common/protocol/messages/fence_broker_record.h"
#include "common/protocol/messages/partition_change_record.h"
#include "common/protocol/messages/partition_record.h"
#include "common/protocol/messages/producer_ids_record.h"
#include "common/protocol/messages/register_broker_record.h"
#include "common/protocol/messages/remove_topic_record.h"
#include "common/protocol/messages/topic_record.h"
#include "common/protocol/messages/unfence_broker_record.h"
#include "common/protocol/messages/unregister_broker_record.h"

namespace barnabas::metadata {
namespace {

constexpr std::int32_t kNoLeaderChange = -2;
constexpr std::int8_t kNoRecoveryChange = -1;

tl::unexpected<Failure> contradiction(const char* record, const std::string& what) {
  return failure(Errc::corrupt_data, std::string(record) + " for " + what + ", which the metadata log has not made");
}

PartitionImage partition_of(const protocol::PartitionRecord& record) {
  PartitionImage partition;
  partition.id = record.partition_id;
  partition.replicas = record.replicas;
  partition.directories = record.directories;
  partition.directories.resize(record.replicas.size());
  partition.isr = record.isr;
  partition.removing_replicas = record.removing_replicas;
  partition.adding_replicas = record.adding_replicas;
  if (record.eligible_leader_replicas) partition.eligible_leader_replicas = *record.eligible_leader_replicas;
  if (record.last_known_elr) partition.last_known_elr = *record.last_known_elr;
  partition.leader = record.leader;
  partition.leader_recovery_state = record.leader_recovery_state;
  partition.leader_epoch = record.leader_epoch;
  partition.partition_epoch = record.partition_epoch;
  return partition;
}

/// Source: Kafka's PartitionRegistration.merge.
void merge(PartitionImage& partition, const protocol::PartitionChangeRecord& record) {
  const auto take = [](auto& to, const auto& from) {
    if (from) to = *from;
  };
  take(partition.replicas, record.replicas);
  take(partition.isr, record.isr);
  take(partition.removing_replicas, record.removing_replicas);
  take(partition.adding_replicas, record.adding_replicas);
  take(partition.directories, record.directories);
  take(partition.eligible_leader_replicas, record.eligible_leader_replicas);
  take(partition.last_known_elr, record.last_known_elr);
  partition.directories.resize(partition.replicas.size());
  if (record.leader != kNoLeaderChange) {
    partition.leader = record.leader;
    ++partition.leader_epoch;
  }
  if (record.leader_recovery_state != kNoRecoveryChange) partition.leader_recovery_state = record.leader_recovery_state;
  ++partition.partition_epoch;
}

BrokerImage broker_of(const protocol::RegisterBrokerRecord& record) {
  BrokerImage broker;
  broker.id = record.broker_id;
  broker.epoch = record.broker_epoch;
  broker.incarnation_id = record.incarnation_id;
  for (const auto& one : record.end_points) {
    broker.endpoints.push_back({one.name, one.host, one.port, one.security_protocol});
  }
  for (const auto& one : record.features) {
    broker.features[one.name] = {one.min_supported_version, one.max_supported_version};
  }
  broker.rack = record.rack;
  broker.fenced = record.fenced;
  broker.in_controlled_shutdown = record.in_controlled_shutdown;
  broker.directories = record.log_dirs;
  if (record.cordoned_log_dirs) broker.cordoned_directories = *record.cordoned_log_dirs;
  return broker;
}

}  // namespace

void ImageBuilder::at(std::int64_t offset, std::int32_t epoch) {
  image_->offset_ = offset;
  image_->epoch_ = epoch;
}

ImagePtr ImageBuilder::build() {
  ImagePtr finished = image_;
  image_ = std::make_shared<MetadataImage>(*finished);
  copied_.clear();
  return finished;
}

Result<void> ImageBuilder::replay(BytesView framed, std::int64_t offset, std::int32_t epoch) {
  at(offset, epoch);
  const auto frame = read_record_frame(framed);
  if (!frame) return failure(frame.error());
  switch (static_cast<RecordType>(frame->type)) {
    case RecordType::begin_transaction:
      if (in_transaction_) return failure(Errc::corrupt_data, "a metadata transaction begins within another");
      in_transaction_ = true;
      return {};
    case RecordType::abort_transaction:
    case RecordType::end_transaction: {
      if (!in_transaction_) return failure(Errc::corrupt_data, "a metadata transaction ends that never began");
      in_transaction_ = false;
      const std::vector<Bytes> held = std::exchange(transaction_, {});
      if (static_cast<RecordType>(frame->type) == RecordType::abort_transaction) return {};
      for (const Bytes& one : held) {
        if (auto done = apply(*read_record_frame(one), one); !done) return done;
      }
      return {};
    }
    default:
      break;
  }
  if (!in_transaction_) return apply(*frame, framed);
  transaction_.emplace_back(framed.begin(), framed.end());
  return {};
}

Result<void> ImageBuilder::apply(const RecordFrame& frame, BytesView framed) {
  switch (static_cast<RecordType>(frame.type)) {
    case RecordType::topic:
      return apply_topic(frame);
    case RecordType::partition:
      return apply_partition(frame);
    case RecordType::partition_change:
      return apply_partition_change(frame);
    case RecordType::remove_topic:
      return apply_remove_topic(frame);
    case RecordType::clear_elr:
      return apply_clear_elr(frame);
    case RecordType::config:
      return apply_config(frame);
    case RecordType::no_op:
      return {};
    default:
      return apply_to_cluster(frame, framed);
  }
}

Result<void> ImageBuilder::apply_to_cluster(const RecordFrame& frame, BytesView framed) {
  switch (static_cast<RecordType>(frame.type)) {
    case RecordType::feature_level:
      return apply_feature_level(frame);
    case RecordType::register_broker:
      return apply_register_broker(frame);
    case RecordType::broker_registration_change:
      return apply_registration_change(frame);
    case RecordType::fence_broker:
    case RecordType::unfence_broker:
      return apply_fencing(frame);
    case RecordType::unregister_broker:
      return apply_unregister_broker(frame);
    case RecordType::producer_ids: {
      const auto record = decode_record<protocol::ProducerIdsRecord>(frame);
      if (!record) return failure(record.error());
      image_->next_producer_id_ = record->next_producer_id;
      return {};
    }
    default:
      return apply_kept(frame, framed);
  }
}

Result<void> ImageBuilder::apply_kept(const RecordFrame& frame, BytesView framed) {
  const auto subject = subject_of_kept(frame);
  if (!subject) return failure(subject.error());
  const Bytes copy(framed.begin(), framed.end());
  if (subject->key.empty())
    image_->unknown_.push_back(copy);
  else if (subject->removes)
    image_->kept_.erase(subject->key);
  else
    image_->kept_[subject->key] = copy;
  return {};
}

TopicImage* ImageBuilder::writable(const Uuid& topic_id) {
  if (const auto copied = copied_.find(topic_id); copied != copied_.end()) return copied->second.get();
  const auto found = image_->topics_by_id_.find(topic_id);
  if (found == image_->topics_by_id_.end()) return nullptr;
  auto copy = std::make_shared<TopicImage>(*found->second);
  found->second = copy;
  image_->topics_by_name_[copy->name] = copy;
  copied_[topic_id] = copy;
  return copy.get();
}

void ImageBuilder::note_change(const Uuid& topic_id) {
  if (delta_.created_topics.count(topic_id) == 0) delta_.changed_topics.insert(topic_id);
}

Result<void> ImageBuilder::apply_topic(const RecordFrame& frame) {
  const auto record = decode_record<protocol::TopicRecord>(frame);
  if (!record) return failure(record.error());
  if (image_->topics_by_name_.count(record->name) != 0 || image_->topics_by_id_.count(record->topic_id) != 0) {
    return failure(Errc::corrupt_data, "the metadata log makes topic " + record->name + " twice");
  }
  auto topic = std::make_shared<TopicImage>();
  topic->name = record->name;
  topic->id = record->topic_id;
  image_->topics_by_name_[topic->name] = topic;
  image_->topics_by_id_[topic->id] = topic;
  copied_[topic->id] = topic;
  delta_.created_topics.insert(topic->id);
  return {};
}

Result<void> ImageBuilder::apply_partition(const RecordFrame& frame) {
  const auto record = decode_record<protocol::PartitionRecord>(frame);
  if (!record) return failure(record.error());
  TopicImage* topic = writable(record->topic_id);
  if (topic == nullptr) return contradiction("PartitionRecord", "topic " + record->topic_id.to_string());
  if (topic->partitions.insert_or_assign(record->partition_id, partition_of(*record)).second)
    ++image_->partition_count_;
  note_change(record->topic_id);
  return {};
}

Result<void> ImageBuilder::apply_partition_change(const RecordFrame& frame) {
  const auto record = decode_record<protocol::PartitionChangeRecord>(frame);
  if (!record) return failure(record.error());
  TopicImage* topic = writable(record->topic_id);
  if (topic == nullptr) return contradiction("PartitionChangeRecord", "topic " + record->topic_id.to_string());
  const auto partition = topic->partitions.find(record->partition_id);
  if (partition == topic->partitions.end()) {
    return contradiction("PartitionChangeRecord", topic->name + "-" + std::to_string(record->partition_id));
  }
  merge(partition->second, *record);
  note_change(record->topic_id);
  return {};
}

Result<void> ImageBuilder::apply_remove_topic(const RecordFrame& frame) {
  const auto record = decode_record<protocol::RemoveTopicRecord>(frame);
  if (!record) return failure(record.error());
  const auto topic = image_->topic(record->topic_id);
  if (!topic) return contradiction("RemoveTopicRecord", "topic " + record->topic_id.to_string());
  const ConfigResource resource{ConfigResourceType::topic, topic->name};
  image_->configs_.erase(resource);
  image_->topics_by_id_.erase(topic->id);
  image_->topics_by_name_.erase(topic->name);
  image_->partition_count_ -= topic->partitions.size();
  copied_.erase(topic->id);
  delta_.changed_configs.erase(resource);
  delta_.changed_topics.erase(topic->id);
  if (delta_.created_topics.erase(topic->id) == 0) delta_.deleted_topics.push_back(topic);
  return {};
}

Result<void> ImageBuilder::apply_clear_elr(const RecordFrame& frame) {
  const auto record = decode_record<protocol::ClearElrRecord>(frame);
  if (!record) return failure(record.error());
  std::vector<Uuid> ids;
  for (const auto& [name, topic] : image_->topics_by_name_) {
    if (record->topic_name.empty() || name == record->topic_name) ids.push_back(topic->id);
  }
  if (ids.empty() && !record->topic_name.empty()) return contradiction("ClearElrRecord", "topic " + record->topic_name);
  for (const Uuid& id : ids) {
    for (auto& [number, partition] : writable(id)->partitions) {
      partition.eligible_leader_replicas.clear();
      partition.last_known_elr.clear();
    }
    note_change(id);
  }
  return {};
}

Result<void> ImageBuilder::apply_config(const RecordFrame& frame) {
  const auto record = decode_record<protocol::ConfigRecord>(frame);
  if (!record) return failure(record.error());
  const ConfigResource resource{static_cast<ConfigResourceType>(record->resource_type), record->resource_name};
  ConfigMap& configs = image_->configs_[resource];
  if (record->value)
    configs[record->name] = *record->value;
  else
    configs.erase(record->name);
  if (configs.empty()) image_->configs_.erase(resource);
  delta_.changed_configs.insert(resource);
  return {};
}

Result<void> ImageBuilder::apply_feature_level(const RecordFrame& frame) {
  const auto record = decode_record<protocol::FeatureLevelRecord>(frame);
  if (!record) return failure(record.error());
  if (auto known = check_feature(record->name, record->feature_level); !known) return known;
  if (record->feature_level == 0)
    image_->features_.erase(record->name);
  else
    image_->features_[record->name] = record->feature_level;
  delta_.features_changed = true;
  return {};
}

Result<void> ImageBuilder::apply_register_broker(const RecordFrame& frame) {
  const auto record = decode_record<protocol::RegisterBrokerRecord>(frame);
  if (!record) return failure(record.error());
  image_->brokers_[record->broker_id] = broker_of(*record);
  delta_.brokers_changed = true;
  return {};
}

Result<void> ImageBuilder::apply_registration_change(const RecordFrame& frame) {
  const auto record = decode_record<protocol::BrokerRegistrationChangeRecord>(frame);
  if (!record) return failure(record.error());
  const auto found = image_->brokers_.find(record->broker_id);
  if (found == image_->brokers_.end()) {
    return contradiction("BrokerRegistrationChangeRecord", "broker " + std::to_string(record->broker_id));
  }
  BrokerImage& broker = found->second;
  if (record->fenced != 0) broker.fenced = record->fenced > 0;
  if (record->in_controlled_shutdown != 0) broker.in_controlled_shutdown = record->in_controlled_shutdown > 0;
  if (!record->log_dirs.empty()) broker.directories = record->log_dirs;
  if (record->cordoned_log_dirs) broker.cordoned_directories = *record->cordoned_log_dirs;
  delta_.brokers_changed = true;
  return {};
}

Result<void> ImageBuilder::apply_fencing(const RecordFrame& frame) {
  const bool fences = static_cast<RecordType>(frame.type) == RecordType::fence_broker;
  std::int32_t id = 0;
  if (fences) {
    const auto record = decode_record<protocol::FenceBrokerRecord>(frame);
    if (!record) return failure(record.error());
    id = record->id;
  } else {
    const auto record = decode_record<protocol::UnfenceBrokerRecord>(frame);
    if (!record) return failure(record.error());
    id = record->id;
  }
  const auto found = image_->brokers_.find(id);
  if (found == image_->brokers_.end()) return contradiction("a fencing record", "broker " + std::to_string(id));
  found->second.fenced = fences;
  delta_.brokers_changed = true;
  return {};
}

Result<void> ImageBuilder::apply_unregister_broker(const RecordFrame& frame) {
  const auto record = decode_record<protocol::UnregisterBrokerRecord>(frame);
  if (!record) return failure(record.error());
  image_->brokers_.erase(record->broker_id);
  delta_.brokers_changed = true;
  return {};
}

}  // namespace barnabas::metadata
