// DeleteTopics: v1 throttle time; v3 TOPIC_DELETION_DISABLED; v4 flexible; v5 messages in the answer; v6 topics by id.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using Wanted = DeleteTopicsRequest::DeleteTopicState;

constexpr std::int16_t kFirstVersionWithTopics = 6;
constexpr std::int16_t kFirstVersionWithDeletionDisabled = 3;

/// Whether the principal may delete what is wanted; an id that no topic has is for the controller to refuse.
bool may_delete(const RequestContext& context, const metadata::MetadataImage& image, const Wanted& wanted) {
  if (wanted.name) return context.authorize(AclOperation::remove, ResourceType::topic, *wanted.name);
  const auto topic = image.topic(wanted.topic_id);
  return !topic || context.authorize(AclOperation::remove, ResourceType::topic, topic->name);
}

DeleteTopicsResponse::DeletableTopicResult refused(const Wanted& wanted) {
  DeleteTopicsResponse::DeletableTopicResult result;
  result.name = wanted.name;
  result.topic_id = wanted.topic_id;
  result.error_code = static_cast<std::int16_t>(ErrorCode::topic_authorization_failed);
  result.error_message = "Authorization failed.";
  return result;
}

/// One form for all versions: the controller gets `topics`.
void move_names_to_topics(DeleteTopicsRequest& request) {
  for (std::string& name : request.topic_names) {
    Wanted wanted;
    wanted.name = std::move(name);
    request.topics.push_back(std::move(wanted));
  }
  request.topic_names.clear();
}

void fit_to_version(DeleteTopicsResponse& response, std::int16_t version) {
  for (auto& result : response.responses) {
    if (version < kFirstVersionWithTopics) result.topic_id = Uuid::zero();
    const bool is_disabled = result.error_code == static_cast<std::int16_t>(ErrorCode::topic_deletion_disabled);
    if (is_disabled && version < kFirstVersionWithDeletionDisabled) {
      result.error_code = static_cast<std::int16_t>(ErrorCode::invalid_request);
    }
  }
}

}  // namespace

asio::awaitable<DeleteTopicsResponse> handle_delete_topics(RequestContext& context, DeleteTopicsRequest request) {
  move_names_to_topics(request);
  metadata::ControllerClient& controller = *context.broker().controller;
  const metadata::ImagePtr image = controller.image();
  std::vector<DeleteTopicsResponse::DeletableTopicResult> forbidden;
  for (const Wanted& wanted : request.topics) {
    if (!may_delete(context, *image, wanted)) forbidden.push_back(refused(wanted));
  }
  std::erase_if(request.topics, [&](const Wanted& wanted) { return !may_delete(context, *image, wanted); });
  DeleteTopicsResponse response = co_await controller.delete_topics(std::move(request));
  for (auto& one : forbidden) response.responses.push_back(std::move(one));
  fit_to_version(response, context.api_version());
  for (const auto& result : response.responses) {
    if (result.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
