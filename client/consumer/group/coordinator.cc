#include "client/consumer/group/coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <tuple>
#include <utility>

#include "client/core/consumer_protocol.h"
#include "client/core/errors.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/sync_group.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using runtime::MonotonicTime;
using Do = Membership::Do;

/// What Kafka's client adds to the time that a join may take at the coordinator.
constexpr std::chrono::seconds kJoinGrace{5};
constexpr std::size_t kLongestReason = 255;  // KIP-800
constexpr std::int16_t kFirstBatchedLeave = 3;

std::string shortened(std::string reason) {
  if (reason.size() > kLongestReason) reason.resize(kLongestReason);
  return reason;
}

}  // namespace

GroupCoordinator::GroupCoordinator(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router,
                                   std::shared_ptr<Fetcher> fetcher, Options options)
    : state_(std::move(state)),
      router_(std::move(router)),
      fetcher_(std::move(fetcher)),
      options_(std::move(options)),
      link_(std::make_shared<CoordinatorLink>(router_, options_.settings.membership.group_id)),
      machine_(options_.settings.membership,
               Backoff(state_->settings.retry_backoff, state_->settings.retry_backoff_max, state_->runtime->random())),
      polled_at_(state_->runtime->now().time_since_epoch().count()) {}

// ---- what the user's threads ask for

void GroupCoordinator::subscribe(Subscription subscription, RebalanceListener listener) {
  const auto now = state_->runtime->now();
  router_->metadata().want_all_topics(subscription.pattern != nullptr);
  for (const std::string& topic : subscription.topics) router_->metadata().want_topic(topic, now);
  {
    const std::lock_guard lock(mutex_);
    const bool is_other = subscription.pattern_text != subscription_.pattern_text ||
                          (subscription.pattern == nullptr && subscription.topics != subscription_.topics);
    if (is_other) subscription_ = std::move(subscription);
    listener_ = std::move(listener);
    machine_.start();
    if (is_other) machine_.request_rejoin("the subscription has changed");
  }
  router_->request_metadata_update();
  kick();
}

bool GroupCoordinator::is_subscribed() const {
  const std::lock_guard lock(mutex_);
  return machine_.is_wanted();
}

std::vector<std::string> GroupCoordinator::subscription() const {
  const std::lock_guard lock(mutex_);
  return {subscription_.topics.begin(), subscription_.topics.end()};
}

void GroupCoordinator::enforce_rebalance(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    machine_.request_rejoin(reason);
  }
  kick();
}

ConsumerGroupMetadata GroupCoordinator::metadata() const {
  const std::lock_guard lock(mutex_);
  const Generation& member = machine_.generation();
  return {options_.settings.membership.group_id, member.id, member.member_id, options_.settings.membership.instance_id};
}

std::string GroupCoordinator::explain() const {
  const std::lock_guard lock(mutex_);
  if (!machine_.is_wanted()) return {};
  const Membership::Surroundings around = surroundings();
  std::string text = fmt::format("group '{}': {}", options_.settings.membership.group_id, machine_.explain(around));
  if (!around.coordinator_known && !coordinator_error_.empty()) text += "; the last error: " + coordinator_error_;
  return text + '\n';
}

void GroupCoordinator::enter_poll() {
  const auto now = state_->runtime->now();
  polled_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  in_poll_.store(true, std::memory_order_release);
  commit_if_due(now);
}

MonotonicTime GroupCoordinator::commit_if_due(MonotonicTime now) {
  if (!options_.settings.auto_commit) return MonotonicTime::max();
  const auto due = next_auto_commit_.load(std::memory_order_relaxed);
  if (now.time_since_epoch().count() < due) return MonotonicTime(MonotonicTime::duration(due));
  const auto next = now + options_.settings.auto_commit_interval;
  next_auto_commit_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
  if (due == 0) return next;
  auto offsets = positions();
  if (offsets.empty()) return next;
  asio::post(state_->runtime->executor(), [self = shared_from_this(), offsets = std::move(offsets)]() mutable {
    if (!self->closed_) self->state_->runtime->spawn(auto_commit(self, std::move(offsets)));
  });
  return next;
}

