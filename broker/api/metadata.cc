// Metadata: v1 all topics is null, controller, internal flag; v2 cluster id; v4 auto-creation can be declined; v5
// offline replicas; v7 leader epochs; v8 authorized operations; v9 flexible; v10 topic ids; v11 cluster operations
// moved to DescribeCluster; v12 topics can be asked by id; v13 an error for the whole answer.
#include <set>
#include <utility>

#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"
#include "broker/config/broker_config.h"
#include "broker/metadata/controller_client.h"
#include "broker/metadata/topic_names.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using Asked = MetadataRequest::MetadataRequestTopic;
using Answered = MetadataResponse::MetadataResponseTopic;

constexpr std::int16_t kFirstVersionWithIds = 12;
constexpr const char* kClusterName = "kafka-cluster";

std::int16_t code(ErrorCode error) {
  return static_cast<std::int16_t>(error);
}

bool asks_for_all(const MetadataRequest& request, std::int16_t version) {
  // Version 0 has no null: an empty list is all topics there.
  return !request.topics || (version == 0 && request.topics->empty());
}

void add_brokers(RequestContext& context, const metadata::MetadataImage& image, MetadataResponse& response) {
  for (const auto& [id, broker] : image.brokers()) {
    const bool is_self = id == context.broker().node_id;
    const metadata::Endpoint* endpoint = broker.endpoint(context.listener().name);
    if (!is_self && (broker.fenced || endpoint == nullptr)) continue;
    MetadataResponse::MetadataResponseBroker answer;
    answer.node_id = id;
    answer.host = is_self ? context.listener().advertised_host : endpoint->host;
    answer.port = is_self ? context.listener().advertised_port : endpoint->port;
    answer.rack = broker.rack;
    response.brokers.push_back(std::move(answer));
  }
}

Answered describe(RequestContext& context, const metadata::TopicImage& topic, const metadata::MetadataImage& image,
                  bool with_operations) {
  Answered answer;
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = metadata::is_internal_topic(topic.name);
  if (with_operations)
    answer.topic_authorized_operations = authorized_operations(context, ResourceType::topic, topic.name);
  answer.partitions.reserve(topic.partitions.size());
  for (const auto& [id, partition] : topic.partitions) {
    MetadataResponse::MetadataResponsePartition one;
    one.error_code = code(partition.leader == metadata::kNoLeader ? ErrorCode::leader_not_available : ErrorCode::none);
    one.partition_index = id;
    one.leader_id = partition.leader;
    one.leader_epoch = partition.leader_epoch;
    one.replica_nodes = partition.replicas;
    one.isr_nodes = partition.isr;
    for (const std::int32_t replica : partition.replicas) {
      const auto* broker = image.broker(replica);
      if (broker == nullptr || broker->fenced) one.offline_replicas.push_back(replica);
    }
    answer.partitions.push_back(std::move(one));
  }
  return answer;
}

Answered not_found(std::optional<std::string> name, const Uuid& id, ErrorCode error) {
  Answered answer;
  answer.error_code = code(error);
  answer.is_internal = name && metadata::is_internal_topic(*name);
  answer.name = std::move(name);
  answer.topic_id = id;
  return answer;
}

/// Names that nobody has yet and that this request may bring into being.
std::set<std::string> creatable_names(RequestContext& context, const MetadataRequest& request,
                                      const metadata::MetadataImage& image) {
  std::set<std::string> names;
  if (!request.allow_auto_topic_creation || !request.topics) return names;
  if (!context.broker().config->values().get_bool("auto.create.topics.enable")) return names;
  for (const Asked& asked : *request.topics) {
    if (!asked.name || image.topic(*asked.name) || !metadata::check_topic_name(*asked.name)) continue;
    if (metadata::is_internal_topic(*asked.name) || *asked.name == metadata::kClusterMetadataTopic) continue;
    if (context.authorize(AclOperation::create, ResourceType::topic, *asked.name)) names.insert(*asked.name);
  }
  return names;
}

CreateTopicsRequest creation_of(const std::set<std::string>& names) {
  CreateTopicsRequest request;
  for (const std::string& name : names) {
    CreateTopicsRequest::CreatableTopic topic;
    topic.name = name;
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    request.topics.push_back(std::move(topic));
  }
  return request;
}

using Errors = std::map<std::string, ErrorCode>;

