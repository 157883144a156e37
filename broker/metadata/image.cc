#include "broker/metadata/image.h"

namespace barnabas::metadata {

const PartitionImage* TopicImage::partition(std::int32_t partition_id) const {
  const auto found = partitions.find(partition_id);
  return found == partitions.end() ? nullptr : &found->second;
}

const Endpoint* BrokerImage::endpoint(std::string_view listener_name) const {
  for (const Endpoint& one : endpoints) {
    if (one.name == listener_name) return &one;
  }
  return nullptr;
}

std::shared_ptr<const TopicImage> MetadataImage::topic(std::string_view name) const {
  const auto found = topics_by_name_.find(name);
  return found == topics_by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<const TopicImage> MetadataImage::topic(const Uuid& id) const {
  const auto found = topics_by_id_.find(id);
  return found == topics_by_id_.end() ? nullptr : found->second;
}

const ConfigMap& MetadataImage::configs(const ConfigResource& resource) const {
  static const ConfigMap none;
  const auto found = configs_.find(resource);
  return found == configs_.end() ? none : found->second;
}

const BrokerImage* MetadataImage::broker(std::int32_t id) const {
  const auto found = brokers_.find(id);
  return found == brokers_.end() ? nullptr : &found->second;
}

std::int16_t MetadataImage::feature_level(const std::string& name) const {
  const auto found = features_.find(name);
  return found == features_.end() ? std::int16_t{0} : found->second;
}

}  // namespace barnabas::metadata
