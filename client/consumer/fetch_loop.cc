#include <fmt/format.h>

#include <algorithm>

#include "client/consumer/fetcher.h"
#include "client/core/errors.h"

// The half of Fetcher that sends fetches and takes their answers.
namespace barnabas::client {
namespace {

using Phase = PartitionState::Phase;

constexpr std::int8_t kReadCommitted = 1;
constexpr std::int32_t kNoSession = -1;  ///< As the epoch: the broker is to keep no session.
constexpr std::int16_t kFirstVersionWithTopicIds = 13;

std::vector<AbortedTransaction> aborted_of(const protocol::FetchResponse::PartitionData& data) {
  std::vector<AbortedTransaction> aborted;
  if (!data.aborted_transactions) return aborted;
  for (const auto& transaction : *data.aborted_transactions) {
    aborted.push_back({transaction.producer_id, transaction.first_offset});
  }
  return aborted;
}

bool is_missing_topic(protocol::ErrorCode error) {
  return error == protocol::ErrorCode::unknown_topic_id || error == protocol::ErrorCode::inconsistent_topic_id ||
         error == protocol::ErrorCode::unknown_topic_or_partition;
}

/// What a Fetch response says around its batches, at most: in all, and for each partition.
constexpr std::size_t kResponseHeadBytes = 256;
constexpr std::size_t kResponsePartitionBytes = 64;

}  // namespace

bool Fetcher::can_fetch(const PartitionState& state, runtime::MonotonicTime now) const {
  if (state.phase != Phase::fetching || state.paused || state.stuck || state.not_before > now) return false;
  if (!has_room_for(state)) return false;
  if (state.fetched.empty()) return !state.collecting;
  return state.fetch_ahead && !state.fetched.full();
}

bool Fetcher::waits_for_poll(const PartitionState& state) {
  return state.phase == Phase::fetching && !state.paused && !state.stuck && !state.fetched.empty() &&
         (!state.fetch_ahead || state.fetched.full());
}

bool Fetcher::has_more_to_fetch(const PartitionState& state) const {
  const std::int64_t end = state_->settings.read_committed ? state.last_stable_offset : state.high_watermark;
  return state.next_fetch.offset < end;
}

FetchReadiness Fetcher::readiness_of(const PartitionState& state, std::int32_t broker_id, runtime::MonotonicTime now) {
  if (can_fetch(state, now)) {
    if (is_asked(aside_plans_, broker_id, state)) return FetchReadiness::none;
    return has_more_to_fetch(state) ? FetchReadiness::more : FetchReadiness::at_end;
  }
  return waits_for_poll(state) ? FetchReadiness::full : FetchReadiness::none;
}

std::int32_t Fetcher::broker_for(const PartitionState& state, const PartitionMetadata& partition,
                                 runtime::MonotonicTime now) {
  const bool has_nearer = state.preferred_replica >= 0 && now < state.preferred_until;
  return has_nearer ? state.preferred_replica : partition.leader;
}

bool Fetcher::has_fetch_room() const {
  return state_->fetch_room() >= kSmallestRoomBytes;
}

/// Which is known of a partition whose answer was refused.
bool Fetcher::has_room_for(const PartitionState& state) const {
  return state.needed_bytes == 0 || state.needed_bytes <= state_->fetch_room();
}

FetchSession& Fetcher::session_of(FetchPlan& plan, std::int32_t broker_id) {
  return plan.own_session ? *plan.own_session : board_.at(broker_id).session;
}

bool Fetcher::is_asked(const Plans& plans, std::int32_t broker_id, const PartitionState& state) {
  const auto plan = plans.find(broker_id);
  if (plan == plans.end() || plan->second == nullptr) return false;
  const auto* asked = session_of(*plan->second, broker_id).find(*state.topic, state.partition.partition);
  return asked != nullptr && asked->generation == state.generation &&
         asked->fetch.fetch_offset == state.next_fetch.offset;
}

bool Fetcher::wants_aside(const PartitionState& state, std::int32_t broker_id, runtime::MonotonicTime now) {
  return can_fetch(state, now) && !is_asked(session_plans_, broker_id, state) && state.asked_aside != state.generation;
}

/// Of those that were looked at since the fetch under way was sent: no other can be.
std::vector<PartitionState*> Fetcher::aside_candidates(std::int32_t broker_id, runtime::MonotonicTime now) {
  std::vector<PartitionState*> candidates;
  const auto waiting = session_plans_.find(broker_id);
  if (waiting == session_plans_.end() || waiting->second == nullptr || !waiting->second->may_wait) return candidates;
  for (PartitionState* state : board_.at(broker_id).unsent) {
    if (state->standing.broker == broker_id && wants_aside(*state, broker_id, now)) candidates.push_back(state);
  }
  return candidates;
}

/// What goes into a fetch without a session: all that is to be asked for aside, or one partition alone.
std::vector<PartitionState*> Fetcher::choose_own(std::int32_t broker_id, bool aside, runtime::MonotonicTime now) {
  if (!aside) {
    const auto& alone = board_.at(broker_id).alone;
    if (alone.empty()) return {};
    return {alone.begin()->second};
  }
  std::vector<PartitionState*> chosen = aside_candidates(broker_id, now);
  const auto alone = std::find_if(chosen.begin(), chosen.end(), [](const auto* state) { return state->alone; });
  if (alone != chosen.end()) chosen = {*alone};
  return chosen;
}

/// What the answer will take at most, unless its first batch is larger than all limits: then there is room when it
/// comes, or it is refused.
bool Fetcher::reserve(FetchPlan& plan, std::size_t partitions) {
  const ConsumerSettings& settings = state_->settings;
  const std::size_t around = kResponseHeadBytes + partitions * kResponsePartitionBytes;
  const std::size_t most = std::min(partitions * static_cast<std::size_t>(settings.max_partition_fetch_bytes),
                                    static_cast<std::size_t>(settings.fetch_max_bytes));
  // Half is for decompression; of the other each broker has its share, with and without a fetch aside.
  const std::size_t fetches = 2 * std::max<std::size_t>(board_.brokers().size(), 1);
  const std::size_t share = std::max(state_->budget->limit_bytes() / 2 / fetches, kSmallestRoomBytes);
  const std::size_t room = std::min(state_->fetch_room(), share);
  const std::size_t bytes = std::min(room, most + around);
  auto lease = state_->budget->try_take(bytes);
  if (!lease) return false;
  // max.bytes counts batches alone; what the response says around them is in the budget too.
  plan.request.max_bytes = static_cast<std::int32_t>(bytes > around ? bytes - around : 1);
  plan.reserved_bytes = bytes;
  plan.reservation = std::make_shared<Reservation>(Reservation{std::move(*lease), 0, {}});
  state_->reserved_bytes += bytes;
  ++state_->fetches_under_way;
  return true;
}

std::optional<Fetcher::FetchPlan> Fetcher::plan_fetch(std::int32_t broker_id, bool aside) {
  const ConsumerSettings& settings = state_->settings;
  const auto now = state_->runtime->now();
  const std::lock_guard lock(state_->mutex);
  // It may have come since the last look: a position is not fetched from before it is known to be good.
  refresh(now);
  if (work_.any()) kick();
  const FetchBoard::Broker& broker = board_.at(broker_id);
  const std::vector<PartitionState*> own = choose_own(broker_id, aside, now);
  const bool is_worth_it = aside ? !own.empty() : broker.worth_a_fetch();
  if (!is_worth_it || !has_fetch_room() || state_->hold_fetches) return std::nullopt;
  FetchPlan plan;
  plan.aside = aside;
  const auto ready = static_cast<std::size_t>(broker.ready());
  if (!reserve(plan, own.empty() ? ready : own.size())) return std::nullopt;
  const bool waits = own.empty();
  plan.may_wait = waits && broker.more == 0;
  plan.request.replica_id = -1;
  plan.request.max_wait_ms = waits ? static_cast<std::int32_t>(settings.fetch_max_wait.count()) : 0;
  plan.request.min_bytes = settings.fetch_min_bytes;
  plan.request.isolation_level = settings.read_committed ? kReadCommitted : 0;
  plan.request.rack_id = settings.client_rack;
  if (own.empty()) {
    board_.tell_session(broker_id, settings.max_partition_fetch_bytes);
    board_.at(broker_id).session.build(plan.request);
  } else {
    build_own(plan, broker_id, own);
  }
  plan.uses_topic_ids = session_of(plan, broker_id).uses_topic_ids();
  state_->fetches_sent_at[broker_id] = now;
  return plan;
}

void Fetcher::build_own(FetchPlan& plan, std::int32_t broker_id, const std::vector<PartitionState*>& chosen) {
  FetchSession& session = plan.own_session.emplace();
  for (PartitionState* state : chosen) {
    session.want(state->partition, fetch_of(*state, state_->settings.max_partition_fetch_bytes), state->generation);
    state->asked_broker = broker_id;
    state_->positions.touch(*state);  // it is not ready for another fetch meanwhile
  }
  session.build(plan.request);
  plan.request.session_epoch = kNoSession;
}

asio::awaitable<void> Fetcher::fetch_loop(std::shared_ptr<Fetcher> self, std::int32_t broker_id) {
  while (!self->closed_) {
    // As a rule it is open, and asking for it the long way would cost more than the fetch.
    ConnectionPtr connection = self->router_->open_connection(broker_id, Channel::fetch);
    if (connection == nullptr) connection = co_await self->connect(broker_id);
    if (connection == nullptr || self->closed_) break;
    const bool go_on = co_await self->fetch_over(broker_id, connection, false);
    if (!go_on) break;
  }
  self->fetching_[broker_id] = false;
  self->kick();
}

asio::awaitable<void> Fetcher::fetch_aside(std::shared_ptr<Fetcher> self, std::int32_t broker_id) {
  // Beside the connection on which a fetch waits. Where that takes as long as the wait, nothing is won.
  const auto deadline = self->router_->deadline_in(self->state_->settings.fetch_max_wait);
  const auto connected = co_await self->router_->connection_to(broker_id, Channel::main, deadline);
  bool fetched = false;
  if (connected && !self->closed_) {
    const ConnectionPtr connection = *connected;
    fetched = co_await self->fetch_over(broker_id, connection, true);
  }
  self->fetching_aside_[broker_id] = false;
  if (fetched) self->kick();
}

/// To fetch over; null where there is none.
asio::awaitable<ConnectionPtr> Fetcher::connect(std::int32_t broker_id) {
  const auto timeout = state_->settings.request_timeout + state_->settings.fetch_max_wait;
  const auto connected = co_await router_->connection_to(broker_id, Channel::fetch, router_->deadline_in(timeout));
  if (connected) co_return *connected;
  fail_broker(broker_id, nullptr, connected.error());
  co_return nullptr;
}

asio::awaitable<bool> Fetcher::fetch_over(std::int32_t broker_id, ConnectionPtr connection, bool aside) {
  auto plan = plan_fetch(broker_id, aside);
  if (!plan) co_return false;
  CallOptions options;
  if (!plan->uses_topic_ids)
    options.versions = VersionRange{protocol::FetchRequest::kMinVersion, kFirstVersionWithTopicIds - 1};
  options.admit = [reservation = plan->reservation, state = state_](std::size_t bytes) {
    if (bytes <= reservation->lease.bytes()) return true;
    const std::lock_guard lock(state->mutex);
    const bool fits = bytes - reservation->lease.bytes() <= state->fetch_room(1);
    if (fits && reservation->lease.grow(bytes)) return true;
    reservation->refused_bytes = bytes;
    return false;
  };
  state_->fetches.fetch_add(1, std::memory_order_relaxed);
  const auto deadline = router_->deadline_in(state_->settings.request_timeout + state_->settings.fetch_max_wait);
  Plans& plans = aside ? aside_plans_ : session_plans_;
  plans[broker_id] = &*plan;
  auto reply =
      co_await connection->call<protocol::FetchResponse>(std::move(plan->request), deadline, std::move(options));
  plans[broker_id] = nullptr;
  end_fetch(broker_id, *plan, reply ? &*reply : nullptr);
  if (closed_) co_return false;
  if (!reply && !plan->own_session) board_.at(broker_id).session.on_failure();
  if (!reply && plan->reservation->refused_bytes > 0) {
    take_refusal(broker_id, *plan);
    state_->notify();
    co_return true;
  }
  if (!reply) {
    fail_broker(broker_id, &*plan, reply.error());
    co_return false;
  }
  take_reply(broker_id, *plan, std::move(*reply));
  state_->notify();
  co_return true;
}

/// Whatever came of it, its partitions may be asked for again; `reply` is null where there is none.
void Fetcher::end_fetch(std::int32_t broker_id, FetchPlan& plan, const Reply<protocol::FetchResponse>* reply) {
  const std::lock_guard lock(state_->mutex);
  if (reply != nullptr) {
    plan.reservation->lease.shrink(reply->frame.size);
  } else {
    plan.reservation->lease.release();
  }
  state_->reserved_bytes -= plan.reserved_bytes;
  --state_->fetches_under_way;
  const Plans& others = plan.aside ? session_plans_ : aside_plans_;
  const auto other = others.find(broker_id);
  if (other == others.end() || other->second == nullptr) state_->fetches_sent_at[broker_id] = {};
  if (!plan.own_session) return;
  plan.own_session->for_each([&](const TopicPartition& where, const FetchSession::Asked&) {
    PartitionState* state = state_->positions.find(where);
    if (state == nullptr) return;
    state_->positions.touch(*state);
    if (reply == nullptr) return;
    state->alone = false;
    state->needed_bytes = 0;
  });
}

/// The answer was larger than what was free. Whose batch it was shows when each partition is asked for alone.
void Fetcher::take_refusal(std::int32_t broker_id, FetchPlan& plan) {
  const std::size_t bytes = plan.reservation->refused_bytes;
  const std::size_t limit = state_->budget->limit_bytes();
  const FetchSession& session = session_of(plan, broker_id);
  const std::lock_guard lock(state_->mutex);
  session.for_each([&](const TopicPartition& where, const FetchSession::Asked& asked) {
    PartitionState* state = state_->positions.find(where);
    if (state == nullptr || state->generation != asked.generation) return;
    state_->positions.touch(*state);
    state->alone = true;
    if (session.size() > 1) return;
    state->needed_bytes = bytes;
    if (bytes <= limit) return;
    state->stuck = Failure{Errc::buffer_full,
                           fmt::format("{} at offset {}: a batch comes in an answer of {} bytes, which is more than "
                                       "buffer.memory={}; raise it, or seek past the batch",
                                       where.to_string(), asked.fetch.fetch_offset, bytes, limit)};
    state->last_error = state->stuck->message();
    state_->maybe_stuck = true;
  });
}

void Fetcher::fail_broker(std::int32_t broker_id, FetchPlan* plan, const Failure& why) {
  if (why.code == Errc::closed && router_->is_shut_down()) return;
  const auto now = state_->runtime->now();
  const auto cluster = router_->metadata().snapshot();
  {
    const std::lock_guard lock(state_->mutex);
    const auto fail = [&](PartitionState& state) {
      state.preferred_replica = -1;
      state_->positions.on_failure(state, why.message(), now + backoff_.after(state.failures));
    };
    if (plan != nullptr) {
      session_of(*plan, broker_id).for_each([&](const TopicPartition& where, const FetchSession::Asked&) {
        if (PartitionState* state = state_->positions.find(where)) fail(*state);
      });
    } else {
      for (auto& [where, state] : state_->positions.all()) {
        const PartitionMetadata* partition = cluster->partition(where.topic, where.partition);
        if (partition != nullptr && broker_for(state, *partition, now) == broker_id) fail(state);
      }
    }
  }
  router_->request_metadata_update();
  kick();
}

void Fetcher::take_reply(std::int32_t broker_id, FetchPlan& plan, Reply<protocol::FetchResponse> reply) {
  FetchSession& session = session_of(plan, broker_id);
  note_leaders(reply.body, reply.version, session);
  const std::int16_t error = reply.body.error_code;
  if (!session.on_response(reply.body, reply.version)) {
    router_->logger().debug("fetch session at broker {} starts over (error {})", broker_id, error);
    if (!plan.own_session && ++session_failures_ == 1) return;  // as a rule the next, full fetch goes well
    fail_broker(broker_id, &plan,
                error != 0
                    ? broker_failure(error, fmt::format("Fetch from broker {}", broker_id))
                    : Failure{Errc::corrupt_data, fmt::format("broker {} answers what was not asked", broker_id)});
    return;
  }
  if (!plan.own_session) session_failures_ = 0;
  state_->fetched_bytes.fetch_add(reply.frame.size, std::memory_order_relaxed);
  const bool is_read_by_name = reply.version < kFirstVersionWithTopicIds;  // then only the metadata tell topics apart
  plan.reservation->frame = reply.frame;
  const std::shared_ptr<const void> owner = plan.reservation;
  const std::lock_guard lock(state_->mutex);
  for (const auto& topic : reply.body.responses) {
    const std::string& name =
        reply.version >= kFirstVersionWithTopicIds ? session.name_of(topic.topic_id) : topic.topic;
    sought_.topic = name;
    for (const auto& data : topic.partitions) {
      sought_.partition = data.partition_index;
      PartitionState* state = state_->positions.find(sought_);
      const FetchSession::Asked* asked = session.find(name, data.partition_index);
      if (state == nullptr || asked == nullptr) continue;
      // The user may have sought elsewhere meanwhile.
      const std::int64_t offset = asked->fetch.fetch_offset;
      if (state->generation != asked->generation || state->next_fetch.offset != offset) continue;
      state_->positions.touch(*state);
      state->topic_gone = is_read_by_name && is_another_topic(*state);
      if (state->topic_gone) continue;
      take_partition(*state, *asked, data, owner, broker_id);
      // Brought nothing: it is not asked for like this again before it has been part of a fetch that waits.
      if (plan.aside && state->next_fetch.offset == offset) state->asked_aside = state->generation;
    }
  }
}

bool Fetcher::is_another_topic(const PartitionState& state) const {
  const auto cluster = router_->metadata().snapshot();
  const TopicMetadata* topic = cluster->topic(state.partition.topic);
  return topic != nullptr && topic->id != Uuid() && topic->id != state.topic_id;
}

void Fetcher::take_partition(PartitionState& state, const FetchSession::Asked& asked,
                             const protocol::FetchResponse::PartitionData& data,
                             const std::shared_ptr<const void>& owner, std::int32_t broker_id) {
  if (data.error_code != 0) return take_error(state, asked, data, broker_id);
  state.high_watermark = data.high_watermark;
  state.last_stable_offset = data.last_stable_offset;
  state.log_start_offset = data.log_start_offset;
  if (data.preferred_read_replica >= 0) {
    state.preferred_replica = data.preferred_read_replica;
    state.preferred_until = state_->runtime->now() + router_->config().metadata_max_age;
  }
  if (data.records && !data.records->bytes.empty()) take_records(state, data, owner);
}

void Fetcher::take_records(PartitionState& state, const protocol::FetchResponse::PartitionData& data,
                           const std::shared_ptr<const void>& owner) {
  const BytesView records = data.records->bytes;
  const auto next = position_after(records);
  const bool moves = next && next->offset > state.next_fetch.offset;
  CompletedFetch fetched({state.partition.partition, state.topic, owner, records, aborted_of(data)},
                         {state_->settings.check_crcs, state_->settings.read_committed});
  state_->positions.on_fetched(state, std::move(fetched), moves ? *next : state.next_fetch, state_->runtime->now());
  state.fetch_ahead = moves;  // where it ends is only known once poll has read (or skipped) it
  state_->ready.push_back({state.shared_partition, state.generation});
}

void Fetcher::take_error(PartitionState& state, const FetchSession::Asked& asked,
                         const protocol::FetchResponse::PartitionData& data, std::int32_t broker_id) {
  const auto error = static_cast<protocol::ErrorCode>(data.error_code);
  const auto now = state_->runtime->now();
  if (error == protocol::ErrorCode::offset_out_of_range) {
    if (state.preferred_replica == broker_id) {  // a follower may lag; the leader knows
      state.preferred_replica = -1;
      return;
    }
    state_->positions.on_out_of_range(state, asked.fetch.fetch_offset);
    if (state.stuck) state_->maybe_stuck = true;
    if (!state.stuck && state.phase == Phase::fetching) state.not_before = now + backoff_.after(0);
    return;
  }
  state.preferred_replica = -1;
  state.topic_gone = is_missing_topic(error);
  const Failure why =
      broker_failure(data.error_code, fmt::format("Fetch of {} at offset {} from broker {}",
                                                  state.partition.to_string(), asked.fetch.fetch_offset, broker_id));
  if (needs_metadata_update(why) || state.topic_gone) {
    router_->request_metadata_update();
    // A leader that is newer than the one asked is known, by the answer itself as a rule (KIP-951): asked at once.
    const auto cluster = router_->metadata().snapshot();
    const PartitionMetadata* known = cluster->partition(state.partition.topic, state.partition.partition);
    const bool has_newer =
        known != nullptr && known->leader >= 0 && known->leader_epoch > asked.fetch.current_leader_epoch;
    state_->positions.on_failure(state, why.message(), has_newer ? now : now + backoff_.after(state.failures));
    return;
  }
  fail_partition(state, why);
}

void Fetcher::note_leaders(const protocol::FetchResponse& response, std::int16_t version, const FetchSession& session) {
  std::vector<Node> nodes;
  for (const auto& node : response.node_endpoints) {
    nodes.push_back({node.node_id, node.host, static_cast<std::uint16_t>(node.port), node.rack});
  }
  for (const auto& topic : response.responses) {
    const std::string& name = version >= kFirstVersionWithTopicIds ? session.name_of(topic.topic_id) : topic.topic;
    for (const auto& data : topic.partitions) {
      const auto& leader = data.current_leader;
      if (leader.leader_id < 0 || leader.leader_epoch < 0 || name.empty()) continue;
      if (router_->metadata().update_leader(name, data.partition_index, leader.leader_id, leader.leader_epoch, nodes))
        kick();
    }
  }
}

}  // namespace barnabas::client