void GroupCoordinator::leave_poll() {
  polled_at_.store(state_->runtime->now().time_since_epoch().count(), std::memory_order_relaxed);
  in_poll_.store(false, std::memory_order_release);
}

Membership::Surroundings GroupCoordinator::surroundings() const {
  Membership::Surroundings around;
  around.now = state_->runtime->now();
  around.coordinator_known = coordinator_known_;
  const MonotonicTime polled_at{MonotonicTime::duration(polled_at_.load(std::memory_order_relaxed))};
  around.polled_at = in_poll_.load(std::memory_order_acquire) ? around.now : polled_at;
  return around;
}

// ---- what the machine asks for

void GroupCoordinator::kick() {
  if (kicked_.exchange(true)) return;
  asio::post(state_->runtime->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->advance();
  });
}

void GroupCoordinator::advance() {
  kicked_ = false;
  if (closed_ || leaving_) return;
  look_at_metadata();
  for (;;) {
    coordinator_known_ = link_->broker().has_value();
    Membership::Action action;
    {
      const std::lock_guard lock(mutex_);
      action = machine_.next(surroundings());
    }
    if (action.what == Do::nothing) {
      arm_timer(action.until);
      break;
    }
    start(action);
  }
  publish();
}

void GroupCoordinator::start(const Membership::Action& action) {
  const auto self = shared_from_this();
  auto& runtime = *state_->runtime;
  switch (action.what) {
    case Do::nothing:
      return;
    case Do::find_coordinator:
      return runtime.spawn(find_coordinator(self));
    case Do::forget_coordinator:
      if (const auto broker = link_->broker()) link_->forget(*broker, "no answer within session.timeout.ms");
      return;
    case Do::prepare:
      turn_over_ = runtime.make_gate();
      return runtime.spawn(prepare(self));
    case Do::complete:
      turn_over_ = runtime.make_gate();
      return runtime.spawn(complete(self));
    case Do::join:
      return runtime.spawn(join(self));
    case Do::sync:
      return runtime.spawn(sync(self));
    case Do::heartbeat:
      return runtime.spawn(heartbeat(self, action.who));
    case Do::leave: {
      const std::string reason = "consumer poll timeout has expired";
      router_->logger().warn(
          "poll was not called for max.poll.interval.ms={}: leaving group '{}'; the partitions go to others, and the "
          "next poll joins again. Take less time between polls, or fewer records (max.poll.records)",
          options_.settings.membership.max_poll_interval.count(), options_.settings.membership.group_id);
      const auto deadline = router_->deadline_in(state_->settings.request_timeout);
      return runtime.spawn(send_off(self, action.who, reason, deadline));
    }
  }
}

/// What poll has to know.
void GroupCoordinator::publish() {
  std::optional<Failure> failure;
  std::optional<Failure> fatal;
  {
    const std::lock_guard lock(mutex_);
    failure = machine_.take_failure();
    fatal = machine_.fatal();
    coordinator_error_ = link_->last_error();
  }
  const bool any = failure || fatal;
  if (failure) desk_.report(std::move(*failure));
  desk_.set_fatal(std::move(fatal));
  if (any) state_->notify();
}

void GroupCoordinator::arm_timer(MonotonicTime when) {
  if (when == timer_at_) return;
  const auto& timers = state_->runtime->timers();
  timers->cancel(timer_);
  timer_at_ = when;
  if (when == MonotonicTime::max()) return;
  timer_ = timers->add(when, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->timer_at_ = MonotonicTime::max();
    self->kick();
  });
}

asio::awaitable<void> GroupCoordinator::find_coordinator(Self self) {
  const auto deadline = self->router_->deadline_in(self->state_->settings.request_timeout);
  const auto found = co_await self->link_->find(deadline);
  {
    const std::lock_guard lock(self->mutex_);
    self->machine_.on_coordinator_asked(found, self->state_->runtime->now());
  }
  self->kick();
}

