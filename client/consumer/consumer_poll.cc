#include <fmt/format.h>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>

#include "client/consumer/consumer_impl.h"
#include "client/core/errors.h"

// The half of ConsumerImpl that hands out records.
namespace barnabas::client {
namespace {

/// Tells the group that a poll is under way.
class PollScope {
 public:
  explicit PollScope(GroupCoordinator* group) : group_(group) {
    if (group_ != nullptr) group_->enter_poll();
  }
  ~PollScope() {
    if (group_ != nullptr) group_->leave_poll();
  }
  PollScope(const PollScope&) = delete;
  PollScope& operator=(const PollScope&) = delete;

 private:
  GroupCoordinator* const group_;
};

}  // namespace

Result<Records> ConsumerImpl::poll(std::chrono::milliseconds timeout) {
  if (timeout.count() > 0 && state_->runtime->is_current_thread()) {
    return failure(Errc::would_deadlock, "poll() on the client's own reactor thread; use async_poll");
  }
  if (const auto allowed = refuse_in_call("poll"); !allowed) return failure(allowed.error());
  polls_.fetch_add(1, std::memory_order_relaxed);
  const auto deadline = router_->deadline_in(timeout);
  const PollScope scope(group_.get());
  for (;;) {
    const std::uint64_t seen = state_->events.load();
    const auto in_turn = serve_group();
    if (!in_turn) return failure(in_turn.error());
    auto records = try_poll(*in_turn);
    if (!records) return failure(records.error());
    if (*records) return std::move(**records);
    fetcher_->kick();
    const auto now = state_->runtime->now();
    if (now >= deadline) return Records{};
    state_->signal->wait_until(next_look(now, deadline), [&] { return state_->events.load() != seen; });
  }
}

/// When a poll that waits has something to do though nothing happens.
runtime::MonotonicTime ConsumerImpl::next_look(runtime::MonotonicTime now, runtime::MonotonicTime deadline) {
  return group_ == nullptr ? deadline : std::min(deadline, group_->commit_if_due(now));
}

Result<std::optional<Records>> ConsumerImpl::try_poll(bool in_turn) {
  if (woken_.exchange(false)) return failure(Errc::woken_up, "wakeup() was called");
  if (in_turn) return std::optional<Records>();
  collected_runs_.clear();
  const auto collected = collect_ready(collected_runs_);
  if (!collected) return failure(collected.error());
  if (*collected == 0) {
    if (auto why = memory_failure()) return failure(std::move(*why));
    return std::optional<Records>();
  }
  Records records(std::move(collected_runs_));
  records_returned_.fetch_add(records.size(), std::memory_order_relaxed);
  for (const auto& interceptor : interceptors_) interceptor->on_records(records);
  return std::optional<Records>(std::move(records));
}

std::optional<Failure> ConsumerImpl::stuck_failure() {
  if (!state_->maybe_stuck) return std::nullopt;
  bool any = false;
  for (const auto& [where, state] : state_->positions.all()) {
    any |= state.stuck.has_value();
    if (!state.stuck || state.paused) continue;
    note_failure(state, *state.stuck, -1);
    return state.stuck;
  }
  state_->maybe_stuck = any;
  return std::nullopt;
}

void ConsumerImpl::note_failure(const PartitionState& state, const Failure& why, std::int64_t next_offset) {
  state_->poll_failure = PollFailure{state.partition, state.position.offset, next_offset, why.code};
}

std::optional<PollFailure> ConsumerImpl::poll_failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->poll_failure;
}

