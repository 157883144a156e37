#include "client/consumer/consumer_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>

#include "client/consumer/group/strategy.h"
#include "client/core/errors.h"

namespace barnabas::client {
namespace {

constexpr std::chrono::milliseconds kAbandonTimeout{500};
constexpr std::chrono::milliseconds kExecutorGrace{200};  // what a call gives an executor to notice its deadline

/// Who hears of new metadata. Threads: the executor's.
struct MetadataListeners {
  std::weak_ptr<Fetcher> fetcher;
  std::weak_ptr<GroupCoordinator> group;
};

constexpr std::size_t kLongestClientId = 1000;  // a member's id is this and more, and has to fit into a request

/// As Kafka's consumer names itself; who looks at the group reads it there.
std::string default_client_id(const std::optional<GroupSettings>& group) {
  static std::atomic<int> last{0};
  if (!group) return fmt::format("consumer-{}", ++last);
  const Membership::Settings& member = group->membership;
  const std::string name = member.instance_id.value_or(std::to_string(++last));
  return fmt::format("consumer-{}-{}", member.group_id, name).substr(0, kLongestClientId);
}

Result<GroupCoordinator::Options> group_options(const GroupSettings& settings,
                                                const std::vector<std::shared_ptr<Assignor>>& own) {
  auto assignors = own.empty() ? assignors_named(settings.assignors) : own;
  if (!assignors) return failure(assignors.error());
  const auto protocol = shared_protocol(*assignors);
  if (!protocol) return failure(protocol.error());
  return GroupCoordinator::Options{settings, std::move(*assignors), *protocol};
}

}  // namespace

Result<std::shared_ptr<ConsumerImpl>> ConsumerImpl::make(const Config& config, ConsumerOptions options) {
  const auto parsed = consumer_config_table().parse(config.properties());
  if (!parsed) return failure(parsed.error());
  auto client = client_config_of(*parsed);
  if (!client) return failure(client.error());
  const auto checked = check_group_settings(*parsed);
  if (!checked) return failure(checked.error());
  auto settings = consumer_settings(*parsed);
  Result<GroupCoordinator::Options> group = GroupCoordinator::Options{};
  if (settings.group) group = group_options(*settings.group, options.assignors);
  if (!group) return failure(group.error());
  if (client->client_id.empty()) client->client_id = default_client_id(settings.group);
  const auto logger = make_logger(options.log, client->client_id);
  log_settings_without_effect(logger, *parsed);
  auto runtime = options.runtime ? options.runtime.internals() : ClientRuntime::make("barnabas-consumer");
  auto state = std::make_shared<SharedState>(runtime, settings);
  RequestRouter::Options router_options;
  router_options.metadata.max_age = client->metadata_max_age;
  router_options.metadata.allow_auto_topic_creation = settings.allow_auto_create_topics;
  router_options.config = std::move(*client);
  auto listeners = std::make_shared<MetadataListeners>();
  router_options.on_metadata_change = [listeners] {
    if (const auto fetcher = listeners->fetcher.lock()) fetcher->kick();
    if (const auto coordinator = listeners->group.lock()) coordinator->on_metadata_change();
  };
  auto router = RequestRouter::make(runtime, std::move(router_options), logger);
  auto impl = std::make_shared<ConsumerImpl>(state, router, std::move(options.interceptors));
  if (settings.group) {
    impl->group_ = std::make_shared<GroupCoordinator>(state, router, impl->fetcher_, std::move(*group));
  }
  asio::post(runtime->executor(), [listeners, fetcher = impl->fetcher_, coordinator = impl->group_] {
    listeners->fetcher = fetcher;
    listeners->group = coordinator;
  });
  state->wake_async = [weak = std::weak_ptr(impl)] {
    if (const auto self = weak.lock()) self->wake_pollers();
  };
  return impl;
}

ConsumerImpl::ConsumerImpl(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router,
                           std::vector<std::shared_ptr<ConsumerInterceptor>> interceptors)
    : state_(std::move(state)),
      router_(std::move(router)),
      fetcher_(std::make_shared<Fetcher>(state_, router_)),
      interceptors_(std::move(interceptors)) {}

// ---- assignment and positions

Result<void> ConsumerImpl::assign(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& where : partitions) {
    if (where.topic.empty() || where.partition < 0) {
      return failure(Errc::invalid_argument, fmt::format("assign: '{}' is no partition", where.to_string()));
    }
  }
  if (group_ != nullptr && group_->is_subscribed()) {
    return failure(Errc::invalid_argument,
                   "assign: this consumer has subscribed, so its group assigns partitions; "
                   "unsubscribe() first");
  }
  const auto now = state_->runtime->now();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return failure(Errc::closed, "the consumer is closed");
    const auto start = group_ == nullptr ? Positions::Start::by_policy : Positions::Start::committed;
    state_->positions.assign(partitions, now, start);
    state_->maybe_stuck = true;  // auto.offset.reset=none
  }
  bool is_new = false;
  for (const TopicPartition& where : partitions) is_new |= router_->metadata().want_topic(where.topic, now);
  if (is_new) router_->request_metadata_update();
  fetcher_->kick();
  if (group_ != nullptr) group_->find_starts();
  return {};
}