// ---- joining

asio::awaitable<void> GroupCoordinator::join(Self self) {
  const std::uint64_t attempt = self->machine_.attempt();
  const auto answer = co_await self->join_once(attempt);
  {
    const std::lock_guard lock(self->mutex_);
    self->machine_.on_join(attempt, answer, self->state_->runtime->now());
  }
  self->kick();
}

asio::awaitable<Result<Membership::JoinAnswer>> GroupCoordinator::join_once(std::uint64_t attempt) {
  const auto patience = router_->deadline_in(state_->settings.request_timeout);
  bool is_by_pattern = false;
  {
    const std::lock_guard lock(mutex_);
    is_by_pattern = subscription_.pattern != nullptr;
  }
  if (is_by_pattern) {
    const auto fresh = co_await router_->refresh_metadata(patience);
    if (!fresh) co_return failure(fresh.error());
    look_at_metadata();
  }
  auto request = join_request();
  if (!request) co_return failure(request.error());
  const auto opened = co_await link_->connect(Channel::coordinator, patience);
  if (!opened) co_return failure(opened.error());
  const ConnectionPtr connection = *opened;
  const auto longest = std::max(options_.settings.membership.max_poll_interval + kJoinGrace,
                                std::chrono::milliseconds(state_->settings.request_timeout));
  const auto deadline = router_->deadline_in(longest);
  auto reply = co_await connection->call<protocol::JoinGroupResponse>(std::move(*request), deadline);
  if (!reply) {
    link_->forget_if_lost(connection->broker_id(), reply.error());
    co_return failure(reply.error());
  }
  const auto error = static_cast<ErrorCode>(reply->body.error_code);
  link_->forget_if_lost(connection->broker_id(), Failure{make_error_code(error), "JoinGroup"});
  if (attempt != machine_.attempt()) co_return failure(Errc::cancelled, "an answer to an earlier JoinGroup");
  co_return take_join_answer(std::move(reply->body));
}

Result<protocol::JoinGroupRequest> GroupCoordinator::join_request() {
  MemberSubscription told;
  told.owned_partitions = assignment();
  if (!state_->settings.client_rack.empty()) told.rack_id = state_->settings.client_rack;
  protocol::JoinGroupRequest request;
  {
    const std::lock_guard lock(mutex_);
    joined_ = subscription_;
    const Generation& member = machine_.generation();
    if (member.id != Generation::kNone) told.generation_id = member.id;
    request.member_id = member.member_id;
    request.reason = shortened(machine_.rejoin_reason());
  }
  told.topics.assign(joined_.topics.begin(), joined_.topics.end());
  const Membership::Settings& settings = options_.settings.membership;
  request.group_id = settings.group_id;
  request.group_instance_id = settings.instance_id;
  request.session_timeout_ms = static_cast<std::int32_t>(settings.session_timeout.count());
  request.rebalance_timeout_ms = static_cast<std::int32_t>(settings.max_poll_interval.count());
  request.protocol_type = kConsumerProtocolType;
  for (const auto& assignor : options_.assignors) {
    told.user_data = assignor->subscription_user_data(joined_.topics);
    auto bytes = encode_subscription(told);
    if (!bytes) return failure(bytes.error());
    auto& entry = request.protocols.emplace_back();
    entry.name = assignor->name();
    entry.metadata = std::move(*bytes);
  }
  return request;
}

