#include "client/core/request_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <bit>

#include "client/core/errors.h"

namespace barnabas::client {
namespace {

using runtime::MonotonicTime;

std::int64_t ms_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

std::string joined(const std::string& what, const std::string& cause) {
  return cause.empty() ? what : what + ": " + cause;
}

}  // namespace

std::shared_ptr<RequestRouter> RequestRouter::make(std::shared_ptr<ClientRuntime> runtime, Options options,
                                                   runtime::Logger logger) {
  auto router = std::make_shared<RequestRouter>(runtime, std::move(options), std::move(logger));
  router->background_ = 2;
  runtime->spawn(metadata_loop(router));
  runtime->spawn(idle_loop(router));
  return router;
}

RequestRouter::RequestRouter(std::shared_ptr<ClientRuntime> runtime, Options options, runtime::Logger logger)
    : runtime_(std::move(runtime)),
      options_(std::move(options)),
      logger_(std::move(logger)),
      metadata_(options_.metadata),
      counters_(std::make_shared<ConnectionCounters>()),
      metadata_wanted_(runtime_->make_gate()),
      metadata_asked_(runtime_->make_gate()),
      closing_(runtime_->make_gate()),
      background_done_(runtime_->make_gate()),
      metadata_backoff_(options_.config.retry_backoff, options_.config.retry_backoff_max, runtime_->random()) {}

MonotonicTime RequestRouter::deadline_in(std::chrono::milliseconds timeout) const {
  const auto now = runtime_->now();
  // What would overflow the clock is for ever.
  return timeout > std::chrono::hours(24 * 365 * 100) ? MonotonicTime::max() : now + timeout;
}

MonotonicTime RequestRouter::within_request_timeout(MonotonicTime deadline) const {
  return std::min(deadline, deadline_in(options_.config.request_timeout));
}

// --- connections ---

RequestRouter::Link& RequestRouter::link_of(LinkKey key) {
  const auto found = links_.find(key);
  if (found != links_.end()) return found->second;
  const ClientConfig& config = options_.config;
  Backoff backoff(config.reconnect_backoff, config.reconnect_backoff_max, runtime_->random());
  Backoff setup(config.connection_setup_timeout, config.connection_setup_timeout_max, runtime_->random());
  return links_.emplace(key, Link{{}, {}, {}, backoff, setup, {}, 0, {}, {}}).first->second;
}

Result<HostAndPort> RequestRouter::address_of(std::int32_t broker_id) const {
  if (broker_id < kNoBroker) {
    return options_.config.bootstrap_servers[static_cast<std::size_t>(kNoBroker - 1 - broker_id)];
  }
  const auto snapshot = metadata_.snapshot();
  const Node* node = snapshot->broker(broker_id);
  if (node != nullptr) return HostAndPort{node->host, node->port};
  return failure(Errc::not_found, "broker " + std::to_string(broker_id) + " is not in the cluster's metadata");
}

std::string RequestRouter::name_of(std::int32_t broker_id) const {
  const auto address = address_of(broker_id);
  if (!address) return "broker " + std::to_string(broker_id);
  if (broker_id < kNoBroker) return "bootstrap server " + address->to_string();
  return "broker " + std::to_string(broker_id) + " (" + address->to_string() + ')';
}

ConnectionPtr RequestRouter::usable(LinkKey key) {
  const auto found = links_.find(key);
  if (found == links_.end() || !found->second.connection) return nullptr;
  Link& link = found->second;
  if (link.connection->is_open()) return link.connection;
  link.last_failure = link.connection->close_reason();
  link.connection.reset();
  link.not_before = runtime_->now() + link.backoff.next();
  metadata_.request_update();
  open_and_replace(metadata_wanted_);
  return nullptr;
}

ConnectionPtr RequestRouter::open_connection(std::int32_t broker_id, Channel channel) const {
  const auto found = links_.find({broker_id, channel});
  if (found == links_.end() || !found->second.connection || !found->second.connection->is_open()) return nullptr;
  return found->second.connection;
}

MonotonicTime RequestRouter::ready_at(std::int32_t broker_id, Channel channel) const {
  const auto found = links_.find({broker_id, channel});
  return found == links_.end() ? MonotonicTime{} : found->second.not_before;
}

std::string RequestRouter::last_failure(std::int32_t broker_id) const {
  for (const auto& [key, link] : links_) {
    if (key.broker_id == broker_id && link.last_failure.code) return link.last_failure.message();
  }
  return {};
}

std::string RequestRouter::explain_link(std::int32_t broker_id, Channel channel) const {
  if (open_connection(broker_id, channel)) return {};
  const auto found = links_.find({broker_id, channel});
  if (found == links_.end()) return "is not connected yet";
  const Link& link = found->second;
  const MonotonicTime now = runtime_->now();
  std::string text = link.attempt ? "is being connected to" : "is not connected";
  if (link.failures > 0) {
    text =
        fmt::format("cannot be reached since {} ms, {} attempts", ms_between(link.failing_since, now), link.failures);
    if (link.attempt) text += ", one more is under way";
  }
  if (!link.attempt && link.not_before > now) {
    text += fmt::format(", the next one in {} ms", ms_between(now, link.not_before));
  }
  return link.last_failure.code ? text + "; the last error: " + link.last_failure.message() : text;
}

std::string RequestRouter::explain_metadata() const {
  if (metadata_failure_.code) return metadata_failure_.message();
  if (!metadata_.snapshot()->brokers.empty()) return {};
  return unreachable(candidates(), "no broker has answered").subject;
}

asio::awaitable<Result<ConnectionPtr>> RequestRouter::connection_to(std::int32_t broker_id, Channel channel,
                                                                    MonotonicTime deadline) {
  const auto self = shared_from_this();
  if (!address_of(broker_id)) {  // after a rebootstrap, or before the first answer
    const auto fresh = co_await refresh_metadata(deadline);
    if (!fresh) co_return failure(fresh.error());
    const auto address = address_of(broker_id);
    if (!address) co_return failure(address.error());
  }
  co_return co_await connection_by(LinkKey{broker_id, channel}, deadline);
}

asio::awaitable<Result<ConnectionPtr>> RequestRouter::connection_by(LinkKey key, MonotonicTime deadline) {
  const auto started = runtime_->now();
  for (;;) {
    auto reached = co_await attempt(key, deadline);
    if (reached || reached.error().code == Errc::closed) co_return reached;
    // Forgotten by a rebootstrap meanwhile: the next metadata has it again, or another one in its place.
    if (reached.error().code == Errc::not_found) co_return failure(Errc::disconnected, reached.error().subject);
    if (runtime_->now() >= deadline) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(runtime_->now() - started).count();
      const std::vector<LinkKey> keys{key};
      co_return failure(unreachable(keys, "no connection within " + std::to_string(ms) + " ms"));
    }
  }
}

