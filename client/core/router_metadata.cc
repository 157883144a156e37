// The half of RequestRouter that keeps the metadata fresh.
#include <algorithm>
#include <asio/post.hpp>

#include "client/core/errors.h"
#include "client/core/request_router.h"
#include "common/protocol/messages/metadata.h"

namespace barnabas::client {

using runtime::MonotonicTime;

void RequestRouter::request_metadata_update() {
  metadata_.request_update();
  asio::post(runtime_->executor(), [self = shared_from_this()] { self->open_and_replace(self->metadata_wanted_); });
}

asio::awaitable<void> RequestRouter::metadata_loop(std::shared_ptr<RequestRouter> self) {
  for (;;) {
    co_await self->wait_until_metadata_is_due();
    if (self->closed_) break;
    ++self->metadata_attempts_;
    const auto result = co_await self->ask_for_metadata();
    if (self->closed_) break;
    self->take_metadata(result);
  }
  self->background_ended();
}

asio::awaitable<void> RequestRouter::wait_until_metadata_is_due() {
  for (;;) {
    const MonotonicTime now = runtime_->now();
    const MonotonicTime allowed = metadata_.has_new_topics() ? now : metadata_not_before_;
    const MonotonicTime due = std::max(metadata_.next_update(now), allowed);
    if (closed_ || due <= now) co_return;
    const auto gate = metadata_wanted_;
    const GateResult waited = co_await gate->wait(due);
    if (waited == GateResult::cancelled) closed_ = true;
  }
}

asio::awaitable<Result<void>> RequestRouter::ask_for_metadata() {
  const MonotonicTime deadline = within_request_timeout(MonotonicTime::max());
  const auto connection = co_await connection_to_any(deadline);
  if (!connection) co_return failure(connection.error());
  const ConnectionPtr to = *connection;
  const auto version = to->version_for(protocol::ApiKey::metadata);
  if (!version) co_return failure(version.error());
  ++metadata_requests_;
  protocol::MetadataRequest request = metadata_.request(*version, runtime_->now());
  const auto reply = co_await to->call<protocol::MetadataResponse>(std::move(request), deadline);
  if (!reply) co_return failure(reply.error());
  const auto error = static_cast<protocol::ErrorCode>(reply->body.error_code);
  if (error == protocol::ErrorCode::rebootstrap_required) rebootstrap("the cluster asks for it");
  if (error != protocol::ErrorCode::none) co_return failure(make_error_code(error), "Metadata to " + to->name());
  if (reply->body.brokers.empty())
    co_return failure(Errc::corrupt_data, "Metadata to " + to->name() + " names no broker");
  metadata_.on_response(reply->body, runtime_->now());
  co_return Result<void>{};
}

void RequestRouter::take_metadata(const Result<void>& result) {
  const MonotonicTime now = runtime_->now();
  if (result) {
    counters_->metadata_refreshes.fetch_add(1, std::memory_order_relaxed);
    metadata_answered_ = metadata_requests_;
    metadata_failure_ = {};
    metadata_failing_since_ = MonotonicTime::max();
    const bool settled = metadata_.next_update(now) > now;
    if (settled) metadata_backoff_.reset();
    adopt_bootstrap_connections();
    drop_stale_links();
    if (options_.on_metadata_change) options_.on_metadata_change();
  } else {
    metadata_failure_ = result.error();
    metadata_.on_failure(now);
    if (metadata_failing_since_ == MonotonicTime::max()) metadata_failing_since_ = now;
    if (now - metadata_failing_since_ >= options_.config.rebootstrap_trigger) {
      metadata_failing_since_ = now;
      rebootstrap("no metadata for longer than metadata.recovery.rebootstrap.trigger.ms");
    }
  }
  metadata_not_before_ = now + metadata_backoff_.next();
  open_and_replace(metadata_asked_);
}

/// A bootstrap server that turned out to be a broker of the cluster needs no second connection; the others are not
/// needed any more.
void RequestRouter::adopt_bootstrap_connections() {
  const auto snapshot = metadata_.snapshot();
  for (const auto& [id, node] : snapshot->brokers) {
    const HostAndPort address{node.host, node.port};
    for (auto& [key, link] : links_) {
      const bool fits = is_bootstrap(key) && link.connection && link.connection->address() == address;
      if (!fits || !link.connection->is_open() || open_connection(id, Channel::main)) continue;
      const ConnectionPtr adopted = std::exchange(link.connection, nullptr);
      adopted->set_broker_id(id);
      link_of({id, Channel::main}).connection = adopted;
    }
  }
  for (auto& [key, link] : links_) {
    if (!is_bootstrap(key) || !link.connection || link.connection->in_flight() > 0) continue;
    link.connection->close({Errc::closed, "the cluster's own brokers are known now"});
    link.connection.reset();
  }
}

/// Connections to brokers that moved or left.
void RequestRouter::drop_stale_links() {
  for (auto entry = links_.begin(); entry != links_.end();) {
    const auto& [key, link] = *entry;
    const auto address = address_of(key.broker_id);
    const ConnectionPtr connection = link.connection;
    const bool is_stale =
        !is_bootstrap(key) && !link.attempt && (!address || (connection && connection->address() != *address));
    if (!is_stale) {
      ++entry;
      continue;
    }
    entry = links_.erase(entry);
    if (connection) connection->close({Errc::disconnected, connection->name() + " has left the cluster or moved"});
  }
}

asio::awaitable<Result<std::shared_ptr<const ClusterSnapshot>>> RequestRouter::refresh_metadata(
    MonotonicTime deadline) {
  const auto self = shared_from_this();
  const auto started = runtime_->now();
  const std::uint64_t before = metadata_requests_;
  const std::uint64_t attempts_before = metadata_attempts_;
  request_metadata_update();
  while (metadata_answered_ <= before) {
    if (closed_) co_return failure(closed_failure());
    const auto gate = metadata_asked_;
    const GateResult waited = co_await gate->wait(deadline);
    if (waited == GateResult::cancelled) co_return failure(Errc::cancelled, "metadata");
    if (waited == GateResult::opened) continue;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(runtime_->now() - started).count();
    std::string what = "no metadata within " + std::to_string(ms) + " ms, " +
                       std::to_string(metadata_attempts_ - attempts_before) + " further attempts";
    if (metadata_failure_.code) co_return failure(Errc::timed_out, what + ", last: " + metadata_failure_.message());
    Failure why = unreachable(candidates(), what);
    co_return failure(std::move(why));
  }
  co_return metadata_.snapshot();
}

asio::awaitable<Result<std::shared_ptr<const TopicMetadata>>> RequestRouter::topic(std::string name,
                                                                                   MonotonicTime deadline) {
  const auto self = shared_from_this();
  metadata_.want_topic(name, runtime_->now());
  std::string last_answer;
  for (bool is_fresh = false;; is_fresh = true) {
    const auto snapshot = metadata_.snapshot();
    const auto found = snapshot->topics.find(name);
    if (found != snapshot->topics.end()) {
      const TopicMetadata& known = *found->second;
      if (known.error == protocol::ErrorCode::none && !known.partitions.empty()) co_return found->second;
      if (is_fresh && !protocol::is_retriable(known.error) && known.error != protocol::ErrorCode::none) {
        co_return failure(make_error_code(known.error), "topic '" + name + "'");
      }
      last_answer = ", the cluster's last answer: " + std::string(protocol::to_string(known.error));
    }
    const auto fresh = co_await refresh_metadata(deadline);
    if (!fresh) {
      const bool is_late = fresh.error().code == Errc::timed_out;
      co_return failure(fresh.error().code, "topic '" + name + "'" + (is_late ? " is not known: " : ": ") +
                                                fresh.error().subject + last_answer);
    }
  }
}

}  // namespace barnabas::client
