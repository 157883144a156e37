#include "client/consumer/fetcher.h"

#include <fmt/format.h>
#include <asio/post.hpp>

#include <algorithm>
#include <utility>

#include "client/consumer/explain.h"
#include "client/core/errors.h"

namespace barnabas::client {
namespace {

using Phase = PartitionState::Phase;

constexpr std::int32_t kConsumerReplicaId = -1;

bool has_leader(const ClusterSnapshot& cluster, const TopicPartition& where) {
  const PartitionMetadata* partition = cluster.partition(where.topic, where.partition);
  return partition != nullptr && partition->leader >= 0;
}

}  // namespace

Fetcher::Fetcher(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router)
    : state_(std::move(state)),
      router_(std::move(router)),
      backoff_(state_->settings.retry_backoff, state_->settings.retry_backoff_max, state_->runtime->random()) {}

void Fetcher::kick() {
  if (kicked_.exchange(true)) return;
  asio::post(state_->runtime->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->advance();
  });
}

void Fetcher::advance() {
  kicked_ = false;
  if (closed_) return;
  const auto now = state_->runtime->now();
  bool ran_out = false;
  bool may_fetch = false;
  Work work;
  {
    const std::lock_guard lock(state_->mutex);
    refresh(now);
    work = std::exchange(work_, Work());
    may_fetch = look_for_room(now, ran_out) && !state_->hold_fetches;
    for (const auto& [broker_id, plan] : session_plans_) {
      const bool asks = may_fetch && !fetching_aside_[broker_id];
      if (asks && !aside_candidates(broker_id, now).empty()) wants_aside_.push_back(broker_id);
    }
  }
  if (work.metadata_wanted) router_->request_metadata_update();
  for (const auto& [broker_id, partitions] : work.resets) start_resets(broker_id, partitions);
  for (const auto& [broker_id, partitions] : work.validations) start_validations(broker_id, partitions);
  if (may_fetch) start_fetches();
  arm_timer(board_.next_wake());
  if (ran_out || work.any_failed) state_->notify();
}

void Fetcher::start_fetches() {
  for (const auto& [broker_id, broker] : board_.brokers()) {
    if (!broker.worth_a_fetch()) continue;
    if (std::exchange(fetching_[broker_id], true)) continue;
    state_->runtime->spawn(fetch_loop(shared_from_this(), broker_id));
  }
  for (const std::int32_t broker_id : wants_aside_) {
    if (std::exchange(fetching_aside_[broker_id], true)) continue;
    state_->runtime->spawn(fetch_aside(shared_from_this(), broker_id));
  }
  wants_aside_.clear();
}

bool Fetcher::follow(PartitionState& state, const TopicMetadata& topic, const PartitionMetadata& partition) {
  if (!state_->positions.on_topic_id(state, topic.id)) return false;
  if (state.stuck) state_->maybe_stuck = true;
  if (topic.id == state.topic_id) state_->positions.on_leader_epoch(state, partition.leader_epoch);
  return !state.stuck;
}

void Fetcher::refresh(runtime::MonotonicTime now) {
  Positions& positions = state_->positions;
  if (positions.removals() != seen_removals_) {
    seen_removals_ = positions.removals();
    board_.rebuild(positions);
    needy_.clear();
  }
  auto cluster = router_->metadata().snapshot();
  if (cluster != seen_cluster_) {
    seen_cluster_ = std::move(cluster);
    positions.touch_all();
  }
  board_.wake(now, positions);
  for (PartitionState* state : needy_) positions.touch(*state);  // what is free changes without them
  needy_.clear();
  std::vector<PartitionState*> touched = positions.take_touched();
  for (PartitionState* state : touched) look_at(*state, *seen_cluster_, now);
  positions.take_touched();  // by looking at them: that was seen already
  positions.reuse(std::move(touched));
}

void Fetcher::look_at(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now) {
  FetchStanding standing;
  if (!state.stuck) {
    if (state.leaderless && has_leader(cluster, state.partition)) state.not_before = now;
    if (state.not_before > now || !find_standing(state, cluster, now, standing)) {
      standing.readiness = FetchReadiness::none;
      if (!state.stuck && state.not_before > now) standing.wake = state.not_before;
    }
  }
  if (state.needed_bytes > 0) needy_.push_back(&state);
  state.standing.leader_epoch = standing.leader_epoch;
  board_.stand(state, standing.broker, standing.readiness, standing.wake);
}