/// Waits for the back-off and makes one attempt, or joins the one under way.
asio::awaitable<Result<ConnectionPtr>> RequestRouter::attempt(LinkKey key, MonotonicTime deadline) {
  if (closed_) co_return failure(closed_failure());
  if (ConnectionPtr open = usable(key)) co_return open;
  if (const auto ready = link_of(key).not_before; !link_of(key).attempt && ready > runtime_->now()) {
    const GateResult waited = co_await closing_->wait(std::min(ready, deadline));
    if (waited == GateResult::cancelled) co_return failure(Errc::cancelled, name_of(key.broker_id));
    if (waited == GateResult::opened) co_return failure(closed_failure());
    if (runtime_->now() >= deadline) co_return failure(Errc::timed_out, name_of(key.broker_id));
    if (ConnectionPtr open = usable(key)) co_return open;
  }
  if (!link_of(key).attempt) {
    const auto address = address_of(key.broker_id);
    if (!address) co_return failure(address.error());
    link_of(key).attempt = runtime_->make_gate();
    ++background_;
    runtime_->spawn(connect(shared_from_this(), key, *address));
  }
  const auto gate = link_of(key).attempt;
  const GateResult waited = co_await gate->wait(deadline);
  if (waited == GateResult::cancelled) co_return failure(Errc::cancelled, name_of(key.broker_id));
  if (waited == GateResult::timed_out) co_return failure(Errc::timed_out, name_of(key.broker_id));
  if (closed_) co_return failure(closed_failure());
  if (ConnectionPtr open = usable(key)) co_return open;
  Failure why = link_of(key).last_failure;
  if (!why.code) why = {Errc::disconnected, name_of(key.broker_id)};
  co_return failure(std::move(why));
}

asio::awaitable<void> RequestRouter::connect(std::shared_ptr<RequestRouter> self, LinkKey key, HostAndPort address) {
  const ClientConfig& config = self->options_.config;
  ConnectionOptions options{config.client_id, config.send_buffer_bytes, config.receive_buffer_bytes, self->counters_};
  const std::int32_t broker_id = std::max(key.broker_id, kNoBroker);
  const auto connection = std::make_shared<BrokerConnection>(
      self->runtime_, key.broker_id < kNoBroker ? kNoBroker : broker_id, std::move(address), std::move(options));
  self->link_of(key).candidate = connection;
  if (self->closed_) connection->close(self->closed_failure());
  const MonotonicTime deadline = self->runtime_->now() + self->link_of(key).setup_timeout.next();
  const auto opened = co_await connection->open(deadline);
  self->finish_attempt(key, connection, opened);
  self->background_ended();
}

