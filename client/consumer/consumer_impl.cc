#include "client/consumer/consumer_impl.h"

#include <fmt/format.h>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>

#include "client/core/errors.h"

namespace barnabas::client {
namespace {

constexpr std::chrono::milliseconds kAbandonTimeout{500};
constexpr std::chrono::milliseconds kExecutorGrace{200};  // what a call gives an executor to notice its deadline

}  // namespace

Result<std::shared_ptr<ConsumerImpl>> ConsumerImpl::make(const Config& config, ConsumerOptions options) {
  const auto parsed = consumer_config_table().parse(config.properties());
  if (!parsed) return failure(parsed.error());
  auto client = client_config_of(*parsed);
  if (!client) return failure(client.error());
  auto settings = consumer_settings(*parsed);
  const auto logger = make_logger(options.log, client->client_id);
  log_settings_without_effect(logger, *parsed);
  auto runtime = options.runtime ? options.runtime.internals() : ClientRuntime::make("barnabas-consumer");
  auto state = std::make_shared<SharedState>(runtime, settings);
  RequestRouter::Options router_options;
  router_options.metadata.max_age = client->metadata_max_age;
  router_options.metadata.allow_auto_topic_creation = settings.allow_auto_create_topics;
  router_options.config = std::move(*client);
  auto weak_fetcher = std::make_shared<std::weak_ptr<Fetcher>>();
  router_options.on_metadata_change = [weak_fetcher] {
    if (const auto fetcher = weak_fetcher->lock()) fetcher->kick();
  };
  auto router = RequestRouter::make(runtime, std::move(router_options), logger);
  auto impl = std::make_shared<ConsumerImpl>(state, router, std::move(options.interceptors));
  asio::post(runtime->executor(), [weak_fetcher, fetcher = impl->fetcher_] { *weak_fetcher = fetcher; });
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
  const auto now = state_->runtime->now();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return failure(Errc::closed, "the consumer is closed");
    state_->positions.assign(partitions, now);
    state_->maybe_stuck = true;  // auto.offset.reset=none
  }
  bool is_new = false;
  for (const TopicPartition& where : partitions) is_new |= router_->metadata().want_topic(where.topic, now);
  if (is_new) router_->request_metadata_update();
  fetcher_->kick();
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
                                                        std::chrono::milliseconds timeout) {
  const auto deadline = self->router_->deadline_in(timeout);
  co_await self->fetcher_->close(deadline);
  const auto done = co_await self->router_->shutdown();
  self->state_->notify();
  co_return done;
}

Result<void> ConsumerImpl::close(std::chrono::milliseconds timeout) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return {};
    if (state_->runtime->is_current_thread()) {
      return failure(Errc::would_deadlock, "close() on the client's own reactor thread");
    }
    state_->closed = true;
  }
  const auto give_up = router_->deadline_in(timeout);
  const bool is_bounded = give_up < runtime::MonotonicTime::max();
  return state_->runtime->wait(close_async(shared_from_this(), timeout),
                               is_bounded ? give_up + kExecutorGrace : give_up);
}

void ConsumerImpl::abandon() noexcept {
  if (!state_->runtime->is_current_thread()) {
    static_cast<void>(close(kAbandonTimeout));
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return;
    state_->closed = true;
  }
  state_->runtime->spawn(close_async(shared_from_this(), std::chrono::milliseconds(0)));
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
  const std::lock_guard lock(state_->mutex);
  if (state_->closed) return "the consumer is closed";
  if (state_->positions.all().empty()) return "no partition is assigned";
  ExplainContext context = explain_context(*cluster);
  std::string text;
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
