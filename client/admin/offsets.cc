// ListOffsets, by leader.
#include <algorithm>
#include <tuple>

#include "client/admin/admin_call.h"
#include "common/protocol/messages/list_offsets.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using Wanted = std::map<TopicPartition, OffsetSpec>;
using Found = std::map<TopicPartition, ListedOffset>;

constexpr std::int16_t kFirstWithMaxTimestamp = 7;
constexpr std::int16_t kFirstWithTimeout = 10;
constexpr std::int32_t kConsumerReplicaId = -1;

ListedOffset failed_offset(const TopicPartition& partition, ItemError error) {
  ListedOffset result;
  result.partition = partition;
  result.error = std::move(error);
  return result;
}

ListOffsetsRequest request_for(const Wanted& wanted, std::int16_t version, std::chrono::milliseconds timeout) {
  ListOffsetsRequest request;
  request.replica_id = kConsumerReplicaId;
  if (version >= kFirstWithTimeout) request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  for (const auto& [partition, spec] : wanted) {
    if (request.topics.empty() || request.topics.back().name != partition.topic) {
      request.topics.emplace_back().name = partition.topic;
    }
    auto& asked = request.topics.back().partitions.emplace_back();
    asked.partition_index = partition.partition;
    asked.timestamp = spec.timestamp_ms;
  }
  return request;
}

/// Moves what is settled from `wanted` to `found`; the rest is to be asked again.
void take_answer(const ListOffsetsResponse& response, Wanted& wanted, Found& found, bool is_last_try) {
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition key{topic.name, partition.partition_index};
      if (!wanted.contains(key) || (is_worth_retrying(partition.error_code) && !is_last_try)) continue;
      ListedOffset result{.partition = key,
                          .offset = partition.offset,
                          .timestamp_ms = partition.timestamp,
                          .leader_epoch = partition.leader_epoch,
                          .error = item_error(partition.error_code, key.to_string())};
      found[key] = std::move(result);
      wanted.erase(key);
    }
  }
}

/// The wanted partitions by leader; those that cannot be are settled, those without a leader are left out.
std::map<std::int32_t, Wanted> by_leader(const std::map<std::string, TopicDescription>& topics, Wanted& wanted,
                                         Found& found) {
  std::map<std::int32_t, Wanted> leaders;
  Wanted known;
  for (const auto& [key, spec] : wanted) {
    const auto topic = topics.find(key.topic);
    if (topic == topics.end()) continue;
    const ItemError& error = topic->second.error;
    if (error && !is_worth_retrying(static_cast<std::int16_t>(error.code.value()))) {
      found[key] = failed_offset(key, error);
      continue;
    }
    const auto& partitions = topic->second.partitions;
    const auto partition = std::find_if(partitions.begin(), partitions.end(),
                                        [&k = key](const PartitionInfo& p) { return p.partition == k.partition; });
    if (partition == partitions.end() && !error) {
      const std::string subject =
          key.to_string() + " (the topic has " + std::to_string(partitions.size()) + " partitions)";
      found[key] = failed_offset(key, item_error(protocol::code_of(ErrorCode::unknown_topic_or_partition), subject));
      continue;
    }
    known.emplace(key, spec);
    if (partition != partitions.end() && partition->leader >= 0) leaders[partition->leader].emplace(key, spec);
  }
  wanted = std::move(known);
  return leaders;
}

asio::awaitable<Result<void>> ask_leader(AdminPtr admin, std::int32_t leader, Wanted asked, Wanted* wanted,
                                         Found* found, runtime::MonotonicTime deadline, bool is_last_try) {
  const auto timeout = admin->config().client.request_timeout;
  const auto connection = co_await connect_to(admin, Target{Target::Kind::broker, leader},
                                              admin->router().within_request_timeout(deadline));
  if (!connection) co_return failure(connection.error());
  const ConnectionPtr to = *connection;
  const bool by_max =
      std::any_of(asked.begin(), asked.end(), [](const auto& entry) { return entry.second.timestamp_ms == -3; });
  CallOptions options;
  if (by_max)
    options.versions = VersionRange{kFirstWithMaxTimestamp, client_versions(protocol::ApiKey::list_offsets).max};
  const auto version = to->version_for(protocol::ApiKey::list_offsets, options.versions);
  if (!version) co_return failure(version.error());
  ListOffsetsRequest request = request_for(asked, *version, timeout);
  const auto until = admin->router().within_request_timeout(deadline);
  const auto reply = co_await to->call<ListOffsetsResponse>(std::move(request), until, std::move(options));
  if (!reply) co_return failure(reply.error());
  take_answer(reply->body, *wanted, *found, is_last_try);
  co_return Result<void>{};
}

}  // namespace

asio::awaitable<Result<std::vector<ListedOffset>>> list_offsets(AdminPtr admin,
                                                                std::map<TopicPartition, OffsetSpec> partitions,
                                                                AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  Backoff backoff = admin->backoff();
  Wanted wanted = partitions;
  Found found;
  Failure last{protocol::ErrorCode::leader_not_available, "no leader"};
  while (!wanted.empty()) {
    std::vector<std::string> names;
    for (const auto& [key, spec] : wanted) {
      if (names.empty() || names.back() != key.topic) names.push_back(key.topic);
    }
    const std::chrono::milliseconds left =
        std::chrono::floor<std::chrono::milliseconds>(deadline - admin->runtime()->now());
    auto described =
        co_await describe_topics(admin, std::move(names), AdminTimeout(std::max(left, std::chrono::milliseconds(0))));
    if (!described) co_return failure(described.error());
    std::map<std::string, TopicDescription> topics;
    for (TopicDescription& topic : *described) topics[topic.name] = std::move(topic);
    const auto next = admin->runtime()->now() + backoff.next();
    const bool is_last_try = next >= deadline;
    const auto leaders = by_leader(topics, wanted, found);
    for (const auto& [leader, asked] : leaders) {
      const auto answered = co_await ask_leader(admin, leader, asked, &wanted, &found, deadline, is_last_try);
      if (answered) continue;
      last = answered.error();
      if (!is_retriable(last) && last.code != Errc::not_found) co_return failure(last);
    }
    if (is_last_try) break;
    if (wanted.empty()) break;
    const auto slept = co_await admin->router().sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
  for (const auto& [key, spec] : wanted)
    found[key] = failed_offset(key, {last.code, key.to_string() + ": " + last.subject});
  std::vector<ListedOffset> all;
  for (auto& [key, offset] : found) all.push_back(std::move(offset));
  co_return all;
}

}  // namespace barnabas::client
