#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "barnabas/topic_partition.h"
#include "client/consumer/completed_fetch.h"
#include "client/consumer/reset_policy.h"
#include "common/bytes/result.h"
#include "common/bytes/uuid.h"
#include "common/runtime/clock.h"

namespace barnabas::client {

/// What was fetched of a partition and not handed out yet: one that poll reads, one behind it. What is in it stays
/// where it is when more comes, and its memory is used again.
class FetchedQueue {
 public:
  static constexpr std::size_t kMost = 2;

  bool empty() const noexcept { return entries_.empty(); }
  bool full() const noexcept { return entries_.size() == kMost; }
  std::size_t size() const noexcept { return entries_.size(); }
  CompletedFetch& front() noexcept { return entries_.front(); }
  const CompletedFetch& front() const noexcept { return entries_.front(); }
  const CompletedFetch& operator[](std::size_t place) const noexcept { return entries_[place]; }
  /// Only when not full.
  void push_back(CompletedFetch fetched) {
    entries_.reserve(kMost);
    entries_.push_back(std::move(fetched));
  }
  void pop_front() { entries_.erase(entries_.begin()); }
  void clear() noexcept { entries_.clear(); }

 private:
  std::vector<CompletedFetch> entries_;
};

/// Whether a partition can be part of a fetch, as far as was seen when it was looked at last.
enum class FetchReadiness : std::uint8_t {
  none,    ///< Not now: it has no position or no leader, is paused, stuck, waits, or a fetch aside brings it.
  full,    ///< Fetched as far ahead as may be, until poll takes of it.
  at_end,  ///< Yes, but nothing is known to be there.
  more,    ///< Yes, and the broker has more.
};

/// The fetcher's own notes on a partition.
struct FetchStanding {
  std::int32_t broker = -1;        ///< Who is asked for it; -1: nobody yet.
  std::int32_t leader_epoch = -1;  ///< Of the leader in the metadata.
  FetchReadiness readiness = FetchReadiness::none;
  bool is_unsent = false;       ///< In the list of what that broker's session must be told.
  bool is_alone = false;        ///< In the set of what is asked of that broker alone.
  runtime::MonotonicTime wake;  ///< When it is looked at again without anything else; max: never.

  FetchStanding() : wake(runtime::MonotonicTime::max()) {}
};

/// What is known of one assigned partition. Owned by Positions; changed through it where a rule hangs on it.
struct PartitionState {
  enum class Phase {
    awaiting_committed,   ///< Has no position: the group's coordinator will tell.
    awaiting_reset,       ///< Has no position: ListOffsets will tell, by `reset`.
    awaiting_validation,  ///< A new leader must confirm that it has what was read so far.
    fetching,
  };

  TopicPartition partition;
  std::shared_ptr<const TopicPartition> shared_partition;  ///< The same, for what may outlive the assignment.
  std::shared_ptr<const std::string> topic;
  Uuid topic_id;            ///< Of the topic that the position belongs to; zero: not known yet.
  bool topic_gone = false;  ///< The last broker asked does not know that topic.
  Phase phase = Phase::awaiting_reset;
  ResetPolicy reset;
  Position position;    ///< The next record for poll.
  Position next_fetch;  ///< The next record to ask the broker for: ahead of `position` by what is in `fetched`.
  FetchedQueue fetched;
  bool paused = false;
  bool lookup_under_way = false;  ///< A reset or validation request of this generation.
  bool fetch_ahead = true;        ///< More may be fetched while `fetched` is not empty.
  bool collecting = false;        ///< poll reads fetched.front() without the mutex: it must stay.
  std::uint64_t generation = 0;   ///< Changed when the position is set anew: answers to older questions are dropped.
  std::uint64_t asked_aside = 0;  ///< The generation in which a fetch beside the one that waits brought nothing.
  bool alone = false;             ///< To be asked for alone: an answer with others beside it had no room.
  std::size_t needed_bytes = 0;   ///< ... and without others, it needs that much.
  std::int32_t validated_leader_epoch = -1;
  std::int32_t preferred_replica = -1;  ///< A nearer broker to fetch from; -1: the leader.
  runtime::MonotonicTime preferred_until{};
  std::int32_t asked_broker = -1;  ///< Whose fetches it is part of, while one is under way; -1: nobody's.
  std::int64_t high_watermark = -1;
  std::int64_t last_stable_offset = -1;
  std::int64_t log_start_offset = -1;
  int failures = 0;                     ///< In a row; for the back-off.
  runtime::MonotonicTime not_before{};  ///< No request for it before then.
  bool leaderless = false;              ///< ... or before the metadata name a leader.
  runtime::MonotonicTime since{};       ///< When it last made progress.
  std::optional<Failure> stuck;         ///< poll reports it until the caller seeks.
  std::string last_error;               ///< For explain().
  bool is_touched = false;              ///< In the list of those that changed.
  FetchStanding standing;

