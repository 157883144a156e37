#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/metadata/image.h"
#include "common/bytes/result.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/runtime/config_table.h"
#include "common/runtime/random.h"

namespace barnabas::metadata {

/// What a request to the controller comes to: records that make it so, and what is answered once they are synced.
template <typename Response>
struct ControllerResult {
  std::vector<Bytes> records;
  Response response;
};

/// Decides about topics; changes nothing itself.
/// Threads: the controller's.  Source: Kafka's ReplicationControlManager and ControllerApis.
class TopicControl {
 public:
  /// `image` is what holds now; `broker` is server.properties.
  TopicControl(const MetadataImage& image, const runtime::ParsedConfig& broker, std::int32_t node_id,
               const std::vector<Uuid>& log_directories, runtime::Random& random)
      : image_(image), broker_(broker), node_id_(node_id), log_directories_(log_directories), random_(random) {}

  ControllerResult<protocol::CreateTopicsResponse> create(const protocol::CreateTopicsRequest& request);
  ControllerResult<protocol::DeleteTopicsResponse> remove(const protocol::DeleteTopicsRequest& request);

  /// Kafka's limit of what one request may add.
  static constexpr std::int64_t kMaxPartitionsPerRequest = 10000;

 private:
  using Creatable = protocol::CreateTopicsRequest::CreatableTopic;
  using Created = protocol::CreateTopicsResponse::CreatableTopicResult;
  using Deletable = protocol::DeleteTopicsRequest::DeleteTopicState;

  Result<void> create_one(const Creatable& topic, Created& result);
  Result<void> check_name(const std::string& name) const;
  Result<std::int32_t> partitions_of(const Creatable& topic) const;
  Result<void> check_replication(const Creatable& topic) const;
  Result<std::int32_t> assigned_partitions(const Creatable& topic) const;
  Result<void> check_configs(const Creatable& topic) const;
  void add_records(const Creatable& topic, const Uuid& id, std::int32_t partitions);
  void describe(const Creatable& topic, Created& result) const;

  Result<std::shared_ptr<const TopicImage>> find(const Deletable& wanted) const;

  const MetadataImage& image_;
  const runtime::ParsedConfig& broker_;
  std::int32_t node_id_;
  const std::vector<Uuid>& log_directories_;
  runtime::Random& random_;
  std::vector<Bytes> records_;
  std::set<std::string> created_;  ///< Names made by this request, which the image does not have yet.
  std::int64_t new_partitions_ = 0;
};

}  // namespace barnabas::metadata