bool Fetcher::find_standing(PartitionState& state, const ClusterSnapshot& cluster, runtime::MonotonicTime now,
                            FetchStanding& standing) {
  const TopicMetadata* topic = cluster.topic(state.partition.topic);
  const PartitionMetadata* partition = topic == nullptr ? nullptr : topic->find(state.partition.partition);
  if (partition == nullptr || partition->leader < 0) {
    if (topic != nullptr && topic->error == protocol::ErrorCode::topic_authorization_failed) {
      fail_partition(state, broker_failure(static_cast<std::int16_t>(topic->error), "topic " + state.partition.topic));
      work_.any_failed = true;
      return false;
    }
    work_.metadata_wanted = true;
    std::string why = why_missing(cluster, state.partition.topic, state.partition.partition);
    state_->positions.on_failure(state, std::move(why), now + backoff_.after(state.failures));
    state.leaderless = true;
    standing.wake = state.not_before;  // also where that is now: not again in this look
    return false;
  }
  if (!follow(state, *topic, *partition)) {
    work_.any_failed |= state.stuck.has_value();
    return false;
  }
  state.leaderless = false;
  if (state.phase == Phase::awaiting_committed) return false;  // the group asks for it
  if (state.phase != Phase::fetching) {
    if (state.lookup_under_way) return false;
    state.lookup_under_way = true;
    auto& list = state.phase == Phase::awaiting_reset ? work_.resets : work_.validations;
    list[partition->leader].push_back(state.partition);
    return false;
  }
  standing.broker = broker_for(state, *partition, now);
  standing.leader_epoch = partition->leader_epoch;
  standing.readiness = readiness_of(state, standing.broker, now);
  if (state.preferred_replica >= 0 && now < state.preferred_until) standing.wake = state.preferred_until;
  return true;
}

bool Fetcher::look_for_room(runtime::MonotonicTime now, bool& ran_out) {
  std::size_t wanted = 0;
  for (const PartitionState* state : needy_) {
    const bool waits = state->phase == Phase::fetching && !state->stuck && state->not_before <= now &&
                       state->fetched.empty() && !state->paused && !has_room_for(*state);
    if (waits) wanted = std::max(wanted, state->needed_bytes);
  }
  auto& brokers = board_.brokers();
  const bool any =
      std::any_of(brokers.begin(), brokers.end(), [](const auto& of) { return of.second.worth_a_fetch(); });
  const bool no_room = any && !has_fetch_room();
  if (no_room) wanted = std::max(wanted, kSmallestRoomBytes);
  ran_out = wanted > 0 && !state_->out_of_memory;
  state_->out_of_memory = wanted > 0;
  state_->room_wanted = wanted;
  return !no_room;
}

void Fetcher::arm_timer(runtime::MonotonicTime when) {
  if (when == timer_at_) return;
  const auto& timers = state_->runtime->timers();
  timers->cancel(timer_);
  timer_at_ = when;
  if (when == runtime::MonotonicTime::max()) return;
  timer_ = timers->add(when, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->timer_at_ = runtime::MonotonicTime::max();
    self->kick();
  });
}

// ---- positions: resets

void Fetcher::start_resets(std::int32_t broker_id, const std::vector<TopicPartition>& partitions) {
  const std::int64_t now_ms = state_->runtime->clock().wall_ms();
  const auto cluster = router_->metadata().snapshot();
  std::vector<OffsetQuery> queries;
  std::map<TopicPartition, std::uint64_t> generations;
  {
    const std::lock_guard lock(state_->mutex);
    for (const TopicPartition& where : partitions) {
      const PartitionState* state = state_->positions.find(where);
      if (state == nullptr) continue;
      const PartitionMetadata* partition = cluster->partition(where.topic, where.partition);
      queries.push_back({where, state->reset.timestamp(now_ms), partition == nullptr ? -1 : partition->leader_epoch});
      generations.emplace(where, state->generation);
    }
  }
  state_->runtime->spawn(reset_positions(shared_from_this(), broker_id, std::move(queries), std::move(generations)));
}

asio::awaitable<void> Fetcher::reset_positions(std::shared_ptr<Fetcher> self, std::int32_t broker_id,
                                               std::vector<OffsetQuery> queries,
                                               std::map<TopicPartition, std::uint64_t> generations) {
  const auto router = self->router_;
  const bool read_committed = self->state_->settings.read_committed;
  const auto deadline = router->deadline_in(self->state_->settings.request_timeout);
  const auto found = co_await ask_offsets(router, broker_id, std::move(queries), read_committed, deadline);
  for (const auto& [where, generation] : generations) {
    if (found) {
      self->take_offset(where, generation, found->at(where));
    } else {
      self->take_offset(where, generation, failure(found.error()));
    }
  }
  self->state_->notify();
  self->kick();
}

void Fetcher::take_offset(const TopicPartition& where, std::uint64_t generation, const Result<OffsetAnswer>& answer) {
  const std::lock_guard lock(state_->mutex);
  PartitionState* state = state_->positions.find(where);
  if (state == nullptr || state->generation != generation) return;
  state_->positions.touch(*state);
  state->lookup_under_way = false;
  if (!answer) {
    if (needs_metadata_update(answer.error())) router_->request_metadata_update();
    fail_partition(*state, answer.error());
  } else if (answer->offset < 0) {  // no record is as young as by_duration asks
    state->reset = ResetPolicy{ResetPolicy::Kind::latest, {}};
  } else {
    state_->positions.on_reset(where, generation, Position{answer->offset, answer->leader_epoch});
  }
}