Result<Membership::JoinAnswer> GroupCoordinator::take_join_answer(protocol::JoinGroupResponse answer) {
  Membership::JoinAnswer taken;
  taken.error = static_cast<ErrorCode>(answer.error_code);
  taken.generation = Generation{answer.generation_id, answer.member_id, answer.protocol_name.value_or("")};
  taken.is_leader = answer.leader == answer.member_id;
  members_.clear();
  group_topics_.clear();
  shapes_at_assignment_.clear();
  if (taken.error != ErrorCode::none) return taken;
  if (answer.protocol_type && *answer.protocol_type != kConsumerProtocolType) {
    taken.error = ErrorCode::inconsistent_group_protocol;
    return taken;
  }
  if (assignor_named(taken.generation.protocol) == nullptr) {
    return failure(Errc::corrupt_data, fmt::format("the coordinator chose the assignor '{}', which this consumer did "
                                                   "not offer",
                                                   taken.generation.protocol));
  }
  skip_assignment_ = answer.skip_assignment;
  for (auto& member : answer.members) {
    members_.push_back({std::move(member.member_id), std::move(member.group_instance_id), std::move(member.metadata)});
  }
  return taken;
}

asio::awaitable<void> GroupCoordinator::sync(Self self) {
  const std::uint64_t attempt = self->machine_.attempt();
  auto outcome = co_await self->sync_once();
  const bool is_given = outcome && outcome->error == ErrorCode::none && attempt == self->machine_.attempt();
  if (is_given) self->received_ = std::move(outcome->given);
  const Result<ErrorCode> answer = outcome ? Result<ErrorCode>(outcome->error) : failure(outcome.error());
  {
    const std::lock_guard lock(self->mutex_);
    self->machine_.on_sync(attempt, answer, self->state_->runtime->now());
  }
  self->kick();
}

asio::awaitable<Result<GroupCoordinator::SyncOutcome>> GroupCoordinator::sync_once() {
  const Generation member = machine_.generation();
  protocol::SyncGroupRequest request;
  request.group_id = options_.settings.membership.group_id;
  request.generation_id = member.id;
  request.member_id = member.member_id;
  request.group_instance_id = options_.settings.membership.instance_id;
  request.protocol_type = std::string(kConsumerProtocolType);
  request.protocol_name = member.protocol;
  if (machine_.is_leader()) {
    auto assignments = co_await assign_as_leader(member.protocol);
    if (!assignments) co_return failure(assignments.error());
    for (auto& [member_id, bytes] : *assignments) {
      auto& entry = request.assignments.emplace_back();
      entry.member_id = member_id;
      entry.assignment = std::move(bytes);
    }
  }
  const auto patience = router_->deadline_in(state_->settings.request_timeout);
  const auto opened = co_await link_->connect(Channel::coordinator, patience);
  if (!opened) co_return failure(opened.error());
  const ConnectionPtr connection = *opened;
  const auto deadline = router_->deadline_in(std::max(options_.settings.membership.max_poll_interval + kJoinGrace,
                                                      std::chrono::milliseconds(state_->settings.request_timeout)));
  const auto reply = co_await connection->call<protocol::SyncGroupResponse>(std::move(request), deadline);
  if (!reply) {
    link_->forget_if_lost(connection->broker_id(), reply.error());
    co_return failure(reply.error());
  }
  const auto error = static_cast<ErrorCode>(reply->body.error_code);
  if (error != ErrorCode::none) {
    link_->forget_if_lost(connection->broker_id(), Failure{make_error_code(error), "SyncGroup"});
    co_return SyncOutcome{error, {}};
  }
  const auto& [type, name] = std::tie(reply->body.protocol_type, reply->body.protocol_name);
  if ((type && *type != kConsumerProtocolType) || (name && *name != member.protocol)) {
    co_return SyncOutcome{ErrorCode::inconsistent_group_protocol, {}};
  }
  auto given = decode_assignment(reply->body.assignment);
  if (!given) co_return failure(given.error());
  co_return SyncOutcome{ErrorCode::none, std::move(*given)};
}

// ---- staying and leaving

