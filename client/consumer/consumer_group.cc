#include <fmt/format.h>
#include <asio/post.hpp>

#include <algorithm>

#include "client/consumer/consumer_impl.h"
#include "client/core/errors.h"
#include "common/protocol/limits.h"

// The half of ConsumerImpl that belongs to its group: subscriptions, commits, and the calls to the user's functions.
namespace barnabas::client {
namespace {

constexpr std::chrono::milliseconds kExecutorGrace{200};  // what a call gives an executor to notice its deadline

tl::unexpected<Failure> no_group(const char* what) {
  return failure(Errc::invalid_argument,
                 fmt::format("{} needs the setting group.id: without a group nobody shares partitions, and nothing is "
                             "committed",
                             what));
}

asio::awaitable<void> leave_and_tell(std::shared_ptr<GroupCoordinator> group, std::shared_ptr<SharedState> state,
                                     GroupCoordinator::Leaving how, std::shared_ptr<std::atomic<bool>> ended) {
  co_await group->leave(std::move(how));
  *ended = true;
  state->notify();
}

}  // namespace

// ---- subscriptions

Result<void> ConsumerImpl::subscribe(const Result<Subscription>& subscription, RebalanceListener listener) {
  if (group_ == nullptr) return no_group("subscribe");
  if (!subscription) return failure(subscription.error());
  if (subscription->is_empty()) return unsubscribe();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return failure(Errc::closed, "the consumer is closed");
    if (!group_->is_subscribed() && !state_->positions.all().empty()) {
      return failure(Errc::invalid_argument,
                     "subscribe: partitions are assigned by assign(); unsubscribe() first, or assign none");
    }
  }
  group_->subscribe(*subscription, std::move(listener));
  return {};
}

std::vector<std::string> ConsumerImpl::subscription() const {
  return group_ == nullptr ? std::vector<std::string>() : group_->subscription();
}

Result<void> ConsumerImpl::unsubscribe() {
  if (group_ == nullptr || !group_->is_subscribed()) return assign({});
  if (const auto allowed = refuse_in_call("unsubscribe"); !allowed) return allowed;
  GroupCoordinator::Leaving how;
  how.deadline = router_->deadline_in(state_->settings.default_api_timeout);
  how.reason = "the consumer unsubscribed from all topics";
  how.commit = false;  // as Kafka: what was polled may not be worked on yet
  return leave_group(std::move(how));
}

Result<void> ConsumerImpl::enforce_rebalance(const std::string& reason) {
  if (group_ == nullptr) return no_group("enforce_rebalance");
  if (!group_->is_subscribed()) return failure(Errc::invalid_argument, "enforce_rebalance: nothing is subscribed");
  group_->enforce_rebalance(reason);
  return {};
}

Result<ConsumerGroupMetadata> ConsumerImpl::group_metadata() const {
  if (group_ == nullptr) return no_group("group_metadata");
  return group_->metadata();
}

/// The listener is called here, in the thread of the caller.
Result<void> ConsumerImpl::leave_group(GroupCoordinator::Leaving how) {
  if (state_->runtime->is_current_thread()) {
    return failure(Errc::would_deadlock, "leaving a group on the client's own reactor thread");
  }
  auto give_up = how.deadline < runtime::MonotonicTime::max() ? how.deadline + kExecutorGrace : how.deadline;
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  state_->runtime->spawn(leave_and_tell(group_, state_, std::move(how), ended));
  for (;;) {
    const std::uint64_t seen = state_->events.load();
    const bool has_ended = *ended;  // before the calls are taken: none comes behind
    const auto calls = group_->desk().take_calls();
    make_calls(calls);
    if (has_ended) return failure_of_user();
    if (!calls.empty()) give_up = std::max(give_up, state_->runtime->now() + kExecutorGrace);
    if (state_->runtime->now() >= give_up) {
      return failure(Errc::timed_out, "the executor that the client was given does not run");
    }
    state_->signal->wait_until(give_up, [&] { return state_->events.load() != seen; });
  }
}

/// What the user's functions threw and no poll has reported: the first is the caller's.
Result<void> ConsumerImpl::failure_of_user() {
  const auto failures = group_->desk().take_failures(make_error_code(ConsumerErrc::listener_failed));
  if (failures.empty()) return {};
  for (auto more = failures.begin() + 1; more != failures.end(); ++more) router_->logger().warn("{}", more->message());
  return failure(failures.front());
}

// ---- the user's functions

Result<void> ConsumerImpl::refuse_in_call(const char* what) const {
  if (!in_call_) return {};
  return failure(
      Errc::would_deadlock,
      fmt::format("{} from a rebalance listener or a commit callback, which a call under way waits for", what));
}

void ConsumerImpl::make_calls(const std::vector<PollerDesk::Call>& calls) {
  if (calls.empty()) return;
  in_call_ = true;
  for (const auto& call : calls) call();
  in_call_ = false;
}

Result<bool> ConsumerImpl::serve_group() {
  if (group_ == nullptr || !group_->desk().is_needed()) return false;
  auto duty = group_->desk().take();
  if (!duty.calls.empty()) {
    group_->leave_poll();  // a listener that takes too long is as absent as a program that does
    make_calls(duty.calls);
    group_->enter_poll();
  }
  if (duty.failure) return failure(std::move(*duty.failure));
  return duty.in_turn;
}

