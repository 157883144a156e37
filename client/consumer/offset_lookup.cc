#include "client/consumer/offset_lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/core/errors.h"
#include "common/protocol/messages/list_offsets.h"

namespace barnabas::client {
namespace {

constexpr std::int8_t kReadCommitted = 1;
constexpr std::int32_t kConsumerReplicaId = -1;

protocol::ListOffsetsRequest request_for(const std::vector<OffsetQuery>& queries, bool read_committed,
                                         std::int32_t timeout_ms) {
  protocol::ListOffsetsRequest request;
  request.replica_id = kConsumerReplicaId;
  request.isolation_level = read_committed ? kReadCommitted : 0;
  request.timeout_ms = timeout_ms;
  for (const OffsetQuery& query : queries) {
    if (request.topics.empty() || request.topics.back().name != query.partition.topic) {
      request.topics.emplace_back().name = query.partition.topic;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = query.partition.partition;
    partition.current_leader_epoch = query.leader_epoch;
    partition.timestamp = query.timestamp_ms;
  }
  return request;
}

/// list_offsets() under way.
struct Listing {
  std::shared_ptr<RequestRouter> router;
  std::map<TopicPartition, std::int64_t> pending;
  std::map<TopicPartition, OffsetAnswer> answers;
  Failure last_failure;
  bool refreshed = false;
  int attempts = 0;

  Result<std::map<std::int32_t, std::vector<OffsetQuery>>> by_leader();
  Result<void> take(OffsetAnswers found);
  Failure timed_out() const;
};

Result<std::map<std::int32_t, std::vector<OffsetQuery>>> Listing::by_leader() {
  std::map<std::int32_t, std::vector<OffsetQuery>> leaders;
  const auto snapshot = router->metadata().snapshot();
  for (const auto& [where, timestamp_ms] : pending) {
    const PartitionMetadata* partition = snapshot->partition(where.topic, where.partition);
    if (partition == nullptr && refreshed) {
      return failure(broker_failure(static_cast<std::int16_t>(protocol::ErrorCode::unknown_topic_or_partition),
                                    where.to_string() + ": there is no such partition"));
    }
    if (partition == nullptr || partition->leader < 0) {
      last_failure = {make_error_code(protocol::ErrorCode::leader_not_available), where.to_string() + " has no leader"};
      continue;
    }
    leaders[partition->leader].push_back({where, timestamp_ms, partition->leader_epoch});
  }
  return leaders;
}

Result<void> Listing::take(OffsetAnswers found) {
  for (auto& [where, answer] : found) {
    if (answer) {
      answers[where] = *answer;
      pending.erase(where);
    } else if (is_retriable(answer.error()) || needs_metadata_update(answer.error())) {
      last_failure = answer.error();
    } else {
      return failure(answer.error());
    }
  }
  return {};
}

Failure Listing::timed_out() const {
  const std::string first = pending.empty() ? "" : pending.begin()->first.to_string();
  return {Errc::timed_out,
          fmt::format("looking up offsets of {} partitions ({}, ...) after {} attempts; the last cause: {}",
                      pending.size(), first, attempts, last_failure.message())};
}

}  // namespace

asio::awaitable<Result<OffsetAnswers>> ask_offsets(std::shared_ptr<RequestRouter> router, std::int32_t broker_id,
                                                   std::vector<OffsetQuery> queries, bool read_committed,
                                                   runtime::MonotonicTime deadline) {
  const auto timeout_ms = static_cast<std::int32_t>(router->config().request_timeout.count());
  auto request = request_for(queries, read_committed, timeout_ms);
  auto reply = co_await router->call<protocol::ListOffsetsResponse>(broker_id, std::move(request), deadline);
  if (!reply) co_return failure(reply.error());
  OffsetAnswers answers;
  for (const OffsetQuery& query : queries) {
    answers.emplace(query.partition, failure(Errc::corrupt_data, query.partition.to_string() + ": not in the answer"));
  }
  for (const auto& topic : reply->body.topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition where{topic.name, partition.partition_index};
      const auto entry = answers.find(where);
      if (entry == answers.end()) continue;
      if (partition.error_code != 0) {
        entry->second = failure(broker_failure(
            partition.error_code, fmt::format("ListOffsets of {} by broker {}", where.to_string(), broker_id)));
      } else {
        entry->second = OffsetAnswer{partition.offset, partition.timestamp, partition.leader_epoch};
      }
    }
  }
  co_return answers;
}

asio::awaitable<Result<std::map<TopicPartition, OffsetAnswer>>> list_offsets(
    std::shared_ptr<RequestRouter> router, std::map<TopicPartition, std::int64_t> timestamps_ms, bool read_committed,
    runtime::MonotonicTime deadline) {
  Listing listing{router, std::move(timestamps_ms), {}, {}};
  Backoff backoff(router->config().retry_backoff, router->config().retry_backoff_max, router->runtime().random());
  std::vector<std::string> topics;
  for (const auto& [where, timestamp_ms] : listing.pending) {
    if (topics.empty() || topics.back() != where.topic) topics.push_back(where.topic);
  }
  for (const std::string& name : topics) {
    const auto topic = co_await router->topic(name, deadline);
    if (!topic) co_return failure(topic.error());
  }
  while (!listing.pending.empty()) {
    ++listing.attempts;
    auto leaders = listing.by_leader();
    if (!leaders) co_return failure(leaders.error());
    for (auto& [broker_id, queries] : *leaders) {
      auto found = co_await ask_offsets(router, broker_id, std::move(queries), read_committed, deadline);
      if (!found) {
        listing.last_failure = found.error();
        if (found.error().code == Errc::closed) co_return failure(found.error());
        continue;
      }
      const auto taken = listing.take(std::move(*found));
      if (!taken) co_return failure(taken.error());
    }
    if (listing.pending.empty()) break;
    const auto next = router->runtime().now() + backoff.next();
    if (next >= deadline) co_return failure(listing.timed_out());
    const auto slept = co_await router->sleep_until(next);
    if (!slept) co_return failure(slept.error());
    const auto refreshed = co_await router->refresh_metadata(deadline);
    if (!refreshed) co_return failure(listing.timed_out());
    listing.refreshed = true;
  }
  co_return std::move(listing.answers);
}

}  // namespace barnabas::client
