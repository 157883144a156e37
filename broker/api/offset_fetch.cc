// OffsetFetch: v1 offsets from the coordinator; v2 all topics, an error for the whole answer; v3 throttle time; v5
// leader epochs; v6 flexible; v7 require_stable; v8 many groups; v9 member epochs; v10 topic ids.
#include <memory>
#include <utility>
#include <vector>

#include "broker/api/group_reply.h"
#include "broker/api/handlers.h"
#include "broker/group/group_coordinator.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using Asked = OffsetFetchRequest::OffsetFetchRequestGroup;
using AskedTopic = OffsetFetchRequest::OffsetFetchRequestTopics;
using Answered = OffsetFetchResponse::OffsetFetchResponseGroup;
using AnsweredTopic = OffsetFetchResponse::OffsetFetchResponseTopics;

constexpr std::int16_t kFirstVersionWithGroupError = 2;
constexpr std::int16_t kFirstVersionWithGroups = 8;
constexpr std::int16_t kFirstVersionWithIds = 10;

void fail(AnsweredTopic& topic, std::int32_t partition, ErrorCode error) {
  auto& answer = topic.partitions.emplace_back();
  answer.partition_index = partition;
  answer.committed_offset = -1;
  answer.error_code = code_of(error);
}

/// One form for all versions: `groups`.
void move_group(OffsetFetchRequest& request) {
  Asked group;
  group.group_id = request.group_id;
  if (!request.topics) {
    group.topics.reset();
  } else {
    for (auto& topic : *request.topics) {
      AskedTopic& asked = group.topics->emplace_back();
      asked.name = topic.name;
      asked.partition_indexes = topic.partition_indexes;
    }
  }
  request.groups.clear();
  request.groups.push_back(std::move(group));
}

/// Takes out what the coordinator cannot be asked for, and says why.
std::vector<AnsweredTopic> take_refused(RequestContext& context, Asked& group) {
  std::vector<AnsweredTopic> refused;
  if (!group.topics) return refused;
  const metadata::ImagePtr image = context.broker().controller->image();
  std::erase_if(*group.topics, [&](AskedTopic& topic) {
    ErrorCode error = ErrorCode::none;
    if (context.api_version() >= kFirstVersionWithIds) {
      const auto known = image->topic(topic.topic_id);
      if (known) topic.name = known->name;
      if (!known) error = ErrorCode::unknown_topic_id;
    }
    if (error == ErrorCode::none && !context.authorize(AclOperation::describe, ResourceType::topic, topic.name)) {
      error = ErrorCode::topic_authorization_failed;
    }
    if (error == ErrorCode::none) return false;
    AnsweredTopic& answer = refused.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    for (const std::int32_t partition : topic.partition_indexes) fail(answer, partition, error);
    return true;
  });
  return refused;
}

/// Of all topics only those that may be seen; those that are gone have no id to be told by.
void show_all(RequestContext& context, Answered& group) {
  const metadata::ImagePtr image = context.broker().controller->image();
  std::erase_if(group.topics, [&](AnsweredTopic& topic) {
    if (!context.authorize(AclOperation::describe, ResourceType::topic, topic.name)) return true;
    if (context.api_version() < kFirstVersionWithIds) return false;
    const auto known = image->topic(topic.name);
    if (known) topic.topic_id = known->id;
    return known == nullptr;
  });
}

/// A group on its way to its answer.
struct Fetching {
  Asked asked;  // what it was asked for at first
  bool wants_all = false;
  std::vector<AnsweredTopic> refused;
  std::shared_ptr<ReplyBox<Answered>> box = make_reply_box<Answered>();
};

Fetching start(RequestContext& context, Asked group, bool require_stable) {
  Fetching fetching;
  fetching.asked = group;
  fetching.wants_all = !group.topics;
  if (!context.authorize(AclOperation::describe, ResourceType::group, group.group_id)) {
    Answered refused;
    refused.group_id = std::move(group.group_id);
    refused.error_code = code_of(ErrorCode::group_authorization_failed);
    fetching.box->put(std::move(refused));
    return fetching;
  }
  fetching.refused = take_refused(context, group);
  context.broker().groups->fetch_offsets(std::move(group), require_stable, fetching.box->reply());
  return fetching;
}

Answered finish(RequestContext& context, Fetching fetching, std::optional<Answered> reply) {
  if (!reply) return {};
  if (reply->error_code != 0) {
    context.note_error();
    return std::move(*reply);
  }
  if (fetching.wants_all) show_all(context, *reply);
  std::move(fetching.refused.begin(), fetching.refused.end(), std::back_inserter(reply->topics));
  return std::move(*reply);
}

/// Version 1 has no place for an error but the partitions.
void move_error_to_partitions(const Asked& asked, Answered& group) {
  const auto error = protocol::error_of(std::exchange(group.error_code, std::int16_t{0}));
  group.topics.clear();
  if (!asked.topics) return;
  for (const AskedTopic& topic : *asked.topics) {
    AnsweredTopic& answer = group.topics.emplace_back();
    answer.name = topic.name;
    for (const std::int32_t partition : topic.partition_indexes) fail(answer, partition, error);
  }
}

OffsetFetchResponse in_old_form(Answered group) {
  OffsetFetchResponse response;
  response.error_code = group.error_code;
  for (AnsweredTopic& topic : group.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      auto& one = answer.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      one.committed_offset = partition.committed_offset;
      one.committed_leader_epoch = partition.committed_leader_epoch;
      one.metadata = std::move(partition.metadata);
      one.error_code = partition.error_code;
    }
  }
  return response;
}

}  // namespace

asio::awaitable<OffsetFetchResponse> handle_offset_fetch(RequestContext& context, OffsetFetchRequest request) {
  const std::int16_t version = context.api_version();
  if (version < kFirstVersionWithGroups) move_group(request);
  std::vector<Fetching> fetching;
  for (Asked& group : request.groups) {
    fetching.push_back(start(context, std::move(group), request.require_stable));
  }
  OffsetFetchResponse response;
  for (Fetching& one : fetching) {
    std::optional<Answered> reply = co_await await_reply(context, one.box);
    Answered group = finish(context, one, std::move(reply));
    if (version < kFirstVersionWithGroupError && group.error_code != 0) move_error_to_partitions(one.asked, group);
    response.groups.push_back(std::move(group));
  }
  if (version < kFirstVersionWithGroups) co_return in_old_form(std::move(response.groups.front()));
  co_return response;
}

}  // namespace barnabas::broker
