#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "client/consumer/group/coordinator.h"
#include "client/core/errors.h"

// The half of GroupCoordinator that commits offsets, and starts partitions where the group committed.
namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using runtime::MonotonicTime;
using Phase = PartitionState::Phase;

}  // namespace

Offsets GroupCoordinator::positions() const {
  const std::lock_guard lock(state_->mutex);
  Offsets offsets;
  for (const auto& [where, state] : state_->positions.all()) {
    if (!state.has_position() || state.position.offset < 0) continue;
    offsets.emplace(where, OffsetAndMetadata{state.position.offset, state.position.offset_epoch, ""});
  }
  return offsets;
}

bool GroupCoordinator::is_member() const {
  const std::lock_guard lock(mutex_);
  return machine_.is_wanted() && machine_.generation().id != Generation::kNone && !machine_.fatal();
}

/// In whose name is committed: a member of a stable generation, or nobody's where partitions are assigned by hand.
Result<Generation> GroupCoordinator::committer() const {
  const std::lock_guard lock(mutex_);
  if (!machine_.is_wanted()) return Generation{};
  if (machine_.fatal()) return failure(*machine_.fatal());
  const std::string subject = fmt::format("commit in group '{}'", options_.settings.membership.group_id);
  switch (machine_.state()) {
    case Membership::State::stable:
      return machine_.generation();
    case Membership::State::joining:
    case Membership::State::syncing:
      return failure(make_error_code(ErrorCode::rebalance_in_progress),
                     subject + ": the group rebalances; call poll, then commit again");
    case Membership::State::unjoined:
      break;
  }
  return failure(make_error_code(ErrorCode::unknown_member_id),
                 fmt::format("{}: this consumer is no member of the group now ({}); nothing was committed", subject,
                             machine_.rejoin_reason()));
}