asio::awaitable<Result<bool>> ConsumerImpl::serve_group_off_reactor() {
  if (group_ == nullptr || !group_->desk().is_needed()) co_return false;
  const auto duty = std::make_shared<PollerDesk::Duty>(group_->desk().take());
  if (!duty->calls.empty()) {
    group_->leave_poll();
    std::function<void()> work = [self = this, duty] { self->make_calls(duty->calls); };
    co_await run_off_reactor(std::move(work));
    group_->enter_poll();
  }
  if (duty->failure) co_return failure(*duty->failure);
  co_return duty->in_turn;
}

// ---- commits

Result<Offsets> ConsumerImpl::offsets_to_commit(std::optional<Offsets> offsets) const {
  if (group_ == nullptr) return no_group("commit");
  if (!offsets) return group_->positions();
  for (const auto& [where, committed] : *offsets) {
    if (committed.offset < 0 || where.topic.empty() || where.partition < 0) {
      return failure(Errc::invalid_argument,
                     fmt::format("commit of offset {} of '{}'", committed.offset, where.to_string()));
    }
    if (committed.metadata.size() > protocol::kMaxTextBytes) {
      return failure(Errc::invalid_argument,
                     fmt::format("commit of {}: {} bytes of metadata are more than a request can carry",
                                 where.to_string(), committed.metadata.size()));
    }
  }
  return std::move(*offsets);
}

Result<void> ConsumerImpl::commit_sync(std::optional<Offsets> offsets,
                                       std::optional<std::chrono::milliseconds> timeout) {
  auto what = offsets_to_commit(std::move(offsets));
  if (!what) return failure(what.error());
  const auto deadline = router_->deadline_in(timeout.value_or(state_->settings.default_api_timeout));
  return state_->runtime->wait(group_->commit(std::move(*what), deadline, GroupCoordinator::Retry::usual),
                               deadline + kExecutorGrace);
}

asio::awaitable<void> ConsumerImpl::commit_in_background(std::shared_ptr<GroupCoordinator> group,
                                                         std::shared_ptr<SharedState> state, Offsets offsets,
                                                         runtime::MonotonicTime deadline, CommitCallback callback) {
  const GroupCoordinator::BackgroundCommit under_way(*group);
  auto result = std::make_shared<CommitResult>();
  result->offsets = offsets;
  const auto done = co_await group->commit(std::move(offsets), deadline, GroupCoordinator::Retry::never);
  if (!done) {
    result->error = done.error().code;
    result->context = done.error().subject;
  }
  if (!callback) co_return;
  group->desk().put_call([callback = std::move(callback), result, weak = std::weak_ptr(group)] {
    std::string what;
    try {
      return callback(*result);
    } catch (const std::exception& error) {
      what = error.what();
    } catch (...) {
      what = "an exception that is no std::exception";
    }
    if (const auto again = weak.lock()) {
      again->desk().report({make_error_code(ConsumerErrc::listener_failed), "the commit callback threw: " + what});
    }
  });
  state->notify();
}

Result<void> ConsumerImpl::commit_async(std::optional<Offsets> offsets, CommitCallback callback) {
  auto what = offsets_to_commit(std::move(offsets));
  if (!what) return failure(what.error());
  const auto deadline = router_->deadline_in(state_->settings.default_api_timeout);
  state_->runtime->spawn(commit_in_background(group_, state_, std::move(*what), deadline, std::move(callback)));
  return {};
}

namespace {

asio::awaitable<void> commit_for(std::shared_ptr<GroupCoordinator> group, Offsets offsets,
                                 runtime::MonotonicTime deadline, std::shared_ptr<Handler<std::error_code>> handler) {
  const auto done = co_await group->commit(std::move(offsets), deadline, GroupCoordinator::Retry::usual);
  (*handler)(done ? std::error_code() : done.error().code);
}

}  // namespace

void ConsumerImpl::start_commit(std::optional<Offsets> offsets, Handler<std::error_code> done) {
  auto what = offsets_to_commit(std::move(offsets));
  if (!what) return done(what.error().code);
  const auto deadline = router_->deadline_in(state_->settings.default_api_timeout);
  auto handler = std::make_shared<Handler<std::error_code>>(std::move(done));
  state_->runtime->spawn(commit_for(group_, std::move(*what), deadline, std::move(handler)));
}

Result<CommittedOffsets> ConsumerImpl::committed(const std::vector<TopicPartition>& partitions) {
  if (group_ == nullptr) return no_group("committed");
  const auto deadline = router_->deadline_in(state_->settings.default_api_timeout);
  return state_->runtime->wait(group_->committed(partitions, deadline), deadline + kExecutorGrace);
}

Result<std::optional<std::int64_t>> ConsumerImpl::lag(const TopicPartition& partition) const {
  const std::lock_guard lock(state_->mutex);
  const PartitionState* state = state_->positions.find(partition);
  if (state == nullptr) return failure(Errc::invalid_argument, partition.to_string() + " is not assigned");
  const std::int64_t end = state_->settings.read_committed ? state->last_stable_offset : state->high_watermark;
  if (end < 0 || !state->has_position()) return std::optional<std::int64_t>();
  return std::optional(std::max<std::int64_t>(0, end - state->position.offset));
}

}  // namespace barnabas::client
