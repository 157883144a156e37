// CreateTopics, DeleteTopics, and what Metadata says of topics.
#include <algorithm>

#include "client/admin/admin_call.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/metadata.h"

namespace barnabas::client {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

constexpr Target kController{Target::Kind::controller};
constexpr std::int16_t kFirstDeleteByState = 6;  // DeleteTopics: an array of structs instead of names

std::int32_t milliseconds_until(AdminImpl& admin, runtime::MonotonicTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - admin.runtime()->now()).count();
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(left, 0, 60000));
}

CreateTopicsRequest::CreatableTopic creatable(const NewTopic& topic) {
  CreateTopicsRequest::CreatableTopic result;
  result.name = topic.name;
  result.num_partitions = topic.partitions;
  result.replication_factor = topic.replication_factor;
  for (const auto& [partition, brokers] : topic.assignments) {
    auto& assignment = result.assignments.emplace_back();
    assignment.partition_index = partition;
    assignment.broker_ids = brokers;
  }
  for (const auto& [name, value] : topic.configs) {
    auto& config = result.configs.emplace_back();
    config.name = name;
    config.value = value;
  }
  return result;
}

CreatedTopic created(const CreateTopicsResponse::CreatableTopicResult& result) {
  return {.name = result.name,
          .error = item_error(result.error_code, "topic '" + result.name + "'", result.error_message),
          .topic_id = result.topic_id.to_string(),
          .partitions = result.num_partitions,
          .replication_factor = result.replication_factor};
}

TopicDescription described(const MetadataResponse::MetadataResponseTopic& topic, const std::string& name) {
  TopicDescription result{.name = name,
                          .topic_id = topic.topic_id.to_string(),
                          .is_internal = topic.is_internal,
                          .partitions = {},
                          .error = item_error(topic.error_code, "topic '" + name + "'")};
  for (const auto& partition : topic.partitions) {
    result.partitions.push_back({.topic = name,
                                 .partition = partition.partition_index,
                                 .leader = partition.leader_id,
                                 .leader_epoch = partition.leader_epoch,
                                 .replicas = partition.replica_nodes,
                                 .in_sync_replicas = partition.isr_nodes,
                                 .offline_replicas = partition.offline_replicas});
  }
  std::sort(result.partitions.begin(), result.partitions.end(),
            [](const PartitionInfo& a, const PartitionInfo& b) { return a.partition < b.partition; });
  return result;
}

MetadataRequest metadata_request(const std::optional<std::vector<std::string>>& names) {
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics = std::nullopt;
  if (!names) return request;
  auto& topics = request.topics.emplace();
  for (const std::string& name : *names) topics.emplace_back().name = name;
  return request;
}

}  // namespace

asio::awaitable<Result<std::vector<CreatedTopic>>> create_topics(AdminPtr admin, std::vector<NewTopic> topics,
                                                                 CreateTopicsOptions options) {
  const auto deadline = admin->deadline_in(options.timeout);
  Backoff backoff = admin->backoff();
  std::vector<CreatedTopic> done;
  while (!topics.empty()) {
    std::function<CreateTopicsRequest(std::int16_t)> build = [&](std::int16_t) {
      CreateTopicsRequest request;
      for (const NewTopic& topic : topics) request.topics.push_back(creatable(topic));
      request.timeout_ms = milliseconds_until(*admin, deadline);
      request.validate_only = options.validate_only;
      return request;
    };
    const auto reply = co_await ask<CreateTopicsResponse>(admin, kController, build, deadline);
    if (!reply) co_return failure(reply.error());
    const auto next = admin->runtime()->now() + backoff.next();
    std::vector<NewTopic> again;
    for (const auto& result : reply->body.topics) {
      const auto asked =
          std::find_if(topics.begin(), topics.end(), [&](const NewTopic& t) { return t.name == result.name; });
      if (is_worth_retrying(result.error_code) && next < deadline && asked != topics.end()) {
        again.push_back(*asked);
      } else {
        done.push_back(created(result));
      }
    }
    topics = std::move(again);
    if (topics.empty()) break;
    admin->router().request_metadata_update();
    const auto slept = co_await admin->router().sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
  co_return done;
}

asio::awaitable<Result<std::vector<DeletedTopic>>> delete_topics(AdminPtr admin, std::vector<std::string> names,
                                                                 AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  Backoff backoff = admin->backoff();
  std::vector<DeletedTopic> done;
  while (!names.empty()) {
    std::function<DeleteTopicsRequest(std::int16_t)> build = [&](std::int16_t version) {
      DeleteTopicsRequest request;
      request.timeout_ms = milliseconds_until(*admin, deadline);
      if (version < kFirstDeleteByState) {
        request.topic_names = names;
      } else {
        for (const std::string& name : names) request.topics.emplace_back().name = name;
      }
      return request;
    };
    const auto reply = co_await ask<DeleteTopicsResponse>(admin, kController, build, deadline);
    if (!reply) co_return failure(reply.error());
    const auto next = admin->runtime()->now() + backoff.next();
    std::vector<std::string> again;
    for (const auto& result : reply->body.responses) {
      const std::string name = result.name.value_or(std::string());
      if (is_worth_retrying(result.error_code) && next < deadline) {
        again.push_back(name);
      } else {
        done.push_back({name, item_error(result.error_code, "topic '" + name + "'", result.error_message)});
      }
    }
    names = std::move(again);
    if (names.empty()) break;
    admin->router().request_metadata_update();
    const auto slept = co_await admin->router().sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
  co_return done;
}

asio::awaitable<Result<std::vector<TopicListing>>> list_topics(AdminPtr admin, bool with_internal,
                                                               AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::function<MetadataRequest(std::int16_t)> build = [](std::int16_t) { return metadata_request(std::nullopt); };
  const auto reply = co_await ask<MetadataResponse>(admin, Target{}, build, deadline);
  if (!reply) co_return failure(reply.error());
  std::vector<TopicListing> topics;
  for (const auto& topic : reply->body.topics) {
    if (!topic.name || (topic.is_internal && !with_internal)) continue;
    topics.push_back({*topic.name, topic.topic_id.to_string(), topic.is_internal});
  }
  std::sort(topics.begin(), topics.end(), [](const TopicListing& a, const TopicListing& b) { return a.name < b.name; });
  co_return topics;
}

asio::awaitable<Result<std::vector<TopicDescription>>> describe_topics(AdminPtr admin, std::vector<std::string> names,
                                                                       AdminTimeout timeout) {
  std::vector<TopicDescription> topics;
  if (names.empty()) co_return topics;
  const auto deadline = admin->deadline_in(timeout);
  std::function<MetadataRequest(std::int16_t)> build = [&names](std::int16_t) { return metadata_request(names); };
  const auto reply = co_await ask<MetadataResponse>(admin, Target{}, build, deadline);
  if (!reply) co_return failure(reply.error());
  for (const std::string& name : names) {
    const auto& answers = reply->body.topics;
    const auto found =
        std::find_if(answers.begin(), answers.end(), [&name](const auto& topic) { return topic.name == name; });
    if (found != answers.end()) topics.push_back(described(*found, name));
  }
  co_return topics;
}

}  // namespace barnabas::client
