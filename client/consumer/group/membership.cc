#include "client/consumer/group/membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/core/errors.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;

constexpr int kQuickRetries = 3;  // joins that follow each other without a back-off, where Kafka has none

double seconds_between(runtime::MonotonicTime from, runtime::MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

const char* to_string(Membership::State state) noexcept {
  switch (state) {
    case Membership::State::unjoined:
      return "unjoined";
    case Membership::State::joining:
      return "joining";
    case Membership::State::syncing:
      return "syncing";
    case Membership::State::stable:
      return "stable";
  }
  return "?";
}

Membership::Membership(Settings settings, Backoff backoff) : settings_(std::move(settings)), backoff_(backoff) {}

void Membership::start() {
  if (wanted_) return;
  wanted_ = true;
  rejoin_needed_ = true;
  prepared_ = false;
  rejoin_reason_ = "the consumer subscribed";
}

Generation Membership::stop() {
  Generation who = is_dynamic() ? generation_ : Generation{};
  const bool was_wanted = std::exchange(wanted_, false);
  reset(true, "");
  rejoin_needed_ = false;
  fatal_.reset();
  failure_.reset();
  poll_was_late_ = false;
  return was_wanted ? who : Generation{};
}

void Membership::request_rejoin(std::string why) {
  if (!wanted_) return;
  if (!rejoin_needed_) rejoin_reason_ = std::move(why);
  rejoin_needed_ = true;
}

void Membership::enter(State state, Time now) {
  state_ = state;
  since_ = now;
}

void Membership::reset(bool forget_member_id, std::string why) {
  generation_.id = Generation::kNone;
  generation_.protocol.clear();
  if (forget_member_id) generation_.member_id.clear();
  state_ = State::unjoined;
  ++attempt_;
  leader_ = false;
  rejoin_needed_ = true;
  rejoin_reason_ = std::move(why);
  prepared_ = false;
  synced_ = false;
  sync_due_ = false;
  heartbeat_under_way_ = false;
}

// ---- what to do

Membership::Action Membership::wait_for(Time until) const {
  return Action{Do::nothing, until, {}};
}

bool Membership::poll_is_late(const Surroundings& around) const {
  return (is_alive() || state_ == State::joining) && around.now - around.polled_at >= settings_.max_poll_interval;
}

Membership::Action Membership::next(const Surroundings& around) {
  if (!wanted_ || fatal_) return wait_for(Time::max());
  if (poll_is_late(around)) {
    const Generation who = is_dynamic() ? generation_ : Generation{};
    poll_was_late_ = true;
    reset(is_dynamic(),
          fmt::format("poll was not called for max.poll.interval.ms={}", settings_.max_poll_interval.count()));
    return Action{Do::leave, around.now, who};
  }
  const bool is_silent = is_alive() && around.now - last_heard_ >= settings_.session_timeout;
  if (is_silent && around.coordinator_known) {
    last_heard_ = around.now;
    return Action{Do::forget_coordinator, around.now, {}};
  }
  Action action = heartbeat_or_rebalance(around);
  if (action.what == Do::nothing && state_ != State::unjoined) {
    action.until = std::min(action.until, around.polled_at + settings_.max_poll_interval);
  }
  return action;
}

Membership::Action Membership::heartbeat_or_rebalance(const Surroundings& around) {
  const Time now = around.now;
  if (synced_ && !in_turn_) {
    synced_ = false;
    in_turn_ = true;
    return Action{Do::complete, now, {}};
  }
  if (!around.coordinator_known) {
    if (finding_ || state_ == State::joining) return wait_for(Time::max());
    if (now < not_before_) return wait_for(not_before_);
    finding_ = true;
    return Action{Do::find_coordinator, now, {}};
  }
  if (sync_due_) {
    sync_due_ = false;
    return Action{Do::sync, now, {}};
  }
  Time until = Time::max();
  if (is_alive() && !heartbeat_under_way_) {
    if (now >= next_heartbeat_) {
      heartbeat_under_way_ = true;
      next_heartbeat_ = now + settings_.heartbeat_interval;
      return Action{Do::heartbeat, now, generation_};
    }
    until = next_heartbeat_;
  }
  const bool is_at_rest = state_ == State::unjoined || state_ == State::stable;
  if (!rejoin_needed_ || in_turn_ || !is_at_rest) return wait_for(until);
  if (!prepared_) {
    in_turn_ = true;
    prepared_ = true;  // unless the membership is lost meanwhile
    return Action{Do::prepare, now, {}};
  }
  if (now < not_before_) return wait_for(std::min(until, not_before_));
  ++attempt_;
  heartbeat_under_way_ = false;
  poll_was_late_ = false;
  enter(State::joining, now);
  return Action{Do::join, now, generation_};
}

// ---- what came of it

void Membership::on_coordinator_asked(const Result<void>& found, Time now) {
  finding_ = false;
  if (!wanted_) return;
  if (found) {
    next_heartbeat_ = std::min(next_heartbeat_, now);
    return;
  }
  const bool may_pass =
      is_retriable(found.error()) || found.error().code == Errc::disconnected || found.error().code == Errc::not_found;
  if (!may_pass) failure_ = found.error();
  again_soon(found.error().message(), now);
}

void Membership::on_turn_ended() {
  in_turn_ = false;
}

void Membership::on_join(std::uint64_t attempt, const Result<JoinAnswer>& answer, Time now) {
  if (attempt != attempt_ || state_ != State::joining) return;
  if (!answer) return on_failed("JoinGroup", answer.error(), now);
  const Generation& joined = answer->generation;
  if (answer->error == ErrorCode::member_id_required && !joined.member_id.empty()) {
    generation_ = Generation{Generation::kNone, joined.member_id, {}};
    enter(State::unjoined, now);
    if (++quick_retries_ > kQuickRetries) again_soon("MEMBER_ID_REQUIRED again and again", now);
    return;
  }
  if (answer->error != ErrorCode::none) return on_error("JoinGroup", answer->error, now);
  if (joined.member_id.empty() || joined.id < 0) {
    return on_nonsense("JoinGroup", fmt::format("member '{}' of generation {}", joined.member_id, joined.id), now);
  }
  generation_ = joined;
  leader_ = answer->is_leader;
  last_heard_ = now;
  next_heartbeat_ = now + settings_.heartbeat_interval;
  enter(State::syncing, now);
  sync_due_ = true;
}

void Membership::on_sync(std::uint64_t attempt, const Result<ErrorCode>& answer, Time now) {
  if (attempt != attempt_ || state_ != State::syncing) return;
  if (!answer) return on_failed("SyncGroup", answer.error(), now);
  if (*answer != ErrorCode::none) return on_error("SyncGroup", *answer, now);
  enter(State::stable, now);
  last_heard_ = now;
  rejoin_needed_ = false;
  rejoin_reason_.clear();
  prepared_ = false;
  synced_ = true;
  quick_retries_ = 0;
  backoff_.reset();
  not_before_ = {};
  last_error_.clear();
}

void Membership::on_heartbeat(std::uint64_t attempt, const Result<ErrorCode>& answer, Time now) {
  if (attempt != attempt_ || !is_alive()) return;
  heartbeat_under_way_ = false;
  if (!answer) {
    last_error_ = answer.error().message();
    if (!is_retriable(answer.error()) && answer.error().code != Errc::closed) failure_ = answer.error();
    return;
  }
  switch (*answer) {
    case ErrorCode::none:
      last_heard_ = now;
      last_error_.clear();
      return;
    case ErrorCode::rebalance_in_progress:
      last_heard_ = now;
      if (state_ == State::stable) request_rejoin("the group rebalances");
      return;
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
      last_error_ = fmt::format("Heartbeat: {}", protocol::to_string(*answer));
      not_before_ = now + backoff_.after(0);
      return;
    default:
      on_error("Heartbeat", *answer, now);
  }
}

void Membership::on_commit(const Generation& in, ErrorCode error) {
  if (!wanted_ || in != generation_ || in.id == Generation::kNone) return;
  switch (error) {
    case ErrorCode::rebalance_in_progress:
      return request_rejoin("a commit was refused: the group rebalances");
    case ErrorCode::illegal_generation:
      return reset(false, "a commit was refused: ILLEGAL_GENERATION");
    case ErrorCode::unknown_member_id:
      return reset(true, "a commit was refused: UNKNOWN_MEMBER_ID");
    case ErrorCode::fenced_instance_id:
      return fence("OffsetCommit");
    default:
      return;
  }
}

std::optional<Failure> Membership::take_failure() {
  return std::exchange(failure_, std::nullopt);
}

// ---- what goes wrong

void Membership::again_soon(std::string why, Time now) {
  last_error_ = std::move(why);
  not_before_ = now + backoff_.next();
}

void Membership::report(const char* api, std::error_code code, Time now) {
  failure_ = Failure{code, fmt::format("{} of group '{}'", api, settings_.group_id)};
  again_soon(failure_->message(), now);
}

void Membership::on_failed(const char* api, const Failure& why, Time now) {
  enter(State::unjoined, now);
  again_soon(fmt::format("{}: {}", api, why.message()), now);
  if (is_retriable(why) || why.code == Errc::closed || why.code == Errc::not_found) return;
  failure_ = Failure{why.code, fmt::format("{} of group '{}': {}", api, settings_.group_id, why.subject)};
}

void Membership::on_nonsense(const char* api, const std::string& what, Time now) {
  enter(State::unjoined, now);
  failure_ = Failure{make_error_code(Errc::corrupt_data),
                     fmt::format("{} of group '{}' was answered with {}", api, settings_.group_id, what)};
  again_soon(failure_->message(), now);
}

void Membership::fence(const char* api) {
  fatal_ = Failure{make_error_code(ErrorCode::fenced_instance_id),
                   fmt::format("{} of group '{}': another consumer has taken the place of group.instance.id={}", api,
                               settings_.group_id, settings_.instance_id.value_or(""))};
  reset(true, "fenced");
}

void Membership::on_error(const char* api, ErrorCode error, Time now) {
  const std::string name = fmt::format("{}: {}", api, protocol::to_string(error));
  switch (error) {
    case ErrorCode::fenced_instance_id:
      return fence(api);
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      reset(error == ErrorCode::unknown_member_id, name);
      break;
    case ErrorCode::rebalance_in_progress:
      enter(State::unjoined, now);
      request_rejoin("the group rebalances");
      break;
    case ErrorCode::unknown_server_error:
      enter(State::unjoined, now);
      return report(api, make_error_code(error), now);
    default:
      enter(State::unjoined, now);
      rejoin_needed_ = true;
      if (!protocol::is_retriable(error)) return report(api, make_error_code(error), now);
      return again_soon(name, now);
  }
  last_error_ = name;
  if (++quick_retries_ > kQuickRetries) again_soon(name, now);
}

// ---- in words

std::string Membership::explain(const Surroundings& around) const {
  if (fatal_) return fatal_->message();
  const auto error = last_error_.empty() ? std::string() : "; the last error: " + last_error_;
  const auto why = rejoin_reason_.empty() ? std::string() : " (" + rejoin_reason_ + ")";
  if (!around.coordinator_known && state_ != State::joining) {
    return "looks for the group's coordinator" + why + error;
  }
  const double seconds = seconds_between(since_, around.now);
  switch (state_) {
    case State::joining:
      return fmt::format("waits for a rebalance: the other members have to join, for {:.1f} s{}{}", seconds, why,
                         error);
    case State::syncing:
      return fmt::format("{}, for {:.1f} s{}",
                         leader_ ? "deals out the partitions as the leader" : "waits for the leader's assignment",
                         seconds, error);
    case State::unjoined:
      if (poll_was_late_) return "has left the group" + why + ": the next poll joins it again";
      if (in_turn_) return "waits for poll, to join" + why + error;
      return "is about to join" + why + error;
    case State::stable:
      break;
  }
  const std::string member =
      fmt::format("member {} of generation {}{}", generation_.member_id, generation_.id, leader_ ? ", the leader" : "");
  if (in_turn_) return member + "; waits for poll, to " + (rejoin_needed_ ? "rejoin" + why : "take its partitions");
  return rejoin_needed_ ? member + "; is about to rejoin" + why : member + error;
}

}  // namespace barnabas::client
