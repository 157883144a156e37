// DeleteTopics: v1 throttle time; v3 TOPIC_DELETION_DISABLED; v4 flexible; v5 messages in the answer; v6 topics by id.
#include <map>
#include <utility>
#include <vector>

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

using Results = std::vector<DeleteTopicsResponse::DeletableTopicResult>;

DeleteTopicsResponse::DeletableTopicResult refused_as_repeated(std::optional<std::string> name, const Uuid& id,
                                                               std::string message) {
  DeleteTopicsResponse::DeletableTopicResult result;
  result.name = std::move(name);
  result.topic_id = id;
  result.error_code = static_cast<std::int16_t>(ErrorCode::invalid_request);
  result.error_message = std::move(message);
  return result;
}

bool is_name_alone(const Wanted& wanted) {
  return wanted.name && wanted.topic_id.is_zero();
}

bool is_id_alone(const Wanted& wanted) {
  return !wanted.name && !wanted.topic_id.is_zero();
}

/// Takes out of the request what it names more than once, by name, by id, or by both: none of it is deleted, and each
/// gets one answer.
Results take_repeated(DeleteTopicsRequest& request, const metadata::MetadataImage& image) {
  std::map<std::string, int> names;
  std::map<Uuid, int> ids;
  for (const Wanted& wanted : request.topics) {
    if (is_name_alone(wanted)) ++names[*wanted.name];
    if (is_id_alone(wanted)) ++ids[wanted.topic_id];
  }
  Results repeated;
  for (const auto& [name, count] : names) {
    if (count > 1) repeated.push_back(refused_as_repeated(name, {}, "Duplicate topic name '" + name + "'."));
  }
  for (const auto& [id, count] : ids) {
    if (count > 1) repeated.push_back(refused_as_repeated({}, id, "Duplicate topic id " + id.to_string() + "."));
  }
  std::erase_if(names, [](const auto& one) { return one.second > 1; });
  for (auto name = names.begin(); name != names.end();) {
    const auto topic = image.topic(name->first);
    const auto id = topic ? ids.find(topic->id) : ids.end();
    if (id == ids.end() || id->second > 1) {
      ++name;
      continue;
    }
    repeated.push_back(refused_as_repeated(
        name->first, topic->id, "The topic name '" + name->first + "' maps to an ID that was already supplied."));
    ids.erase(id);
    name = names.erase(name);
  }
  std::erase_if(ids, [](const auto& one) { return one.second > 1; });
  std::erase_if(request.topics, [&](const Wanted& wanted) {
    return (is_name_alone(wanted) && names.count(*wanted.name) == 0) ||
           (is_id_alone(wanted) && ids.count(wanted.topic_id) == 0);
  });
  return repeated;
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
  Results repeated = take_repeated(request, *image);
  Results forbidden;
  for (const Wanted& wanted : request.topics) {
    if (!may_delete(context, *image, wanted)) forbidden.push_back(refused(wanted));
  }
  std::erase_if(request.topics, [&](const Wanted& wanted) { return !may_delete(context, *image, wanted); });
  DeleteTopicsResponse response = co_await controller.delete_topics(std::move(request));
  for (auto& one : forbidden) response.responses.push_back(std::move(one));
  for (auto& one : repeated) response.responses.push_back(std::move(one));
  fit_to_version(response, context.api_version());
  for (const auto& result : response.responses) {
    if (result.error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
