#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "client/core/backoff.h"
#include "common/bytes/result.h"
#include "common/protocol/errors.h"
#include "common/runtime/clock.h"

namespace barnabas::client {

/// A member's place in its group.
struct Generation {
  static constexpr std::int32_t kNone = -1;

  std::int32_t id = kNone;  ///< kNone: it belongs to no generation.
  std::string member_id{};  ///< Empty: the coordinator has not named it yet.
  std::string protocol{};   ///< The name of the assignor that the members agreed on.

  bool operator==(const Generation&) const = default;
};

/// One consumer's membership in its group, by the classic protocol: when to look for the coordinator, join, sync, send
/// heartbeats, rejoin, leave. A machine without I/O and clock: next() says what to do, the on_ functions are told what
/// came of it, and whoever drives it calls next() again after each of them and at the time it named.
///
/// The order of a rebalance: prepare (partitions are given up, in poll), join, sync, complete (partitions are taken, in
/// poll). Heartbeats go on in all of it but the join, which the coordinator itself waits in.
/// Threads: one at a time.  Source: Kafka's AbstractCoordinator, KIP-62, KIP-345, KIP-394.
class Membership {
 public:
  using Time = runtime::MonotonicTime;
  enum class State { unjoined, joining, syncing, stable };
  enum class Do {
    nothing,             ///< Until `until`.
    find_coordinator,    ///< Then on_coordinator_asked().
    forget_coordinator,  ///< It was silent for session.timeout.ms.
    prepare,             ///< As soon as poll is there; then on_turn_ended().
    join,                ///< Then on_join().
    sync,                ///< The leader assigns first. Then on_sync().
    complete,            ///< As soon as poll is there; then on_turn_ended().
    heartbeat,           ///< Then on_heartbeat().
    leave                ///< Sends `who` off; no answer is needed. Empty member id: nothing needs to be sent.
  };
  struct Action {
    Do what = Do::nothing;
    Time until = Time::max();
    Generation who{};
  };
  struct Settings {
    std::string group_id;
    std::optional<std::string> instance_id;
    std::chrono::milliseconds session_timeout{45000};
    std::chrono::milliseconds heartbeat_interval{3000};
    std::chrono::milliseconds max_poll_interval{300000};
  };
  /// What the machine cannot know by itself.
  struct Surroundings {
    Time now{};
    Time polled_at{};  ///< The end of the last poll; now, while one is under way.
    bool coordinator_known = false;
  };
  struct JoinAnswer {
    protocol::ErrorCode error{};
    Generation generation;
    bool is_leader = false;
  };

  Membership(Settings settings, Backoff backoff);

  /// The consumer subscribes: from now on it wants to be a member.
  void start();
  /// It does not any more (unsubscribe, close). Who is to be sent off, if anybody: a static member only stays away.
  Generation stop();
  /// Something changed that the group must hear of.
  void request_rejoin(std::string why);

  Action next(const Surroundings& around);

  void on_coordinator_asked(const Result<void>& found, Time now);
  void on_join(std::uint64_t attempt, const Result<JoinAnswer>& answer, Time now);
  /// `answer`: the error code, or a failure of our own (no answer, an assignor that threw, bytes that do not parse).
  void on_sync(std::uint64_t attempt, const Result<protocol::ErrorCode>& answer, Time now);
  /// Prepare or complete has ended.
  void on_turn_ended();
  void on_heartbeat(std::uint64_t attempt, const Result<protocol::ErrorCode>& answer, Time now);
  /// What a commit in this generation was answered; others' errors change nothing.
  void on_commit(const Generation& in, protocol::ErrorCode error);

  State state() const noexcept { return state_; }
  bool is_wanted() const noexcept { return wanted_; }
  bool is_leader() const noexcept { return leader_; }
  const Generation& generation() const noexcept { return generation_; }
  const Settings& settings() const noexcept { return settings_; }
  /// Grows with each join and each loss of the membership: answers that belong to an older one are dropped.
  std::uint64_t attempt() const noexcept { return attempt_; }
  const std::string& rejoin_reason() const noexcept { return rejoin_reason_; }
  bool needs_rejoin() const noexcept { return rejoin_needed_; }
  /// What ended the membership for good (a fenced instance); poll reports it again and again.
  const std::optional<Failure>& fatal() const noexcept { return fatal_; }
  /// What poll is to report once; it is tried again all the same.
  std::optional<Failure> take_failure();
  /// What it waits for, in words.
  std::string explain(const Surroundings& around) const;

 private:
  Action wait_for(Time until) const;
  Action heartbeat_or_rebalance(const Surroundings& around);
  bool poll_is_late(const Surroundings& around) const;
  bool is_alive() const noexcept { return state_ == State::syncing || state_ == State::stable; }
  bool is_dynamic() const noexcept { return !settings_.instance_id.has_value(); }
  void on_error(const char* api, protocol::ErrorCode error, Time now);
  void on_failed(const char* api, const Failure& why, Time now);
  void on_nonsense(const char* api, const std::string& what, Time now);
  void again_soon(std::string why, Time now);
  void report(const char* api, std::error_code code, Time now);
  void fence(const char* api);
  void reset(bool forget_member_id, std::string why);
  void enter(State state, Time now);

  const Settings settings_;
  Backoff backoff_;
  State state_ = State::unjoined;
  Generation generation_;
  std::uint64_t attempt_ = 0;
  Time since_{};       // when state_ was entered
  Time last_heard_{};  // of the coordinator, as a member
  Time next_heartbeat_{};
  Time not_before_{};  // back-off of finding and joining
  std::string rejoin_reason_;
  std::string last_error_;
  std::optional<Failure> failure_;
  std::optional<Failure> fatal_;
  int quick_retries_ = 0;  // of joins, in a row
  bool wanted_ = false;
  bool leader_ = false;
  bool rejoin_needed_ = false;
  bool prepared_ = false;  // partitions were given up as far as need be, for the next join
  bool in_turn_ = false;   // prepare or complete is under way
  bool synced_ = false;    // complete is due
  bool sync_due_ = false;
  bool finding_ = false;
  bool heartbeat_under_way_ = false;
  bool poll_was_late_ = false;
};

const char* to_string(Membership::State state) noexcept;

}  // namespace barnabas::client