Result<std::size_t> ConsumerImpl::collect_ready(std::vector<RecordRun>& runs) {
  std::size_t collected = 0;
  bool waits_for_room = false;
  std::size_t at = 0;  // in the queue; paused partitions stay where they are
  const std::size_t most = state_->settings.max_poll_records;
  while (collected < most) {
    SharedState::Ready entry;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->closed) return failure(Errc::closed, "the consumer is closed");
      if (collected == 0) {
        state_->poll_failure.reset();
        if (auto why = stuck_failure()) return failure(std::move(*why));
      }
      if (at >= state_->ready.size()) break;
      entry = state_->ready[at];
      const PartitionState* state = state_->positions.find(*entry.partition);
      const auto here = state_->ready.begin() + static_cast<std::ptrdiff_t>(at);
      if (state == nullptr || state->generation != entry.generation || state->fetched.empty()) {
        state_->ready.erase(here);
        continue;
      }
      if (state->paused) {
        ++at;
        continue;
      }
    }
    const auto got = collect_one(entry, most - collected, runs);
    waits_for_room = !got && collected == 0 && got.error().code == Errc::buffer_full && may_get_room();
    if (waits_for_room) break;
    if (!got && collected == 0) return failure(got.error());
    if (!got) break;  // reported by the next poll
    collected += *got;
  }
  const std::lock_guard lock(state_->mutex);
  state_->hold_fetches = waits_for_room;
  return collected;
}

/// Whether room may come without the user's doing: fetches under way give back what they reserved and did not need.
bool ConsumerImpl::may_get_room() {
  const std::lock_guard lock(state_->mutex);
  const bool is_settled = state_->fetches_under_way == 0 && !fetches_at_try_ && state_->fetches == fetches_before_try_;
  if (is_settled) return false;
  state_->hold_fetches = true;
  state_->poll_failure.reset();
  return true;
}

Result<std::size_t> ConsumerImpl::collect_one(const SharedState::Ready& entry, std::size_t max_records,
                                              std::vector<RecordRun>& runs) {
  std::unique_lock lock(state_->mutex);
  PartitionState* state = state_->positions.find(*entry.partition);
  if (state == nullptr || state->fetched.empty()) return 0;
  CompletedFetch& fetched = state->fetched.front();
  Position position = state->position;
  state->collecting = true;
  fetches_at_try_ = state_->fetches_under_way > 0;
  fetches_before_try_ = state_->fetches;
  lock.unlock();
  auto got = fetched.collect(position, max_records, *state_->buffers, runs);
  record_bytes_.fetch_add(fetched.take_record_bytes(), std::memory_order_relaxed);
  const std::int64_t behind =
      got || got.error().code == Errc::buffer_full ? -1 : fetched.offset_behind_failure(position);
  const bool skip = !got && got.error().code != Errc::buffer_full && state_->settings.skip_corrupt_batches;
  if (skip) {
    router_->logger().warn("skipped by on.corrupt.batch=skip: {}", got.error().message());
    fetched.skip_batch(position);
    got = 0;
  }
  lock.lock();
  state->collecting = false;
  state->position = position;
  if (got && *got > 0) state->since = state_->runtime->now();
  if (!got) {
    state->last_error = got.error().message();
    note_failure(*state, got.error(), behind);
  }
  if (state->topic_gone) state_->positions.touch(*state);  // which waited for this
  if (!fetched.done()) return got;
  state_->positions.touch(*state);
  state->fetched.pop_front();
  if (state->fetched.empty() && state->next_fetch.offset != position.offset) state->next_fetch = position;
  if (state->fetched.empty()) state->fetch_ahead = true;
  const auto here = std::find_if(state_->ready.begin(), state_->ready.end(),
                                 [&](const SharedState::Ready& ready) { return ready.generation == entry.generation; });
  if (here != state_->ready.end()) state_->ready.erase(here);
  lock.unlock();
  fetcher_->kick();
  return got;
}

std::optional<Failure> ConsumerImpl::memory_failure() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->out_of_memory || state_->fetches_under_way > 0) return std::nullopt;
  if (state_->fetch_room() >= state_->room_wanted) return std::nullopt;  // freed since the last look
  return Failure{
      Errc::buffer_full,
      fmt::format(
          "buffer.memory={} has no room for a fetch of {} bytes: {} are held by Records of earlier polls that are "
          "still alive, {} by paused partitions",
          state_->budget->limit_bytes(), state_->room_wanted, state_->held_bytes(), state_->buffered_bytes())};
}