asio::awaitable<Result<void>> GroupCoordinator::commit(Offsets offsets, MonotonicTime deadline, Retry retry) {
  const auto self = shared_from_this();
  if (offsets.empty()) co_return Result<void>{};
  Backoff backoff(state_->settings.retry_backoff, state_->settings.retry_backoff_max, state_->runtime->random());
  for (int attempts = 1;; ++attempts) {
    const auto member = committer();
    if (!member) co_return failure(member.error());
    const auto opened = co_await link_->connect(Channel::main, deadline);
    if (!opened) co_return failure(opened.error());
    const ConnectionPtr connection = *opened;
    const auto until = router_->within_request_timeout(deadline);
    auto done = co_await send_offset_commit(connection, options_.settings.membership, *member, offsets, until);
    if (done) co_return done;
    const Failure why = done.error();
    link_->forget_if_lost(connection->broker_id(), why);
    if (why.code.category() == protocol::kafka_category()) {
      const std::lock_guard lock(mutex_);
      machine_.on_commit(*member, static_cast<ErrorCode>(why.code.value()));
    }
    kick();
    const bool is_moot = retry == Retry::known_topics && why.code == ErrorCode::unknown_topic_or_partition;
    if (retry == Retry::never || is_moot || !is_retriable(why)) co_return done;
    const auto next = state_->runtime->now() + backoff.next();
    if (next >= deadline) {
      co_return failure(
          Errc::timed_out,
          fmt::format("commit in group '{}' at broker {} after {} attempts; the last cause: {}",
                      options_.settings.membership.group_id, connection->broker_id(), attempts, why.message()));
    }
    const auto slept = co_await router_->sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
}

asio::awaitable<void> GroupCoordinator::auto_commit(Self self, Offsets offsets) {
  const auto deadline = self->router_->deadline_in(self->state_->settings.request_timeout);
  const auto done = co_await self->commit(std::move(offsets), deadline, Retry::never);
  if (done || done.error().code == Errc::closed) co_return;
  const bool is_moot = done.error().code == ErrorCode::rebalance_in_progress;
  const auto level = is_moot ? runtime::LogLevel::debug : runtime::LogLevel::warn;
  if (self->router_->logger().enabled(level)) {
    if (is_moot) {
      self->router_->logger().debug("auto commit: {}", done.error().message());
    } else {
      self->router_->logger().warn("auto commit: {}", done.error().message());
    }
  }
}

/// By enable.auto.commit, before partitions go: what has been worked on now that poll is there.
Offsets GroupCoordinator::offsets_before_leaving() const {
  if (!options_.settings.auto_commit || (is_subscribed() && !is_member())) return {};
  return positions();
}

asio::awaitable<void> GroupCoordinator::commit_before_leaving(Offsets offsets, MonotonicTime deadline) {
  if (offsets.empty()) co_return;
  const auto done = co_await commit(std::move(offsets), deadline, Retry::known_topics);
  if (!done) router_->logger().warn("auto commit before partitions go: {}", done.error().message());
}

asio::awaitable<void> GroupCoordinator::finish_background_commits(MonotonicTime deadline) {
  if (background_commits_ == 0) co_return;
  commits_over_ = state_->runtime->make_gate();
  const auto gate = commits_over_;
  co_await gate->wait(deadline);
}

void GroupCoordinator::end_background_commit() {
  if (--background_commits_ > 0) return;
  if (const auto over = std::exchange(commits_over_, nullptr)) over->open();
}

asio::awaitable<Result<CommittedOffsets>> GroupCoordinator::committed(std::vector<TopicPartition> partitions,
                                                                      MonotonicTime deadline) {
  const auto self = shared_from_this();
  const std::string group_id = options_.settings.membership.group_id;
  if (partitions.empty()) co_return CommittedOffsets{};
  std::sort(partitions.begin(), partitions.end());
  partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  Backoff backoff(state_->settings.retry_backoff, state_->settings.retry_backoff_max, state_->runtime->random());
  for (int attempts = 1;; ++attempts) {
    const auto opened = co_await link_->connect(Channel::main, deadline);
    if (!opened) co_return failure(opened.error());
    const ConnectionPtr connection = *opened;
    const auto until = router_->within_request_timeout(deadline);
    auto found = co_await send_offset_fetch(connection, group_id, partitions, until);
    if (found) co_return found;
    const Failure why = found.error();
    link_->forget_if_lost(connection->broker_id(), why);
    if (!is_retriable(why)) co_return found;
    const auto next = state_->runtime->now() + backoff.next();
    if (next >= deadline) {
      co_return failure(Errc::timed_out, fmt::format("the committed offsets of group '{}' from broker {} after {} "
                                                     "attempts; the last cause: {}",
                                                     group_id, connection->broker_id(), attempts, why.message()));
    }
    const auto slept = co_await router_->sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
}

// ---- where partitions start

void GroupCoordinator::find_starts() {
  asio::post(state_->runtime->executor(), [self = shared_from_this()] {
    if (self->closed_ || std::exchange(self->finding_starts_, true)) return;
    self->state_->runtime->spawn(start_positions(self));
  });
}

std::map<TopicPartition, std::uint64_t> GroupCoordinator::waiting_for_start() const {
  const std::lock_guard lock(state_->mutex);
  std::map<TopicPartition, std::uint64_t> waiting;
  for (const auto& [where, state] : state_->positions.all()) {
    if (state.phase == Phase::awaiting_committed && !state.stuck) waiting.emplace(where, state.generation);
  }
  return waiting;
}

asio::awaitable<void> GroupCoordinator::start_positions(Self self) {
  Backoff backoff(self->state_->settings.retry_backoff, self->state_->settings.retry_backoff_max,
                  self->state_->runtime->random());
  for (;;) {
    const auto asked = self->waiting_for_start();
    if (asked.empty() || self->closed_) break;
    std::vector<TopicPartition> partitions;
    for (const auto& [where, generation] : asked) partitions.push_back(where);
    const auto deadline = self->router_->deadline_in(self->state_->settings.request_timeout);
    const auto found = co_await self->committed(std::move(partitions), deadline);
    if (!found && found.error().code == Errc::closed) break;
    const bool again = self->take_starts(asked, found);
    self->state_->notify();
    self->fetcher_->kick();
    if (!again) {
      backoff.reset();
      continue;
    }
    const auto slept = co_await self->router_->sleep_until(self->state_->runtime->now() + backoff.next());
    if (!slept) break;
  }
  self->finding_starts_ = false;
}

/// Whether they are to be asked for again.
bool GroupCoordinator::take_starts(const std::map<TopicPartition, std::uint64_t>& asked,
                                   const Result<CommittedOffsets>& found) {
  const bool may_pass = !found && is_retriable(found.error());
  const std::lock_guard lock(state_->mutex);
  for (const auto& [where, generation] : asked) {
    PartitionState* state = state_->positions.find(where);
    if (state == nullptr || state->generation != generation || state->phase != Phase::awaiting_committed) continue;
    if (found) {
      const auto& committed = found->at(where);
      state_->positions.on_committed(
          *state, committed ? std::optional(Position{committed->offset, committed->leader_epoch}) : std::nullopt);
      if (state->stuck) state_->maybe_stuck = true;
      continue;
    }
    ++state->failures;
    state->last_error = found.error().message();
    if (may_pass) continue;
    state->stuck = found.error();
    state_->maybe_stuck = true;
  }
  return may_pass;
}

}  // namespace barnabas::client