std::vector<TopicPartition> ConsumerImpl::assignment() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<TopicPartition> partitions;
  for (const auto& [where, state] : state_->positions.all()) partitions.push_back(where);
  return partitions;
}

Result<PartitionState*> ConsumerImpl::assigned(const TopicPartition& partition) {
  if (state_->closed) return failure(Errc::closed, "the consumer is closed");
  PartitionState* state = state_->positions.find(partition);
  if (state == nullptr) return failure(Errc::invalid_argument, partition.to_string() + " is not assigned");
  return state;
}

Result<void> ConsumerImpl::seek(const TopicPartition& partition, std::int64_t offset) {
  if (offset < 0) return failure(Errc::invalid_argument, fmt::format("seek {} to {}", partition.to_string(), offset));
  {
    const std::lock_guard lock(state_->mutex);
    const auto state = assigned(partition);
    if (!state) return failure(state.error());
    state_->positions.seek(**state, Position{offset, -1});
  }
  fetcher_->kick();
  return {};
}

Result<void> ConsumerImpl::seek_by(const std::vector<TopicPartition>& partitions, ResetPolicy policy) {
  const auto wanted = partitions.empty() ? assignment() : partitions;
  {
    const std::lock_guard lock(state_->mutex);
    for (const TopicPartition& where : wanted) {
      const auto state = assigned(where);
      if (!state) return failure(state.error());
      state_->positions.request_reset(**state, policy);
    }
  }
  fetcher_->kick();
  return {};
}

Result<std::int64_t> ConsumerImpl::position(const TopicPartition& partition) {
  const auto deadline = state_->runtime->now() + state_->settings.default_api_timeout;
  for (;;) {
    const std::uint64_t seen = state_->events.load();
    {
      const std::lock_guard lock(state_->mutex);
      const auto state = assigned(partition);
      if (!state) return failure(state.error());
      if ((*state)->has_position()) return (*state)->position.offset;
      if ((*state)->stuck) return failure(*(*state)->stuck);
    }
    if (state_->runtime->is_current_thread()) {
      return failure(Errc::would_deadlock, "position of " + partition.to_string() + " must be looked up");
    }
    if (state_->runtime->now() >= deadline) return failure(Errc::timed_out, explain());
    fetcher_->kick();
    state_->signal->wait_until(deadline, [&] { return state_->events.load() != seen; });
  }
}

Result<void> ConsumerImpl::set_paused(const std::vector<TopicPartition>& partitions, bool paused) {
  {
    const std::lock_guard lock(state_->mutex);
    for (const TopicPartition& where : partitions) {
      const auto state = assigned(where);
      if (!state) return failure(state.error());
      (*state)->paused = paused;
      state_->positions.touch(**state);
      if ((*state)->stuck) state_->maybe_stuck = true;
    }
  }
  fetcher_->kick();
  return {};
}

std::vector<TopicPartition> ConsumerImpl::paused() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<TopicPartition> partitions;
  for (const auto& [where, state] : state_->positions.all()) {
    if (state.paused) partitions.push_back(where);
  }
  return partitions;
}

Result<std::map<TopicPartition, OffsetAnswer>> ConsumerImpl::offsets(
    std::map<TopicPartition, std::int64_t> timestamps_ms) {
  const auto deadline = router_->deadline_in(state_->settings.default_api_timeout);
  return state_->runtime->wait(
      list_offsets(router_, std::move(timestamps_ms), state_->settings.read_committed, deadline),
      deadline + kExecutorGrace);
}

Result<std::vector<PartitionInfo>> ConsumerImpl::partitions_for(const std::string& topic) {
  const auto deadline = router_->deadline_in(state_->settings.default_api_timeout);
  const auto found = state_->runtime->wait(router_->topic(topic, deadline), deadline + kExecutorGrace);
  if (!found) return failure(found.error());
  return partition_infos(**found);
}

// ---- the end

asio::awaitable<Result<void>> ConsumerImpl::close_async(std::shared_ptr<ConsumerImpl> self,
                                                        runtime::MonotonicTime deadline) {
  co_await self->fetcher_->close(deadline);
  const auto done = co_await self->router_->shutdown();
  self->state_->notify();
  co_return done;
}

