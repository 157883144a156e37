// CreateTopics: v2 throttle time; v4 partitions and replicas may be -1 for the broker's defaults; v5 flexible, and the
// topic's settings in the answer; v6 throttling by quota; v7 topic ids in the answer.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;

bool may_create(const RequestContext& context, const std::string& topic) {
  return context.authorize(AclOperation::create, ResourceType::cluster, "kafka-cluster") ||
         context.authorize(AclOperation::create, ResourceType::topic, topic);
}

CreateTopicsResponse::CreatableTopicResult refused(const std::string& topic) {
  CreateTopicsResponse::CreatableTopicResult result;
  result.name = topic;
  result.error_code = static_cast<std::int16_t>(ErrorCode::topic_authorization_failed);
  result.error_message = "Authorization failed for topic '" + topic + "'.";
  return result;
}

}  // namespace

asio::awaitable<CreateTopicsResponse> handle_create_topics(RequestContext& context, CreateTopicsRequest request) {
  std::vector<CreateTopicsResponse::CreatableTopicResult> forbidden;
  for (const auto& topic : request.topics) {
    if (!may_create(context, topic.name)) forbidden.push_back(refused(topic.name));
  }
  std::erase_if(request.topics, [&context](const auto& topic) { return !may_create(context, topic.name); });
  metadata::ControllerClient& controller = *context.broker().controller;
  CreateTopicsResponse response = co_await controller.create_topics(std::move(request));
  for (auto& one : forbidden) response.topics.push_back(std::move(one));
  for (const auto& topic : response.topics) {
    if (topic.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
