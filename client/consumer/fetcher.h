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
  /// Room for the answer to a fetch.
  struct Reservation {
    MemoryBudget::Lease lease;
    std::size_t refused_bytes = 0;  ///< The size of an answer for which there was none.
  };
  /// A fetch to be sent, and what its answer is compared with.
  struct FetchPlan {
    protocol::FetchRequest request;
    std::map<TopicPartition, Asked> asked;
    std::shared_ptr<Reservation> reservation;
    std::size_t reserved_bytes = 0;
    bool alone = false;
    bool uses_topic_ids = false;
    bool may_wait = false;                    ///< All are at their end, as far as known.
    std::optional<FetchSession> own_session;  ///< Of a fetch aside, which the broker keeps no session for.
  };
  using Plans = std::map<std::int32_t, const FetchPlan*>;  // by broker
  /// What the partitions of one broker are ready for.
  struct Readiness {
    bool any_free = false;  ///< Some partition may be asked for.
    bool any_more = false;  ///< ... of which the broker is known to have more.
    bool any_full = false;  ///< Some partition has been fetched as far ahead as may be, until poll takes of it.
    /// A fetch of partitions at their end alone waits at the broker, and with it those that poll makes room for
    /// meanwhile: it is not sent before these can be part of it.
    bool worth_a_fetch() const noexcept { return any_free && (any_more || !any_full); }
  };
  struct Work {
    std::map<std::int32_t, std::vector<TopicPartition>> resets;       // by leader
    std::map<std::int32_t, std::vector<TopicPartition>> validations;  // by leader
    std::map<std::int32_t, Readiness> brokers;
    std::set<std::int32_t> asides;  // brokers to be asked beside a fetch that waits
    runtime::MonotonicTime next_look = runtime::MonotonicTime::max();
    std::size_t room_wanted = 0;
    bool metadata_wanted = false;
    bool out_of_memory = false;  // now, and not at the last look
    bool any_failed = false;     // poll has an error to report
  };

  void advance();
  Work look(runtime::MonotonicTime now);
  void look_at(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now, Work& work);
  /// Takes over what the metadata say of a partition's topic and leader. False: it may not be fetched now.
  bool follow(PartitionState& state, const TopicMetadata& topic, const PartitionMetadata& partition);
  void arm_timer(runtime::MonotonicTime when);
  bool can_fetch(const PartitionState& state, runtime::MonotonicTime now) const;
  static bool is_asked(const FetchPlan* plan, const PartitionState& state);
  static const FetchPlan* under_way(const Plans& plans, std::int32_t broker_id);
  /// Whether it may be fetched, but a fetch without it waits at the broker: after a seek, a resume, an assignment.
  bool wants_aside(const PartitionState& state, std::int32_t broker_id, runtime::MonotonicTime now) const;
  static bool waits_for_poll(const PartitionState& state);
  bool has_more_to_fetch(const PartitionState& state) const;
  void note_readiness(const PartitionState& state, runtime::MonotonicTime now, Readiness& broker) const;
  static std::int32_t broker_for(const PartitionState& state, const PartitionMetadata& partition,
                                 runtime::MonotonicTime now);
  bool has_fetch_room() const;
  bool has_room_for(const PartitionState& state) const;

  static asio::awaitable<void> fetch_loop(std::shared_ptr<Fetcher> self, std::int32_t broker_id);
  static asio::awaitable<void> fetch_aside(std::shared_ptr<Fetcher> self, std::int32_t broker_id);
  asio::awaitable<bool> fetch_once(std::int32_t broker_id);
  /// Whether something was sent and answered.
  asio::awaitable<bool> fetch_over(std::int32_t broker_id, ConnectionPtr connection, bool aside);
  Readiness choose_partitions(std::int32_t broker_id, bool aside, FetchPlan& plan, FetchSession::Wanted& wanted);
  std::optional<FetchPlan> plan_fetch(std::int32_t broker_id, bool aside);
  void choose_alone(const TopicPartition& partition, FetchPlan& plan, FetchSession::Wanted& wanted) const;
  bool reserve(FetchPlan& plan, std::size_t partitions);
  void take_refusal(const FetchPlan& plan);
  void note_asked(std::int32_t broker_id, const FetchPlan& plan);
  void take_reply(std::int32_t broker_id, FetchPlan& plan, Reply<protocol::FetchResponse> reply);
  bool is_another_topic(const PartitionState& state) const;
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
  std::set<std::int32_t> fetching_aside_;
  Plans session_plans_;       // of the fetches under way
  Plans aside_plans_;         // the same
  int session_failures_ = 0;  // in a row
  Timers::Id timer_;
  runtime::MonotonicTime timer_at_ = runtime::MonotonicTime::max();
  bool closed_ = false;
};

}  // namespace barnabas::client
