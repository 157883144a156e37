#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/uuid.h"

namespace barnabas::metadata {

constexpr std::int32_t kNoLeader = -1;

/// Kafka's ConfigResource types, with the codes of the wire and of ConfigRecord.
enum class ConfigResourceType : std::int8_t {
  unknown = 0,
  topic = 2,
  broker = 4,
  broker_logger = 8,
  client_metrics = 16,
  group = 32,
};

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::unknown;
  std::string name;  ///< Topic name, broker id as text ("" is the cluster-wide broker default), group id.

  friend bool operator==(const ConfigResource&, const ConfigResource&) = default;
  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};

/// One partition as the metadata log describes it. Source: Kafka's PartitionRegistration.
struct PartitionImage {
  std::int32_t id = 0;
  std::vector<std::int32_t> replicas;
  std::vector<Uuid> directories;  ///< Of each replica, in the same order; the zero id is "not known yet".
  std::vector<std::int32_t> isr;
  std::vector<std::int32_t> removing_replicas;
  std::vector<std::int32_t> adding_replicas;
  std::vector<std::int32_t> eligible_leader_replicas;
  std::vector<std::int32_t> last_known_elr;
  std::int32_t leader = kNoLeader;
  std::int8_t leader_recovery_state = 0;  ///< 0 recovered, 1 recovering from an unclean election.
  std::int32_t leader_epoch = 0;
  std::int32_t partition_epoch = 0;

  friend bool operator==(const PartitionImage&, const PartitionImage&) = default;
};

struct TopicImage {
  std::string name;
  Uuid id;
  std::map<std::int32_t, PartitionImage> partitions;  ///< By partition id.

  const PartitionImage* partition(std::int32_t partition_id) const;
};

/// Where clients or brokers connect to.
struct Endpoint {
  std::string name;  ///< The listener's name, such as PLAINTEXT.
  std::string host;
  std::uint16_t port = 0;
  std::int16_t security_protocol = 0;  ///< 0 is PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The versions of a feature that a broker or controller can work with.
struct FeatureRange {
  std::int16_t min = 0;
  std::int16_t max = 0;

  friend bool operator==(const FeatureRange&, const FeatureRange&) = default;
};

/// A broker as it registered itself. Source: Kafka's BrokerRegistration.
struct BrokerImage {
  std::int32_t id = 0;
  std::int64_t epoch = 0;  ///< The offset of its RegisterBroker record.
  Uuid incarnation_id;
  std::vector<Endpoint> endpoints;
  std::map<std::string, FeatureRange> features;
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  std::vector<Uuid> directories;
  std::vector<Uuid> cordoned_directories;

  const Endpoint* endpoint(std::string_view listener_name) const;
};

using ConfigMap = std::map<std::string, std::string>;

/// Everything that the metadata log says, up to an offset. Never changed once published: a new one takes its place.
/// Threads: any.
class MetadataImage {
 public:
  /// Nullptr where there is none.
  std::shared_ptr<const TopicImage> topic(std::string_view name) const;
  std::shared_ptr<const TopicImage> topic(const Uuid& id) const;
  /// Sorted by name.
  const std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>>& topics() const {
    return topics_by_name_;
  }
  std::size_t partition_count() const { return partition_count_; }

  /// The overrides that were set for a resource; empty where there are none.
  const ConfigMap& configs(const ConfigResource& resource) const;
  const ConfigMap& topic_configs(std::string_view topic) const {
    return configs({ConfigResourceType::topic, std::string(topic)});
  }

  const std::map<std::int32_t, BrokerImage>& brokers() const { return brokers_; }
  const BrokerImage* broker(std::int32_t id) const;
  /// Finalised feature levels, metadata.version among them.
  const std::map<std::string, std::int16_t>& features() const { return features_; }
  std::int16_t feature_level(const std::string& name) const;
  /// The first producer id that no block holds yet.
  std::int64_t next_producer_id() const { return next_producer_id_; }
  /// The offset of the last record in this image; -1 is none.
  std::int64_t offset() const { return offset_; }
  std::int32_t epoch() const { return epoch_; }

 private:
  friend class ImageBuilder;
  friend class SnapshotRecords;

  std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>> topics_by_name_;
  std::unordered_map<Uuid, std::shared_ptr<const TopicImage>> topics_by_id_;
  std::size_t partition_count_ = 0;
  std::map<ConfigResource, ConfigMap> configs_;
  std::map<std::int32_t, BrokerImage> brokers_;
  std::map<std::string, std::int16_t> features_;
  std::int64_t next_producer_id_ = 0;
  /// Framed records of kinds that nothing here acts on, by what they are about: quotas, ACLs, credentials, controllers.
  std::map<std::string, Bytes> kept_;
  /// Framed records of types we have never heard of, in log order.
  std::vector<Bytes> unknown_;
  std::int64_t offset_ = -1;
  std::int32_t epoch_ = 0;
};

using ImagePtr = std::shared_ptr<const MetadataImage>;

}  // namespace barnabas::metadata