void Fetcher::fail_partition(PartitionState& state, Failure why) {
  const bool may_pass = why.code == protocol::ErrorCode::unknown_server_error ||
                        why.code == Errc::corrupt_data ||  // of an answer, not of records: the connection was closed
                        why.code == Errc::not_found;       // the leader, in metadata that is being asked for anew
  if (is_retriable(why) || needs_metadata_update(why) || may_pass) {
    state_->positions.on_failure(state, why.message(), state_->runtime->now() + backoff_.after(state.failures));
    return;
  }
  state_->positions.touch(state);
  state.last_error = why.message();
  state.stuck = Failure{why.code, fmt::format("{}: {}", state.partition.to_string(), why.message())};
  state_->maybe_stuck = true;
}

// ---- positions: validation after a change of leader

void Fetcher::start_validations(std::int32_t broker_id, const std::vector<TopicPartition>& partitions) {
  const auto cluster = router_->metadata().snapshot();
  protocol::OffsetForLeaderEpochRequest request;
  request.replica_id = kConsumerReplicaId;
  std::map<TopicPartition, Asked> asked;
  {
    const std::lock_guard lock(state_->mutex);
    for (const TopicPartition& where : partitions) {
      const PartitionState* state = state_->positions.find(where);
      const PartitionMetadata* known = cluster->partition(where.topic, where.partition);
      if (state == nullptr || known == nullptr) continue;
      if (request.topics.empty() || request.topics.back().topic != where.topic) {
        request.topics.emplace_back().topic = where.topic;
      }
      auto& partition = request.topics.back().partitions.emplace_back();
      partition.partition = where.partition;
      partition.current_leader_epoch = known->leader_epoch;
      partition.leader_epoch = state->next_fetch.offset_epoch;
      asked.emplace(where, Asked{state->generation, state->next_fetch.offset, known->leader_epoch});
    }
  }
  state_->runtime->spawn(validate_positions(shared_from_this(), broker_id, std::move(request), std::move(asked)));
}

asio::awaitable<void> Fetcher::validate_positions(std::shared_ptr<Fetcher> self, std::int32_t broker_id,
                                                  protocol::OffsetForLeaderEpochRequest request,
                                                  std::map<TopicPartition, Asked> asked) {
  using Response = protocol::OffsetForLeaderEpochResponse;
  const auto router = self->router_;
  const auto deadline = router->deadline_in(self->state_->settings.request_timeout);
  const auto reply = co_await router->call<Response>(broker_id, std::move(request), deadline);
  {
    const std::lock_guard lock(self->state_->mutex);
    auto& positions = self->state_->positions;
    for (const auto& [where, was] : asked) {
      PartitionState* state = positions.find(where);
      if (state == nullptr || state->generation != was.generation) continue;
      positions.touch(*state);
      state->lookup_under_way = false;
      if (!reply) self->fail_partition(*state, reply.error());
    }
    const auto topics = reply ? reply->body.topics : decltype(Response::topics){};
    for (const auto& topic : topics) {
      for (const auto& partition : topic.partitions) {
        const TopicPartition where{topic.topic, partition.partition};
        PartitionState* state = positions.find(where);
        const auto was = asked.find(where);
        if (state == nullptr || was == asked.end() || state->generation != was->second.generation) continue;
        if (partition.error_code == 0) {
          positions.on_validated(where, was->second.generation, was->second.leader_epoch, partition.end_offset);
          if (state->stuck) self->state_->maybe_stuck = true;
        } else {
          self->router_->request_metadata_update();
          self->fail_partition(*state, broker_failure(partition.error_code, "OffsetForLeaderEpoch"));
        }
      }
    }
  }
  self->state_->notify();
  self->kick();
}

// ---- the end

asio::awaitable<void> Fetcher::close(runtime::MonotonicTime deadline) {
  const auto self = shared_from_this();
  closed_ = true;
  state_->runtime->timers()->cancel(timer_);
  // A courtesy to brokers that answer: a session that is not ended makes room when others need it.
  constexpr std::chrono::seconds kCourtesy{1};
  const runtime::MonotonicTime until = std::min(deadline, state_->runtime->now() + kCourtesy);
  for (auto& [broker_id, broker] : board_.brokers()) {
    FetchSession& session = broker.session;
    protocol::FetchRequest request;
    if (router_->open_connection(broker_id, Channel::fetch) == nullptr || !session.build_close(request)) continue;
    request.max_wait_ms = 0;
    request.replica_id = kConsumerReplicaId;
    // Over the other connection, made if need be: on this one it would stand behind a fetch that waits at the broker.
    const auto opened = co_await router_->connection_to(broker_id, Channel::main, until);
    if (!opened) continue;
    const ConnectionPtr connection = *opened;
    const auto reply = co_await connection->call<protocol::FetchResponse>(std::move(request), until);
    if (!reply) router_->logger().debug("fetch session at broker {} not ended: {}", broker_id, reply.error().message());
  }
}

}  // namespace barnabas::client