asio::awaitable<Result<void>> ConsumerImpl::abandon_async(std::shared_ptr<ConsumerImpl> self,
                                                          runtime::MonotonicTime deadline) {
  if (self->group_ != nullptr) {
    GroupCoordinator::Leaving how{deadline, GroupMembership::usual, "the consumer was destroyed"};
    how.commit = false;
    how.tell_user = false;
    how.for_good = true;
    co_await self->group_->leave(std::move(how));
  }
  co_return co_await close_async(self, deadline);
}

Result<void> ConsumerImpl::close(const CloseOptions& options) {
  if (state_->runtime->is_current_thread()) {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return {};
    return failure(Errc::would_deadlock, "close() on the client's own reactor thread");
  }
  if (const auto allowed = refuse_in_call("close"); !allowed) return allowed;
  if (closing_.exchange(true)) return {};
  const auto deadline = router_->deadline_in(options.timeout);
  Result<void> left;
  if (group_ != nullptr) {
    GroupCoordinator::Leaving how{deadline, options.membership, "the consumer is being closed"};
    how.for_good = true;
    left = leave_group(std::move(how));
  }
  const auto ended = shut_down(deadline);
  return left ? ended : left;
}

Result<void> ConsumerImpl::shut_down(runtime::MonotonicTime deadline) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
  }
  const bool is_bounded = deadline < runtime::MonotonicTime::max();
  const auto least = state_->runtime->now() + kExecutorGrace;
  return state_->runtime->wait(close_async(shared_from_this(), deadline),
                               is_bounded ? std::max(deadline + kExecutorGrace, least) : deadline);
}

void ConsumerImpl::abandon() noexcept {
  if (closing_.exchange(true)) return;
  const bool may_wait = !state_->runtime->is_current_thread();
  const auto deadline = router_->deadline_in(may_wait ? kAbandonTimeout : std::chrono::milliseconds(0));
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
  }
  auto work = abandon_async(shared_from_this(), deadline);
  if (may_wait) {
    static_cast<void>(state_->runtime->wait(std::move(work), deadline + kExecutorGrace));
  } else {
    state_->runtime->spawn(std::move(work));
  }
}

// ---- what it says of itself

ExplainContext ConsumerImpl::explain_context(const ClusterSnapshot& cluster) const {
  ExplainContext context{cluster, state_->runtime->now()};
  context.read_committed = state_->settings.read_committed;
  context.out_of_memory = state_->out_of_memory;
  context.fetches_sent_at = &state_->fetches_sent_at;
  context.limit_bytes = state_->budget->limit_bytes();
  context.held_bytes = state_->held_bytes();
  return context;
}

std::string ConsumerImpl::explain() const {
  const auto cluster = router_->metadata().snapshot();
  std::string text = group_ == nullptr ? "" : group_->explain();
  const std::lock_guard lock(state_->mutex);
  if (state_->closed) return "the consumer is closed";
  if (state_->positions.all().empty()) return text + "no partition is assigned";
  ExplainContext context = explain_context(*cluster);
  for (const auto& [where, state] : state_->positions.all()) {
    const auto& failed = state_->poll_failure;
    context.unreadable = failed && failed->partition == where && failed->offset == state.position.offset;
    context.unreadable_for_room = context.unreadable && failed->error == Errc::buffer_full;
    const auto seconds = std::chrono::duration<double>(context.now - state.since).count();
    fmt::format_to(std::back_inserter(text), "{} at offset {}: {}, for {:.1f} s", where.to_string(),
                   state.position.offset, explain_partition(state, context), seconds);
    if (!state.last_error.empty()) {
      fmt::format_to(std::back_inserter(text), "; the last error ({} in a row): {}", std::max(state.failures, 1),
                     state.last_error);
    }
    text += '\n';
  }
  return text;
}

ConsumerMetrics ConsumerImpl::metrics() const {
  ConsumerMetrics metrics;
  metrics.connections = router_->metrics();
  metrics.records_returned = records_returned_.load(std::memory_order_relaxed);
  metrics.record_bytes = record_bytes_.load(std::memory_order_relaxed);
  metrics.polls = polls_.load(std::memory_order_relaxed);
  metrics.fetches = state_->fetches.load(std::memory_order_relaxed);
  metrics.fetched_bytes = state_->fetched_bytes.load(std::memory_order_relaxed);
  metrics.memory_limit_bytes = state_->budget->limit_bytes();
  const std::lock_guard lock(state_->mutex);
  metrics.buffered_bytes = state_->buffered_bytes();
  metrics.held_bytes = state_->held_bytes();
  return metrics;
}

}  // namespace barnabas::client
