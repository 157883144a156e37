// FindCoordinator: v1 key types, error message, throttle time; v3 flexible; v4 many keys in one request; v5 one more
// error of transactions; v6 share groups.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using Coordinator = FindCoordinatorResponse::Coordinator;

constexpr std::int16_t kFirstVersionWithBatches = 4;
constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;
constexpr std::int8_t kShare = 2;
constexpr std::int32_t kCreateTimeoutMs = 30'000;

CreateTopicsRequest creation_of(const group::GroupSettings& settings) {
  CreateTopicsRequest request;
  request.timeout_ms = kCreateTimeoutMs;
  auto& topic = request.topics.emplace_back();
  topic.name = group::kOffsetsTopic;
  topic.num_partitions = settings.topic_partitions;
  topic.replication_factor = settings.topic_replication_factor;
  const auto add = [&topic](const char* name, std::string value) {
    auto& config = topic.configs.emplace_back();
    config.name = name;
    config.value = std::move(value);
  };
  add("cleanup.policy", "compact");
  add("compression.type", "producer");
  add("segment.bytes", std::to_string(settings.topic_segment_bytes));
  return request;
}

/// Makes __consumer_offsets for the first one who asks.
asio::awaitable<void> make_offsets_topic(RequestContext& context) {
  CreateTopicsRequest creation = creation_of(context.broker().groups->settings());
  metadata::ControllerClient& controller = *context.broker().controller;
  const CreateTopicsResponse created = co_await controller.create_topics(std::move(creation));
  for (const auto& topic : created.topics) {
    const auto error = protocol::error_of(topic.error_code);
    if (error == ErrorCode::none || error == ErrorCode::topic_already_exists) continue;
    context.broker().logger.error("{} could not be made: {}", topic.name,
                                  topic.error_message.value_or(std::string(protocol::to_string(error))));
  }
}

void set_node(RequestContext& context, std::int32_t leader, Coordinator& coordinator) {
  const metadata::ImagePtr image = context.broker().controller->image();
  if (leader == context.broker().node_id) {
    coordinator.node_id = leader;
    coordinator.host = context.listener().advertised_host;
    coordinator.port = context.listener().advertised_port;
    return;
  }
  const metadata::BrokerImage* broker = image->broker(leader);
  const metadata::Endpoint* endpoint = broker == nullptr ? nullptr : broker->endpoint(context.listener().name);
  if (endpoint == nullptr) {
    coordinator.error_code = code_of(ErrorCode::coordinator_not_available);
    return;
  }
  coordinator.node_id = leader;
  coordinator.host = endpoint->host;
  coordinator.port = endpoint->port;
}

ErrorCode check(RequestContext& context, std::int8_t key_type, const std::string& key) {
  if (key_type == kTransaction) {
    if (!context.authorize(AclOperation::describe, ResourceType::transactional_id, key)) {
      return ErrorCode::transactional_id_authorization_failed;
    }
    return ErrorCode::unsupported_version;  // not served yet; a code that no client retries
  }
  if (key_type != kGroup) return ErrorCode::invalid_request;
  return context.authorize(AclOperation::describe, ResourceType::group, key) ? ErrorCode::none
                                                                             : ErrorCode::group_authorization_failed;
}

asio::awaitable<Coordinator> find(RequestContext& context, std::int8_t key_type, std::string key) {
  Coordinator coordinator;
  coordinator.node_id = -1;
  coordinator.port = -1;
  coordinator.error_code = code_of(check(context, key_type, key));
  coordinator.key = std::move(key);
  if (coordinator.error_code != 0) co_return coordinator;
  if (!context.broker().controller->image()->topic(group::kOffsetsTopic)) co_await make_offsets_topic(context);
  const metadata::ImagePtr image = context.broker().controller->image();
  const auto topic = image->topic(group::kOffsetsTopic);
  const metadata::PartitionImage* partition =
      topic ? topic->partition(context.broker().groups->partition_for(coordinator.key)) : nullptr;
  if (partition == nullptr || partition->leader == metadata::kNoLeader) {
    coordinator.error_code = code_of(ErrorCode::coordinator_not_available);
  } else {
    set_node(context, partition->leader, coordinator);
  }
  co_return coordinator;
}

}  // namespace

asio::awaitable<FindCoordinatorResponse> handle_find_coordinator(RequestContext& context,
                                                                 FindCoordinatorRequest request) {
  const bool is_batched = context.api_version() >= kFirstVersionWithBatches;
  FindCoordinatorResponse response;
  if (!is_batched) request.coordinator_keys = {std::move(request.key)};
  for (std::string& key : request.coordinator_keys) {
    Coordinator coordinator = co_await find(context, request.key_type, std::move(key));
    if (request.key_type > kShare) coordinator.error_message = protocol::message_of(ErrorCode::invalid_request);
    if (coordinator.error_code != 0) context.note_error();
    response.coordinators.push_back(std::move(coordinator));
  }
  if (is_batched) co_return response;
  Coordinator& only = response.coordinators.front();
  response.error_code = only.error_code;
  const auto error = protocol::error_of(only.error_code);
  response.error_message = error == ErrorCode::none ? "NONE" : std::string(protocol::message_of(error));
  response.node_id = only.node_id;
  response.host = std::move(only.host);
  response.port = only.port;
  response.coordinators.clear();
  co_return response;
}

}  // namespace barnabas::broker
