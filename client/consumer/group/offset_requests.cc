#include "client/consumer/group/offset_requests.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "client/core/errors.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_fetch.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;

constexpr std::int16_t kFirstBatchedVersion = 8;
constexpr std::int16_t kFirstStableVersion = 7;

protocol::OffsetCommitRequest commit_request(const Membership::Settings& group, const Generation& member,
                                             const Offsets& offsets) {
  protocol::OffsetCommitRequest request;
  request.group_id = group.group_id;
  request.generation_id_or_member_epoch = member.id;
  request.member_id = member.member_id;
  if (member.id != Generation::kNone) request.group_instance_id = group.instance_id;
  for (const auto& [where, committed] : offsets) {
    if (request.topics.empty() || request.topics.back().name != where.topic) {
      request.topics.emplace_back().name = where.topic;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = where.partition;
    partition.committed_offset = committed.offset;
    partition.committed_leader_epoch = committed.leader_epoch;
    partition.committed_metadata = committed.metadata;
  }
  return request;
}

bool is_of_group(ErrorCode error) {
  switch (error) {
    case ErrorCode::fenced_instance_id:
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::group_authorization_failed:
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      return true;
    default:
      return false;
  }
}

/// What a commit that failed as a whole means to the caller.
std::string meaning_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
      return ": the group has rebalanced and given the partitions to another member; nothing was committed";
    case ErrorCode::rebalance_in_progress:
      return ": the group rebalances; call poll, then commit again";
    default:
      return "";
  }
}

}  // namespace

asio::awaitable<Result<void>> send_offset_commit(ConnectionPtr connection, Membership::Settings group,
                                                 Generation member, Offsets offsets, runtime::MonotonicTime deadline) {
  auto request = commit_request(group, member, offsets);
  const auto reply = co_await connection->call<protocol::OffsetCommitResponse>(std::move(request), deadline);
  if (!reply) co_return failure(reply.error());
  std::set<TopicPartition> answered;
  std::optional<Failure> why;
  for (const auto& topic : reply->body.topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition where{topic.name, partition.partition_index};
      if (offsets.count(where) > 0) answered.insert(where);
      const auto error = static_cast<ErrorCode>(partition.error_code);
      if (error == ErrorCode::none || (why && !is_of_group(error))) continue;
      why = broker_failure(partition.error_code, fmt::format("commit of {} in group '{}'{}", where.to_string(),
                                                             group.group_id, meaning_of(error)));
    }
  }
  if (why) co_return failure(std::move(*why));
  if (answered.size() != offsets.size()) {
    co_return failure(Errc::corrupt_data, fmt::format("OffsetCommit to {}: {} partitions are not in the answer",
                                                      connection->name(), offsets.size() - answered.size()));
  }
  co_return Result<void>{};
}

namespace {

/// The topics of either shape of request.
template <typename Topics>
Topics topics_of(const std::vector<TopicPartition>& partitions) {
  Topics topics;
  for (const TopicPartition& where : partitions) {
    if (topics.empty() || topics.back().name != where.topic) topics.emplace_back().name = where.topic;
    topics.back().partition_indexes.push_back(where.partition);
  }
  return topics;
}

/// And of either shape of answer.
template <typename Topics>
Result<void> take_topics(const Topics& topics, const std::string& group_id, CommittedOffsets& found,
                         std::set<TopicPartition>& answered) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      const auto entry = found.find({topic.name, partition.partition_index});
      if (entry == found.end()) continue;
      if (partition.error_code != 0) {
        return failure(broker_failure(partition.error_code, fmt::format("the offset that group '{}' committed of {}",
                                                                        group_id, entry->first.to_string())));
      }
      answered.insert(entry->first);
      if (partition.committed_offset < 0) continue;
      entry->second = OffsetAndMetadata{partition.committed_offset, partition.committed_leader_epoch,
                                        partition.metadata.value_or("")};
    }
  }
  return {};
}

Result<CommittedOffsets> committed_in(const protocol::OffsetFetchResponse& body, bool batched,
                                      const std::string& group_id, const std::vector<TopicPartition>& partitions) {
  CommittedOffsets found;
  for (const TopicPartition& where : partitions) found.emplace(where, std::nullopt);
  const std::string subject = fmt::format("the committed offsets of group '{}'", group_id);
  if (batched && body.groups.size() != 1) return failure(Errc::corrupt_data, subject + ": not one answer");
  const std::int16_t error = batched ? body.groups.front().error_code : body.error_code;
  if (error != 0) return failure(broker_failure(error, subject));
  std::set<TopicPartition> answered;
  const auto taken = batched ? take_topics(body.groups.front().topics, group_id, found, answered)
                             : take_topics(body.topics, group_id, found, answered);
  if (!taken) return failure(taken.error());
  if (answered.size() < found.size())
    return failure(Errc::corrupt_data, subject + ": partitions are not in the answer");
  return found;
}

}  // namespace

asio::awaitable<Result<CommittedOffsets>> send_offset_fetch(ConnectionPtr connection, std::string group_id,
                                                            std::vector<TopicPartition> partitions,
                                                            runtime::MonotonicTime deadline) {
  const auto version = connection->version_for(protocol::ApiKey::offset_fetch);
  if (!version) co_return failure(version.error());
  const bool batched = *version >= kFirstBatchedVersion;
  protocol::OffsetFetchRequest request;
  request.require_stable = *version >= kFirstStableVersion;
  if (batched) {
    auto& group = request.groups.emplace_back();
    group.group_id = group_id;
    group.topics = topics_of<std::vector<protocol::OffsetFetchRequest::OffsetFetchRequestTopics>>(partitions);
  } else {
    request.group_id = group_id;
    request.topics = topics_of<std::vector<protocol::OffsetFetchRequest::OffsetFetchRequestTopic>>(partitions);
  }
  const auto reply = co_await connection->call<protocol::OffsetFetchResponse>(std::move(request), deadline);
  if (!reply) co_return failure(reply.error());
  co_return committed_in(reply->body, batched, group_id, partitions);
}

}  // namespace barnabas::client