/// Why each topic that could not be made was not. One that another request made meanwhile is there now.
Errors errors_of(const CreateTopicsResponse& created) {
  Errors errors;
  for (const auto& topic : created.topics) {
    const auto error = static_cast<ErrorCode>(topic.error_code);
    if (error != ErrorCode::none && error != ErrorCode::topic_already_exists) errors[topic.name] = error;
  }
  return errors;
}

Answered answer_one(RequestContext& context, const Asked& asked, const metadata::MetadataImage& image,
                    const Errors& errors, bool with_operations) {
  if (!asked.topic_id.is_zero()) {
    const auto topic = image.topic(asked.topic_id);
    if (topic && context.authorize(AclOperation::describe, ResourceType::topic, topic->name)) {
      return describe(context, *topic, image, with_operations);
    }
    return not_found(std::nullopt, asked.topic_id, ErrorCode::unknown_topic_id);
  }
  const std::string name = asked.name.value_or("");
  if (!context.authorize(AclOperation::describe, ResourceType::topic, name)) {
    return not_found(name, {}, ErrorCode::topic_authorization_failed);
  }
  if (const auto topic = image.topic(name)) return describe(context, *topic, image, with_operations);
  if (!metadata::check_topic_name(name)) return not_found(name, {}, ErrorCode::invalid_topic_exception);
  const auto error = errors.find(name);
  Answered answer = not_found(name, {}, error == errors.end() ? ErrorCode::unknown_topic_or_partition : error->second);
  if (with_operations) answer.topic_authorized_operations = authorized_operations(context, ResourceType::topic, name);
  return answer;
}

void answer_all(RequestContext& context, const metadata::MetadataImage& image, bool with_operations,
                MetadataResponse& response) {
  for (const auto& [name, topic] : image.topics()) {
    if (!context.authorize(AclOperation::describe, ResourceType::topic, name)) continue;
    response.topics.push_back(describe(context, *topic, image, with_operations));
  }
}

/// Ids are on the wire from version 10 on, but can be asked by from 12 on.
bool misuses_ids(const MetadataRequest& request, std::int16_t version) {
  if (version >= kFirstVersionWithIds || !request.topics) return false;
  for (const Asked& asked : *request.topics) {
    if (!asked.topic_id.is_zero() || !asked.name) return true;
  }
  return false;
}

/// Kafka refuses the whole request then: each topic carries the error.
MetadataResponse refusal(const MetadataRequest& request, ErrorCode error) {
  MetadataResponse response;
  for (const Asked& asked : *request.topics) {
    response.topics.push_back(not_found(asked.name.value_or(""), asked.topic_id, error));
  }
  response.error_code = code(error);
  return response;
}

void answer_topics(RequestContext& context, const MetadataRequest& request, const metadata::MetadataImage& image,
                   const Errors& errors, MetadataResponse& response) {
  std::set<std::pair<Uuid, std::string>> seen;
  for (const Asked& asked : *request.topics) {
    if (!seen.emplace(asked.topic_id, asked.name.value_or("")).second) continue;
    response.topics.push_back(answer_one(context, asked, image, errors, request.include_topic_authorized_operations));
    if (response.topics.back().error_code != 0) context.note_error();
  }
}

}  // namespace

asio::awaitable<MetadataResponse> handle_metadata(RequestContext& context, MetadataRequest request) {
  const std::int16_t version = context.api_version();
  if (misuses_ids(request, version)) co_return refusal(request, ErrorCode::invalid_request);
  metadata::ControllerClient& controller = *context.broker().controller;
  metadata::ImagePtr image = controller.image();
  Errors errors;
  const std::set<std::string> wanted = creatable_names(context, request, *image);
  if (!wanted.empty()) {
    CreateTopicsRequest creation = creation_of(wanted);
    const CreateTopicsResponse created = co_await controller.create_topics(std::move(creation));
    errors = errors_of(created);
    image = controller.image();
  }
  MetadataResponse response;
  add_brokers(context, *image, response);
  response.cluster_id = context.broker().cluster_id;
  response.controller_id = context.broker().node_id;
  if (asks_for_all(request, version)) {
    answer_all(context, *image, request.include_topic_authorized_operations, response);
  } else {
    answer_topics(context, request, *image, errors, response);
  }
  if (request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = authorized_operations(context, ResourceType::cluster, kClusterName);
  }
  co_return response;
}

}  // namespace barnabas::broker
