#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/consumer/fetch_board.h"
#include "client/consumer/fetch_session.h"
#include "client/consumer/offset_lookup.h"
#include "client/consumer/shared_state.h"

#include "client/core/request_router.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"

namespace barnabas::client {

constexpr std::size_t kSmallestRoomBytes = 64 * 1024;  ///< With less, no fetch is sent.

/// Keeps the assigned partitions supplied: looks up and validates positions and fetches ahead, one fetch at a time from
/// each broker, in a session. What becomes free to be fetched while that one waits at the broker for new records (after
/// a seek, a resume, an assignment) is asked for beside it, over the main connection and without waiting. Threads: the
/// executor's only, except kick().
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
  /// Room for the answer to a fetch, and then the answer: it keeps the bytes alive, and counted.
  struct Reservation {
    MemoryBudget::Lease lease;
    std::size_t refused_bytes = 0;  ///< The size of an answer for which there was none.
    Frame frame;
  };
  /// A fetch to be sent; what its answer is compared with is the session it is of.
  struct FetchPlan {
    protocol::FetchRequest request;
    std::shared_ptr<Reservation> reservation;
    std::size_t reserved_bytes = 0;
    bool aside = false;
    bool uses_topic_ids = false;
    bool may_wait = false;                    ///< All are at their end, as far as known.
    std::optional<FetchSession> own_session;  ///< Of a fetch aside or of one partition alone: the broker keeps none.
  };
  using Plans = std::map<std::int32_t, FetchPlan*>;  // by broker; null: none is under way
  /// What looking at partitions found to be done.
  struct Work {
    std::map<std::int32_t, std::vector<TopicPartition>> resets;       // by leader
    std::map<std::int32_t, std::vector<TopicPartition>> validations;  // by leader
    bool metadata_wanted = false;
    bool any_failed = false;  // poll has an error to report

    bool any() const noexcept { return metadata_wanted || any_failed || !resets.empty() || !validations.empty(); }
  };

  void advance();
  /// What changed since the last time; under the mutex.
  void refresh(runtime::MonotonicTime now);
  void look_at(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now);
  /// Of a partition that waits for nothing: who is asked for it, and whether it is ready. False: not to be asked for.
  bool find_standing(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now,
                     FetchStanding& standing);
  /// Whether there is room for fetches; else poll is told what is wanted.
  bool look_for_room(runtime::MonotonicTime now, bool& ran_out);
  void start_fetches();
  /// Takes over what the metadata say of a partition's topic and leader. False: it may not be fetched now.
  bool follow(PartitionState& state, const TopicMetadata& topic, const PartitionMetadata& partition);
  void arm_timer(runtime::MonotonicTime when);
  bool can_fetch(const PartitionState& state, runtime::MonotonicTime now) const;
  bool is_asked(const Plans& plans, std::int32_t broker_id, const PartitionState& state);
  FetchSession& session_of(FetchPlan& plan, std::int32_t broker_id);
  /// Whether it may be fetched, but a fetch without it waits at the broker: after a seek, a resume, an assignment.
  bool wants_aside(const PartitionState& state, std::int32_t broker_id, runtime::MonotonicTime now);
  std::vector<PartitionState*> aside_candidates(std::int32_t broker_id, runtime::MonotonicTime now);
  static bool waits_for_poll(const PartitionState& state);
  bool has_more_to_fetch(const PartitionState& state) const;
  FetchReadiness readiness_of(const PartitionState& state, std::int32_t broker_id, runtime::MonotonicTime now);
  static std::int32_t broker_for(const PartitionState& state, const PartitionMetadata& partition,
                                 runtime::MonotonicTime now);
  bool has_fetch_room() const;
  bool has_room_for(const PartitionState& state) const;

  static asio::awaitable<void> fetch_loop(std::shared_ptr<Fetcher> self, std::int32_t broker_id);
  static asio::awaitable<void> fetch_aside(std::shared_ptr<Fetcher> self, std::int32_t broker_id);
  asio::awaitable<ConnectionPtr> connect(std::int32_t broker_id);
  /// Whether something was sent and answered.
  asio::awaitable<bool> fetch_over(std::int32_t broker_id, ConnectionPtr connection, bool aside);
  std::optional<FetchPlan> plan_fetch(std::int32_t broker_id, bool aside);
  std::vector<PartitionState*> choose_own(std::int32_t broker_id, bool aside, runtime::MonotonicTime now);
  void build_own(FetchPlan& plan, std::int32_t broker_id, const std::vector<PartitionState*>& chosen);
  bool reserve(FetchPlan& plan, std::size_t partitions);
  void take_refusal(std::int32_t broker_id, FetchPlan& plan);
  void end_fetch(std::int32_t broker_id, FetchPlan& plan, const Reply<protocol::FetchResponse>* reply);
  void take_reply(std::int32_t broker_id, FetchPlan& plan, Reply<protocol::FetchResponse> reply);
  bool is_another_topic(const PartitionState& state) const;
  void take_partition(PartitionState& state, const FetchSession::Asked& asked,
                      const protocol::FetchResponse::PartitionData& data, const std::shared_ptr<const void>& owner,
                      std::int32_t broker_id);
  void take_records(PartitionState& state, const protocol::FetchResponse::PartitionData& data,
                    const std::shared_ptr<const void>& owner);
  void take_error(PartitionState& state, const FetchSession::Asked& asked,
                  const protocol::FetchResponse::PartitionData& data, std::int32_t broker_id);
  void fail_partition(PartitionState& state, Failure why);
  void fail_broker(std::int32_t broker_id, FetchPlan* plan, const Failure& why);
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
  FetchBoard board_;
  std::shared_ptr<const ClusterSnapshot> seen_cluster_;
  std::uint64_t seen_removals_ = 0;
  std::vector<PartitionState*> needy_;     // those that need more room than any fetch
  Work work_;                              // found, and to be started by advance()
  TopicPartition sought_;                  // a name to look up by, whose memory is used again
  std::map<std::int32_t, bool> fetching_;  // whether the fetch_loop of a broker runs
  std::map<std::int32_t, bool> fetching_aside_;
  std::vector<std::int32_t> wants_aside_;  // brokers to be asked beside a fetch that waits
  Plans session_plans_;                    // of the fetches under way
  Plans aside_plans_;                      // the same
  int session_failures_ = 0;               // in a row
  Timers::Id timer_;
  runtime::MonotonicTime timer_at_ = runtime::MonotonicTime::max();
  bool closed_ = false;
};

}  // namespace barnabas::client