void ConsumerImpl::wakeup() noexcept {
  woken_ = true;
  state_->notify();
}

// ---- async_poll

void ConsumerImpl::wake_pollers() {
  if (!polls_async_.load()) return;
  asio::post(executor(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->poll_gate_ != nullptr) std::exchange(self->poll_gate_, nullptr)->open();
  });
}

bool ConsumerImpl::next_needs_decompression() {
  const std::lock_guard lock(state_->mutex);
  return std::any_of(state_->ready.begin(), state_->ready.end(), [this](const SharedState::Ready& entry) {
    const PartitionState* state = state_->positions.find(*entry.partition);
    return state != nullptr && !state->fetched.empty() && state->fetched.front().starts_compressed();
  });
}

asio::awaitable<void> ConsumerImpl::run_off_reactor(std::function<void()> work) {
  if (workers_ == nullptr) workers_ = state_->runtime->env().make_worker_pool("barnabas-consumer-work", 1);
  auto gate = state_->runtime->make_gate();
  asio::post(workers_->executor(), [self = shared_from_this(), gate, work = std::move(work)] {
    work();
    asio::post(self->executor(), [gate] { gate->open(); });
  });
  co_await gate->wait(runtime::MonotonicTime::max());
}

asio::awaitable<Result<std::optional<Records>>> ConsumerImpl::try_poll_off_reactor(bool in_turn) {
  if (in_turn || !next_needs_decompression()) co_return try_poll(in_turn);
  auto result = std::make_shared<Result<std::optional<Records>>>();
  std::function<void()> work = [self = this, result] { *result = self->try_poll(false); };
  co_await run_off_reactor(std::move(work));
  co_return std::move(*result);
}

asio::awaitable<void> ConsumerImpl::poll_async(std::shared_ptr<ConsumerImpl> self, runtime::MonotonicTime deadline,
                                               std::shared_ptr<const std::atomic<bool>> cancelled,
                                               Handler<std::error_code, Records> done) {
  const PollScope scope(self->group_.get());
  for (;;) {
    if (*cancelled) {
      done(make_error_code(Errc::cancelled), Records{});
      co_return;
    }
    const std::uint64_t seen = self->state_->events.load();
    const auto in_turn = co_await self->serve_group_off_reactor();
    if (!in_turn) {
      done(in_turn.error().code, Records{});
      co_return;
    }
    const bool waits = *in_turn;
    auto records = co_await self->try_poll_off_reactor(waits);
    if (!records || *records) {
      done(records ? std::error_code() : records.error().code, records ? std::move(**records) : Records{});
      co_return;
    }
    self->fetcher_->kick();
    const auto now = self->state_->runtime->now();
    if (now >= deadline) break;
    if (self->state_->events.load() != seen) continue;
    if (self->poll_gate_ == nullptr) self->poll_gate_ = self->state_->runtime->make_gate();
    const auto gate = self->poll_gate_;
    const auto until = self->next_look(now, deadline);
    co_await gate->wait(until);
  }
  done(std::error_code(), Records{});
}

void ConsumerImpl::start_poll(std::chrono::milliseconds timeout, Handler<std::error_code, Records> done) {
  polls_.fetch_add(1, std::memory_order_relaxed);
  polls_async_ = true;
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  // Here, in the caller's thread: its cancellation slot may not be touched in ours.
  done.on_cancel([cancelled, state = state_] {
    *cancelled = true;
    state->notify();
  });
  const auto deadline = router_->deadline_in(timeout);
  state_->runtime->spawn(poll_async(shared_from_this(), deadline, std::move(cancelled), std::move(done)));
}

}  // namespace barnabas::client
