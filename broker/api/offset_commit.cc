// OffsetCommit: v2 retention time; v3 throttle time; v5 no retention time; v6 leader epochs; v7 static members
// (KIP-345); v8 flexible; v9 member epochs, GROUP_ID_NOT_FOUND; v10 topic ids.
#include <algorithm>
#include <utility>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using Topic = OffsetCommitRequest::OffsetCommitRequestTopic;

constexpr std::int16_t kFirstVersionWithIds = 10;

/// The answer's part for a topic; Kafka has one for each, whatever its partitions came to.
OffsetCommitResponse::OffsetCommitResponseTopic& answer_of(OffsetCommitResponse& response, const Topic& topic) {
  const auto found = std::find_if(response.topics.begin(), response.topics.end(), [&topic](const auto& one) {
    return one.name == topic.name && one.topic_id == topic.topic_id;
  });
  if (found != response.topics.end()) return *found;
  auto& answer = response.topics.emplace_back();
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
  return answer;
}

void add(OffsetCommitResponse& response, const Topic& topic, std::int32_t partition, ErrorCode error) {
  auto& answer = answer_of(response, topic).partitions.emplace_back();
  answer.partition_index = partition;
  answer.error_code = code_of(error);
}

/// Why nothing can be written down for a topic that was asked for: `known`, or nullptr. Its name where only the id was
/// given.
ErrorCode check_topic(RequestContext& context, const metadata::TopicImage* known, Topic& topic) {
  if (context.api_version() >= kFirstVersionWithIds) {
    if (known == nullptr) return ErrorCode::unknown_topic_id;
    topic.name = known->name;
  }
  if (!context.authorize(AclOperation::read, ResourceType::topic, topic.name)) {
    return ErrorCode::topic_authorization_failed;
  }
  return known != nullptr ? ErrorCode::none : ErrorCode::unknown_topic_or_partition;
}

/// Takes out of the request what cannot be written down, and says why.
OffsetCommitResponse take_refused(RequestContext& context, OffsetCommitRequest& request) {
  OffsetCommitResponse response;
  const metadata::ImagePtr image = context.broker().controller->image();
  for (Topic& topic : request.topics) {
    const bool has_id = context.api_version() >= kFirstVersionWithIds;
    const auto known = has_id ? image->topic(topic.topic_id) : image->topic(topic.name);
    const ErrorCode error = check_topic(context, known.get(), topic);
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (error == ErrorCode::none && known->partition(partition.partition_index) != nullptr) return false;
      add(response, topic, partition.partition_index,
          error == ErrorCode::none ? ErrorCode::unknown_topic_or_partition : error);
      return true;
    });
  }
  std::erase_if(request.topics, [](const Topic& topic) { return topic.partitions.empty(); });
  return response;
}

void merge(OffsetCommitResponse& response, OffsetCommitResponse&& stored) {
  if (response.topics.empty()) {
    response = std::move(stored);
    return;
  }
  for (auto& topic : stored.topics) {
    Topic asked;
    asked.name = topic.name;
    asked.topic_id = topic.topic_id;
    auto& answer = answer_of(response, asked);
    std::move(topic.partitions.begin(), topic.partitions.end(), std::back_inserter(answer.partitions));
  }
}

}  // namespace

asio::awaitable<OffsetCommitResponse> handle_offset_commit(RequestContext& context, OffsetCommitRequest request) {
  OffsetCommitResponse response;
  if (!context.authorize(AclOperation::read, ResourceType::group, request.group_id)) {
    context.note_error();
    co_return group::refuse_commit(request, ErrorCode::group_authorization_failed);
  }
  response = take_refused(context, request);
  if (!request.topics.empty()) {
    auto box = make_reply_box<OffsetCommitResponse>();
    context.broker().groups->commit_offsets(origin_of(context), std::move(request), box->reply());
    std::optional<OffsetCommitResponse> reply = co_await await_reply(context, box);
    if (reply) merge(response, std::move(*reply));
  }
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) context.note_error();
    }
  }
  co_return response;
}

}  // namespace barnabas::broker