void RequestRouter::finish_attempt(LinkKey key, const ConnectionPtr& connection, const Result<void>& opened) {
  Link& link = link_of(key);
  link.candidate.reset();
  if (opened) {
    link.connection = connection;
    link.failures = 0;
    link.backoff.reset();
    link.setup_timeout.reset();
    link.last_failure = {};
    logger_.debug("connected to {}", connection->name());
  } else {
    if (link.failures++ == 0) link.failing_since = runtime_->now();
    link.last_failure = opened.error();
    link.not_before = runtime_->now() + link.backoff.next();
    // The first, second, fourth, eighth, ... in a row: a broker that stays away does not fill the log.
    const bool is_told = std::has_single_bit(static_cast<unsigned>(link.failures));
    if (!closed_ && is_told) logger_.warn("{} (attempt {})", opened.error().message(), link.failures);
    if (!is_bootstrap(key) && !closed_) request_metadata_update();
  }
  const auto gate = std::exchange(link.attempt, nullptr);
  if (gate) gate->open();
}

Failure RequestRouter::unreachable(const std::vector<LinkKey>& keys, const std::string& what) const {
  std::string causes;
  for (const LinkKey& key : keys) {
    if (!causes.empty()) causes += "; ";
    causes += name_of(key.broker_id);
    const auto found = links_.find(key);
    if (found == links_.end()) continue;
    const Link& link = found->second;
    if (link.failures > 0) causes += ", " + std::to_string(link.failures) + " failed attempts";
    if (link.last_failure.code) causes += ", last: " + link.last_failure.message();
    if (link.attempt) causes += ", an attempt is under way";
  }
  return {Errc::timed_out, joined(what, causes)};
}

ConnectionPtr RequestRouter::least_loaded() const {
  ConnectionPtr best;
  for (const auto& [key, link] : links_) {
    const bool fits = link.connection && link.connection->is_open() && key.channel == Channel::main;
    if (fits && (!best || link.connection->in_flight() < best->in_flight())) best = link.connection;
  }
  return best;
}

/// The brokers known, or else the bootstrap addresses; the order starts at a random one.
std::vector<RequestRouter::LinkKey> RequestRouter::candidates() const {
  std::vector<LinkKey> keys;
  const auto snapshot = metadata_.snapshot();
  for (const auto& [id, node] : snapshot->brokers) keys.push_back({id, Channel::main});
  if (keys.empty()) {
    const auto count = static_cast<std::int32_t>(options_.config.bootstrap_servers.size());
    for (std::int32_t i = 0; i < count; ++i) keys.push_back({kNoBroker - 1 - i, Channel::main});
  }
  const auto first = static_cast<std::ptrdiff_t>(runtime_->random().below(keys.size()));
  std::rotate(keys.begin(), keys.begin() + first, keys.end());
  return keys;
}

/// The one that may be tried first.
std::optional<RequestRouter::LinkKey> RequestRouter::next_candidate(const std::vector<LinkKey>& keys) const {
  std::optional<LinkKey> best;
  for (const LinkKey& key : keys) {
    if (!best || ready_at(key.broker_id, key.channel) < ready_at(best->broker_id, best->channel)) best = key;
  }
  return best;
}

asio::awaitable<Result<ConnectionPtr>> RequestRouter::connection_to_any(MonotonicTime deadline) {
  const auto self = shared_from_this();
  const auto started = runtime_->now();
  for (;;) {
    if (closed_) co_return failure(closed_failure());
    if (ConnectionPtr open = least_loaded()) co_return open;
    if (all_brokers_failed()) rebootstrap("no known broker answers");
    const std::vector<LinkKey> keys = candidates();
    const LinkKey key = *next_candidate(keys);
    auto reached = co_await attempt(key, deadline);
    if (reached || reached.error().code == Errc::closed || reached.error().code == Errc::cancelled) co_return reached;
    if (runtime_->now() >= deadline) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(runtime_->now() - started).count();
      co_return failure(unreachable(keys, "no broker answered within " + std::to_string(ms) + " ms"));
    }
  }
}

asio::awaitable<Result<ConnectionPtr>> RequestRouter::connection_to_leader(TopicPartition partition, Channel channel,
                                                                           MonotonicTime deadline) {
  const auto self = shared_from_this();
  for (;;) {
    const auto known = co_await topic(partition.topic, deadline);
    if (!known) co_return failure(known.error());
    const PartitionMetadata* found = (*known)->find(partition.partition);
    if (found == nullptr) {
      co_return failure(broker_failure(
          protocol::code_of(protocol::ErrorCode::unknown_topic_or_partition),
          partition.to_string() + ": the topic has " + std::to_string((*known)->partition_count()) + " partitions"));
    }
    if (found->leader >= 0) {
      const std::int32_t leader = found->leader;
      co_return co_await connection_to(leader, channel, deadline);
    }
    const auto fresh = co_await refresh_metadata(deadline);
    if (!fresh)
      co_return failure(fresh.error().code, partition.to_string() + " has no leader; " + fresh.error().subject);
  }
}

