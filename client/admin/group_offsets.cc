// OffsetFetch, OffsetCommit and OffsetDelete in the name of a group that one is no member of.
#include <algorithm>

#include "client/admin/group_call.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_delete.h"
#include "common/protocol/messages/offset_fetch.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

// The first that can ask for all that the group has.
constexpr std::int16_t kFirstFetchOfAll = 2;
constexpr std::int16_t kFirstFetchOfGroups = 8;
constexpr std::int16_t kFirstStableFetch = 7;

using Results = std::vector<GroupOffsetResult>;

std::string subject_of(const TopicPartition& partition, const std::string& group_id) {
  return partition.to_string() + " of group '" + group_id + "'";
}

const TopicPartition& partition_of(const TopicPartition& entry) {
  return entry;
}
const TopicPartition& partition_of(const Offsets::value_type& entry) {
  return entry.first;
}

/// Calls `add` with each entry and its topic; they come sorted.
template <typename Entries, typename Topics, typename Add>
void fill_topics(const Entries& entries, Topics& topics, const Add& add) {
  for (const auto& entry : entries) {
    const std::string& name = partition_of(entry).topic;
    if (topics.empty() || topics.back().name != name) topics.emplace_back().name = name;
    add(topics.back(), entry);
  }
}

OffsetFetchRequest fetch_request(const std::string& group_id, std::int16_t version) {
  OffsetFetchRequest request;
  request.require_stable = version >= kFirstStableFetch;
  if (version >= kFirstFetchOfGroups) {
    auto& group = request.groups.emplace_back();
    group.group_id = group_id;
    group.topics = std::nullopt;
  } else {
    request.group_id = group_id;
    request.topics = std::nullopt;
  }
  return request;
}

/// The worst of what an answer says, the group's own error first: what may pass is tried again.
std::int16_t error_of_fetch(const OffsetFetchResponse& body) {
  if (body.error_code != 0) return body.error_code;
  for (const auto& group : body.groups) {
    if (group.error_code != 0) return group.error_code;
    for (const auto& topic : group.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0) return partition.error_code;
      }
    }
  }
  for (const auto& topic : body.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) return partition.error_code;
    }
  }
  return 0;
}

template <typename Topics>
void take_offsets(const Topics& topics, Offsets& found) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.committed_offset < 0) continue;
      found[{topic.name, partition.partition_index}] = {partition.committed_offset, partition.committed_leader_epoch,
                                                        partition.metadata.value_or("")};
    }
  }
}

template <typename Response>
std::int16_t first_error(const Response& body) {
  for (const auto& topic : body.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) return partition.error_code;
    }
  }
  return 0;
}

/// What to do about it, where the broker's words do not say.
std::optional<std::string> words_for(std::int16_t error) {
  if (error != protocol::code_of(ErrorCode::unknown_member_id)) return std::nullopt;
  return "the group has members, which commit for themselves; stop them first";
}

template <typename Response>
Results results_of(const Response& body, const std::string& group_id) {
  Results results;
  for (const auto& topic : body.topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition where{topic.name, partition.partition_index};
      results.push_back(
          {where, item_error(partition.error_code, subject_of(where, group_id), words_for(partition.error_code))});
    }
  }
  std::sort(results.begin(), results.end(),
            [](const GroupOffsetResult& a, const GroupOffsetResult& b) { return a.partition < b.partition; });
  return results;
}

}  // namespace

asio::awaitable<Result<Offsets>> list_group_offsets(AdminPtr admin, std::string group_id, AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::function<OffsetFetchRequest(std::int16_t)> build = [&group_id](std::int16_t version) {
    return fetch_request(group_id, version);
  };
  std::function<std::int16_t(const OffsetFetchResponse&)> error_of = error_of_fetch;
  const VersionRange versions{kFirstFetchOfAll, client_versions(protocol::ApiKey::offset_fetch).max};
  const auto reply =
      co_await ask_coordinator<OffsetFetchResponse>(admin, group_id, build, error_of, deadline, versions);
  if (!reply) co_return failure(reply.error());
  if (const std::int16_t error = error_of_fetch(reply->body); error != 0) {
    co_return failure(broker_failure(error, "the committed offsets of group '" + group_id + "'"));
  }
  Offsets found;
  for (const auto& group : reply->body.groups) take_offsets(group.topics, found);
  take_offsets(reply->body.topics, found);
  co_return found;
}

asio::awaitable<Result<Results>> alter_group_offsets(AdminPtr admin, std::string group_id, Offsets offsets,
                                                     AdminTimeout timeout) {
  if (offsets.empty()) co_return Results{};
  const auto deadline = admin->deadline_in(timeout);
  std::function<OffsetCommitRequest(std::int16_t)> build = [&](std::int16_t) {
    OffsetCommitRequest request;
    request.group_id = group_id;
    fill_topics(offsets, request.topics, [](auto& topic, const Offsets::value_type& entry) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = entry.first.partition;
      partition.committed_offset = entry.second.offset;
      partition.committed_leader_epoch = entry.second.leader_epoch;
      partition.committed_metadata = entry.second.metadata;
    });
    return request;
  };
  std::function<std::int16_t(const OffsetCommitResponse&)> error_of = first_error<OffsetCommitResponse>;
  const auto reply = co_await ask_coordinator<OffsetCommitResponse>(admin, group_id, build, error_of, deadline);
  if (!reply) co_return failure(reply.error());
  co_return results_of(reply->body, group_id);
}

asio::awaitable<Result<Results>> delete_group_offsets(AdminPtr admin, std::string group_id,
                                                      std::vector<TopicPartition> partitions, AdminTimeout timeout) {
  if (partitions.empty()) co_return Results{};
  std::sort(partitions.begin(), partitions.end());
  const auto deadline = admin->deadline_in(timeout);
  std::function<OffsetDeleteRequest(std::int16_t)> build = [&](std::int16_t) {
    OffsetDeleteRequest request;
    request.group_id = group_id;
    fill_topics(partitions, request.topics, [](auto& topic, const TopicPartition& partition) {
      topic.partitions.emplace_back().partition_index = partition.partition;
    });
    return request;
  };
  std::function<std::int16_t(const OffsetDeleteResponse&)> error_of = [](const OffsetDeleteResponse& body) {
    return body.error_code;
  };
  const auto reply = co_await ask_coordinator<OffsetDeleteResponse>(admin, group_id, build, error_of, deadline);
  if (!reply) co_return failure(reply.error());
  if (reply->body.error_code != 0) {
    co_return failure(broker_failure(reply->body.error_code, "group '" + group_id + "'"));
  }
  co_return results_of(reply->body, group_id);
}

}  // namespace barnabas::client