asio::awaitable<void> GroupCoordinator::heartbeat(Self self, Generation member) {
  const std::uint64_t attempt = self->machine_.attempt();
  const auto& settings = self->options_.settings.membership;
  const auto deadline =
      self->router_->deadline_in(std::min(self->state_->settings.request_timeout, settings.session_timeout));
  Result<ErrorCode> answer = ErrorCode::none;
  const auto opened = co_await self->link_->connect(Channel::coordinator, deadline);
  if (opened) {
    const ConnectionPtr connection = *opened;
    protocol::HeartbeatRequest request;
    request.group_id = settings.group_id;
    request.generation_id = member.id;
    request.member_id = member.member_id;
    request.group_instance_id = settings.instance_id;
    const auto reply = co_await connection->call<protocol::HeartbeatResponse>(std::move(request), deadline);
    if (reply) {
      answer = static_cast<ErrorCode>(reply->body.error_code);
      self->link_->forget_if_lost(connection->broker_id(), Failure{make_error_code(*answer), "Heartbeat"});
    } else {
      answer = failure(reply.error());
      self->link_->forget_if_lost(connection->broker_id(), reply.error());
    }
  } else {
    answer = failure(opened.error());
  }
  {
    const std::lock_guard lock(self->mutex_);
    self->machine_.on_heartbeat(attempt, answer, self->state_->runtime->now());
  }
  self->kick();
}

asio::awaitable<void> GroupCoordinator::send_off(Self self, Generation member, std::string reason,
                                                 MonotonicTime deadline) {
  if (member.member_id.empty() || !self->link_->broker()) co_return;
  const auto opened = co_await self->link_->connect(Channel::main, deadline);
  if (!opened) co_return;
  const ConnectionPtr connection = *opened;
  const auto version = connection->version_for(protocol::ApiKey::leave_group);
  if (!version) co_return;
  const auto& settings = self->options_.settings.membership;
  protocol::LeaveGroupRequest request;
  request.group_id = settings.group_id;
  if (*version >= kFirstBatchedLeave) {
    auto& entry = request.members.emplace_back();
    entry.member_id = member.member_id;
    entry.group_instance_id = settings.instance_id;
    entry.reason = shortened(reason);
  } else {
    request.member_id = member.member_id;
  }
  const auto until = self->router_->within_request_timeout(deadline);
  const auto reply = co_await connection->call<protocol::LeaveGroupResponse>(std::move(request), until);
  if (!reply) self->router_->logger().debug("leaving group '{}': {}", settings.group_id, reply.error().message());
}

asio::awaitable<Result<void>> GroupCoordinator::leave(Leaving how) {
  const auto self = shared_from_this();
  leaving_ = true;
  if (!how.tell_user) abandon_listener();
  if (turn_granted_ != nullptr) turn_granted_->open();
  if (const auto over = turn_over_) {
    const GateResult waited = co_await over->wait(how.deadline);
    if (waited != GateResult::opened) abandon_listener();
  }
  if (how.commit) {
    Offsets worked_on = offsets_before_leaving();
    co_await commit_before_leaving(std::move(worked_on), how.deadline);
  }
  if (how.tell_user && is_subscribed()) co_await give_back_all();
  if (how.tell_user && how.for_good) co_await finish_background_commits(how.deadline);  // their callbacks are owed
  Generation member;
  {
    const std::lock_guard lock(mutex_);
    const Generation now = machine_.generation();
    const Generation usual = machine_.stop();
    member = how.membership == GroupMembership::usual ? usual : now;
    subscription_ = {};
    listener_ = {};
  }
  desk_.set_fatal(std::nullopt);
  router_->metadata().want_all_topics(false);
  if (!how.for_good) set_assignment({});
  leaving_ = false;
  closed_ = how.for_good;
  silent_ = closed_;
  if (closed_) state_->runtime->timers()->cancel(timer_);
  if (how.membership != GroupMembership::stay && !member.member_id.empty()) {
    if (how.for_good) {
      co_await send_off(self, member, how.reason, how.deadline);
    } else {
      state_->runtime->spawn(send_off(self, member, how.reason, how.deadline));
    }
  }
  co_return Result<void>{};
}

}  // namespace barnabas::client