  bool has_position() const noexcept { return phase != Phase::awaiting_committed && phase != Phase::awaiting_reset; }
  std::size_t fetched_bytes() const noexcept;
};

/// The positions of all assigned partitions: what the user asked for and what brokers answered go in; what each
/// partition needs next can be read off its state. No I/O. Threads: guarded by the consumer's mutex.  Source: Kafka's
/// SubscriptionState.
class Positions {
 public:
  explicit Positions(ResetPolicy default_reset) : default_reset_(default_reset) {}

  /// Where a partition starts that was not assigned before.
  enum class Start {
    by_policy,  ///< As auto.offset.reset says.
    committed,  ///< Where the group committed; on_committed() tells.
  };
  /// Partitions that stay keep their state.
  void assign(const std::vector<TopicPartition>& partitions, runtime::MonotonicTime now,
              Start start = Start::by_policy);
  PartitionState* find(const TopicPartition& partition) noexcept;
  const PartitionState* find(const TopicPartition& partition) const noexcept;
  std::map<TopicPartition, PartitionState>& all() noexcept { return states_; }
  const std::map<TopicPartition, PartitionState>& all() const noexcept { return states_; }

  /// Something changed of what a partition can be asked for: the fetcher shall look at it. All functions here do that
  /// themselves; who changes a state elsewhere must.  Cost: O(1).
  void touch(PartitionState& state);
  void touch_all();
  /// Those that changed since the last time, each once.
  std::vector<PartitionState*> take_touched();
  /// Gives the list back, to be filled again.
  void reuse(std::vector<PartitionState*> touched) noexcept;
  /// Changes whenever states go: pointers to them from before are not to be used.
  std::uint64_t removals() const noexcept { return removals_; }

  /// Drops what was fetched, and what is under way.
  void seek(PartitionState& state, Position position);
  void request_reset(PartitionState& state, ResetPolicy policy);

  /// The coordinator answered; none: the group has committed nothing, and auto.offset.reset applies.
  void on_committed(PartitionState& state, std::optional<Position> committed);
  /// ListOffsets answered: `found` is none where no record has the time asked for (then it starts at the end).
  void on_reset(const TopicPartition& partition, std::uint64_t generation, Position found);
  /// The metadata name the topic's id. Another one than before, where a broker has said that it does not know the old
  /// one either (metadata alone may be out of date): the topic was deleted and made again, and the position means
  /// nothing in it: reset by policy, or stuck. False while that must wait for poll.
  bool on_topic_id(PartitionState& state, const Uuid& id);
  /// The metadata names the leader's epoch; a new one makes a position with an epoch be validated first.
  void on_leader_epoch(PartitionState& state, std::int32_t leader_epoch);
  /// OffsetForLeaderEpoch answered for next_fetch: where the epoch ends in the leader's log (-1: it does not know).
  void on_validated(const TopicPartition& partition, std::uint64_t generation, std::int32_t leader_epoch,
                    std::int64_t end_offset);
  /// A fetch brought these bytes; the position to fetch next moves behind them.
  void on_fetched(PartitionState& state, CompletedFetch fetched, Position next_fetch, runtime::MonotonicTime now);
  /// The leader has no such offset: reset by policy, or stuck.
  void on_out_of_range(PartitionState& state, std::int64_t offset);
  /// Something that may pass: tried again from `not_before` on.
  void on_failure(PartitionState& state, std::string why, runtime::MonotonicTime not_before);

 private:
  PartitionState* current(const TopicPartition& partition, std::uint64_t generation) noexcept;
  void set_position(PartitionState& state, Position position);
  void on_truncated(PartitionState& state, std::int64_t end_offset);

  ResetPolicy default_reset_;
  std::uint64_t last_generation_ = 0;
  std::uint64_t removals_ = 0;
  std::map<TopicPartition, PartitionState> states_;
  std::unordered_map<TopicPartition, PartitionState*> index_;  // of states_
  std::vector<PartitionState*> touched_;
};

}  // namespace barnabas::client