asio::awaitable<Result<ConnectionPtr>> RequestRouter::connection_to_controller(MonotonicTime deadline) {
  const auto self = shared_from_this();
  while (metadata_.snapshot()->controller_id < 0) {
    const auto fresh = co_await refresh_metadata(deadline);
    if (!fresh) co_return failure(fresh.error().code, joined("the cluster names no controller", fresh.error().subject));
  }
  const std::int32_t controller = metadata_.snapshot()->controller_id;
  co_return co_await connection_to(controller, Channel::main, deadline);
}

bool RequestRouter::all_brokers_failed() const {
  const auto snapshot = metadata_.snapshot();
  if (snapshot->brokers.empty()) return false;
  return std::all_of(snapshot->brokers.begin(), snapshot->brokers.end(), [this](const auto& entry) {
    const auto found = links_.find({entry.first, Channel::main});
    return found != links_.end() && found->second.failures > 0 && !found->second.attempt;
  });
}

void RequestRouter::rebootstrap(const char* why) {
  if (!options_.config.rebootstrap) return;
  counters_->rebootstraps.fetch_add(1, std::memory_order_relaxed);
  logger_.warn("{}: asking the bootstrap servers again", why);
  metadata_.forget_brokers();
  // Where the brokers are now we shall learn anew: what was known of the ways to them is worth nothing.
  std::erase_if(links_, [](const auto& entry) {
    const Link& link = entry.second;
    return !link.attempt && !(link.connection && link.connection->is_open()) && entry.first.broker_id >= 0;
  });
}

// --- idle connections and shutdown ---

MonotonicTime RequestRouter::close_idle_connections() {
  const auto max_idle = options_.config.connections_max_idle;
  if (max_idle.count() < 0) return MonotonicTime::max();
  const auto now = runtime_->now();
  MonotonicTime next = now + max_idle;
  for (auto entry = links_.begin(); entry != links_.end();) {
    Link& link = entry->second;
    const bool is_idle = link.connection && !link.attempt && link.connection->in_flight() == 0;
    if (is_idle && link.connection->last_used() + max_idle <= now) {
      logger_.debug("closing the idle connection to {}", link.connection->name());
      link.connection->close({Errc::closed, "the connection was idle for longer than connections.max.idle.ms"});
      entry = links_.erase(entry);
      continue;
    }
    if (is_idle) next = std::min(next, link.connection->last_used() + max_idle);
    ++entry;
  }
  return next;
}

asio::awaitable<void> RequestRouter::idle_loop(std::shared_ptr<RequestRouter> self) {
  while (!self->closed_) {
    const MonotonicTime next = self->close_idle_connections();
    const GateResult waited = co_await self->closing_->wait(next);
    if (waited == GateResult::cancelled) break;
  }
  self->background_ended();
}

asio::awaitable<Result<void>> RequestRouter::sleep_until(MonotonicTime deadline) {
  const auto self = shared_from_this();
  const GateResult waited = co_await closing_->wait(deadline);
  if (waited == GateResult::timed_out) co_return Result<void>{};
  if (waited == GateResult::cancelled) co_return failure(Errc::cancelled);
  co_return failure(closed_failure());
}

Failure RequestRouter::closed_failure() const {
  return {Errc::closed, "the client was closed"};
}

void RequestRouter::open_and_replace(std::shared_ptr<Gate>& gate) {
  const auto opened = std::exchange(gate, runtime_->make_gate());
  opened->open();
}

void RequestRouter::background_ended() {
  if (--background_ == 0 && closed_) background_done_->open();
}

asio::awaitable<Result<void>> RequestRouter::shutdown() {
  const auto self = shared_from_this();
  closed_ = true;
  closing_->open();
  open_and_replace(metadata_wanted_);
  open_and_replace(metadata_asked_);
  for (auto& [key, link] : links_) {
    const ConnectionPtr candidate = link.candidate;
    const ConnectionPtr connection = link.connection;
    if (candidate) candidate->close(closed_failure());
    if (connection) connection->close(closed_failure());
  }
  if (background_ == 0) background_done_->open();
  co_await background_done_->wait(MonotonicTime::max());
  runtime_->timers()->end_if_idle();
  co_return Result<void>{};
}

}  // namespace barnabas::client
