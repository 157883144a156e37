#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer/fetch_session.h"
#include "client/consumer/offset_lookup.h"
#include "client/consumer/shared_state.h"

#include "client/core/request_router.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"

namespace barnabas::client {

/// Keeps the assigned partitions supplied: looks up and validates positions and fetches ahead, one fetch at a time from
/// each broker. Threads: the executor's only, except kick().
class Fetcher : public std::enable_shared_from_this<Fetcher> {
 public:
  Fetcher(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router);

  /// Something changed (an assignment, a seek, a poll, metadata): looks soon what is to be done. Threads: any.
  void kick();
  /// Starts nothing new, and ends the fetch sessions at the brokers as far as that goes until the deadline.
  asio::awaitable<void> close(runtime::MonotonicTime deadline);

 private:
  /// One partition as it was when it was asked for.
  struct Asked {
    std::uint64_t generation = 0;
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
  };
  /// A fetch to be sent, and what its answer is compared with.
  struct FetchPlan {
    protocol::FetchRequest request;
    std::map<TopicPartition, Asked> asked;
    std::size_t reserved_bytes = 0;
    bool uses_topic_ids = false;
  };
  struct Work {
    std::map<std::int32_t, std::vector<TopicPartition>> resets;       // by leader
    std::map<std::int32_t, std::vector<TopicPartition>> validations;  // by leader
    std::set<std::int32_t> brokers;                                   // to fetch from
    runtime::MonotonicTime next_look = runtime::MonotonicTime::max();
    bool metadata_wanted = false;
    bool out_of_memory = false;
  };

  void advance();
  Work look(runtime::MonotonicTime now);
  void look_at(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now, Work& work);
  void arm_timer(runtime::MonotonicTime when);
  bool can_fetch(const PartitionState& state, runtime::MonotonicTime now) const;
  static std::int32_t broker_for(const PartitionState& state, const PartitionMetadata& partition,
                                 runtime::MonotonicTime now);
  std::size_t fetch_room() const;
  bool has_fetch_room() const;

  static asio::awaitable<void> fetch_loop(std::shared_ptr<Fetcher> self, std::int32_t broker_id);
  asio::awaitable<bool> fetch_once(std::int32_t broker_id);
  std::optional<FetchPlan> plan_fetch(std::int32_t broker_id);
  void take_reply(std::int32_t broker_id, const FetchPlan& plan, Reply<protocol::FetchResponse> reply);
  void take_partition(PartitionState& state, const Asked& asked, const protocol::FetchResponse::PartitionData& data,
                      const std::shared_ptr<const void>& owner, std::int32_t broker_id);
  void take_records(PartitionState& state, const protocol::FetchResponse::PartitionData& data,
                    const std::shared_ptr<const void>& owner);
  void take_error(PartitionState& state, const Asked& asked, const protocol::FetchResponse::PartitionData& data,
                  std::int32_t broker_id);
  void fail_partition(PartitionState& state, Failure why);
  void fail_broker(std::int32_t broker_id, const FetchPlan* plan, const Failure& why);
  void note_leaders(const protocol::FetchResponse& response, std::int16_t version, const FetchSession& session);

  static asio::awaitable<void> reset_positions(std::shared_ptr<Fetcher> self, std::int32_t broker_id,
                                               std::vector<OffsetQuery> queries,
                                               std::map<TopicPartition, std::uint64_t> generations);
  void take_offset(const TopicPartition& where, std::uint64_t generation, const Result<OffsetAnswer>& answer);
  static asio::awaitable<void> validate_positions(std::shared_ptr<Fetcher> self, std::int32_t broker_id,
                                                  protocol::OffsetForLeaderEpochRequest request,
                                                  std::map<TopicPartition, Asked> asked);
  void start_resets(std::int32_t broker_id, const std::vector<TopicPartition>& partitions);
  void start_validations(std::int32_t broker_id, const std::vector<TopicPartition>& partitions);

  const std::shared_ptr<SharedState> state_;
  const std::shared_ptr<RequestRouter> router_;
  const Backoff backoff_;
  std::atomic<bool> kicked_{false};
  std::map<std::int32_t, FetchSession> sessions_;
  std::set<std::int32_t> fetching_;  // brokers whose fetch_loop runs
  int session_failures_ = 0;         // in a row
  Timers::Id timer_;
  runtime::MonotonicTime timer_at_ = runtime::MonotonicTime::max();
  bool closed_ = false;
};

}  // namespace barnabas::client
