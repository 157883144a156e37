#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/metrics.h"
#include "barnabas/topic_partition.h"
#include "client/core/backoff.h"
#include "client/core/broker_connection.h"
#include "client/core/client_config.h"
#include "client/core/client_runtime.h"
#include "client/core/metadata_cache.h"
#include "common/runtime/logging.h"

namespace barnabas::client {

using ConnectionPtr = std::shared_ptr<BrokerConnection>;

/// Which of the connections to a broker: a long poll on one of them does not hold up what goes over another.
enum class Channel : std::uint8_t { main, fetch, coordinator };

/// Finds the broker that a request belongs to, keeps one connection per broker and channel, and keeps the metadata
/// fresh. One per client. A connection is made when it is first asked for, with reconnect back-off per broker, and
/// closed after connections.max.idle.ms. When no known broker answers, the bootstrap addresses are asked again.
/// Threads: make(), metadata(), request_metadata_update() and metrics() from any; all else on the executor.
/// The caller keeps the router alive while it awaits.
/// Errors: all name the broker, how often it was tried, and the last cause. Errc::timed_out when the deadline passes,
/// Errc::closed after shutdown().
class RequestRouter : public std::enable_shared_from_this<RequestRouter> {
 public:
  struct Options {
    ClientConfig config;
    MetadataCache::Options metadata{};
    /// Called on the executor after each metadata change (a leader moved, partitions were added, ...).
    std::function<void()> on_metadata_change{};
  };
  /// Starts to look for the cluster at once where `options.metadata.all_topics` or a wanted topic asks for it, else
  /// with the first call.
  static std::shared_ptr<RequestRouter> make(std::shared_ptr<ClientRuntime> runtime, Options options,
                                             runtime::Logger logger);
  RequestRouter(std::shared_ptr<ClientRuntime> runtime, Options options, runtime::Logger logger);

  ClientRuntime& runtime() noexcept { return *runtime_; }
  const std::shared_ptr<ClientRuntime>& shared_runtime() const noexcept { return runtime_; }
  const ClientConfig& config() const noexcept { return options_.config; }
  const runtime::Logger& logger() const noexcept { return logger_; }
  MetadataCache& metadata() noexcept { return metadata_; }
  const MetadataCache& metadata() const noexcept { return metadata_; }
  ConnectionMetrics metrics() const noexcept { return counters_->read(); }
  runtime::MonotonicTime deadline_in(std::chrono::milliseconds timeout) const;

  /// An open connection to this broker: waits for the back-off, connects, and tries again until the deadline.
  asio::awaitable<Result<ConnectionPtr>> connection_to(std::int32_t broker_id, Channel channel,
                                                       runtime::MonotonicTime deadline);
  /// To the broker with the fewest requests under way, or to a bootstrap address.
  asio::awaitable<Result<ConnectionPtr>> connection_to_any(runtime::MonotonicTime deadline);
  /// To the leader of a partition as known now (looks the topic up first where it is unknown).
  asio::awaitable<Result<ConnectionPtr>> connection_to_leader(TopicPartition partition, Channel channel,
                                                              runtime::MonotonicTime deadline);
  /// To the broker that the cluster names as its controller.
  asio::awaitable<Result<ConnectionPtr>> connection_to_controller(runtime::MonotonicTime deadline);
  /// The open connection, or nullptr: never waits.
  ConnectionPtr open_connection(std::int32_t broker_id, Channel channel) const;
  /// Until when a broker is left alone after a failed attempt; `now` or earlier: it may be tried.
  runtime::MonotonicTime ready_at(std::int32_t broker_id, Channel channel) const;
  /// Why the last attempt to reach a broker failed; empty when it did not.
  std::string last_failure(std::int32_t broker_id) const;
  /// What the way to a broker waits for, in words; empty while its connection is open.
  std::string explain_link(std::int32_t broker_id, Channel channel) const;
  /// Why there are no metadata: the last failure to get any, or what is tried. Empty where the last attempt succeeded.
  std::string explain_metadata() const;

  /// One request to one broker, as connection_to() and call(). No retries: those are the caller's, who knows what may
  /// be repeated.
  template <typename Response, typename Request>
  asio::awaitable<Result<Reply<Response>>> call(std::int32_t broker_id, Request request,
                                                runtime::MonotonicTime deadline) {
    const auto self = shared_from_this();
    auto connection = co_await connection_to(broker_id, Channel::main, deadline);
    if (!connection) co_return failure(connection.error());
    const ConnectionPtr to = *connection;
    co_return co_await to->call<Response>(std::move(request), within_request_timeout(deadline));
  }
  /// One request to any broker.
  template <typename Response, typename Request>
  asio::awaitable<Result<Reply<Response>>> call_any(Request request, runtime::MonotonicTime deadline) {
    const auto self = shared_from_this();
    auto connection = co_await connection_to_any(deadline);
    if (!connection) co_return failure(connection.error());
    const ConnectionPtr to = *connection;
    co_return co_await to->call<Response>(std::move(request), within_request_timeout(deadline));
  }
  /// `deadline` or request.timeout.ms from now, whichever is earlier.
  runtime::MonotonicTime within_request_timeout(runtime::MonotonicTime deadline) const;

  /// Asks for fresh metadata (as soon as the back-off allows) and does not wait. Threads: any.
  void request_metadata_update();
  /// Waits for metadata that was asked for after this call.
  asio::awaitable<Result<std::shared_ptr<const ClusterSnapshot>>> refresh_metadata(runtime::MonotonicTime deadline);
  /// The topic, once the cluster knows it: asks until the deadline while it does not (Kafka may be about to create it).
  /// Errors: at once for what no retry can change (INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED), else
  /// Errc::timed_out with the cluster's last answer in the message.
  asio::awaitable<Result<std::shared_ptr<const TopicMetadata>>> topic(std::string name,
                                                                      runtime::MonotonicTime deadline);
  /// Sleeps; Errc::closed when the router is shut down meanwhile.
  asio::awaitable<Result<void>> sleep_until(runtime::MonotonicTime deadline);

  /// Closes all connections and ends every wait with Errc::closed; returns when the background work has ended. May be
  /// called twice.
  asio::awaitable<Result<void>> shutdown();
  bool is_shut_down() const noexcept { return closed_; }

 private:
  static constexpr std::int32_t kNoBroker = -1;

  struct LinkKey {
    std::int32_t broker_id;  // bootstrap addresses count down from -2
    Channel channel;
    auto operator<=>(const LinkKey&) const = default;
  };
  /// The way to one broker over one channel: its connection, or the attempt to make one.
  struct Link {
    ConnectionPtr connection;       // open, or found closed at its next use
    ConnectionPtr candidate;        // while an attempt is under way
    std::shared_ptr<Gate> attempt;  // opened when it has ended
    Backoff backoff;
    Backoff setup_timeout;
    runtime::MonotonicTime not_before{};
    int failures = 0;                        // since the last success
    runtime::MonotonicTime failing_since{};  // with failures > 0
    Failure last_failure;
  };

  Link& link_of(LinkKey key);
  bool is_bootstrap(LinkKey key) const noexcept { return key.broker_id < kNoBroker; }
  Result<HostAndPort> address_of(std::int32_t broker_id) const;
  std::string name_of(std::int32_t broker_id) const;
  ConnectionPtr usable(LinkKey key);
  asio::awaitable<Result<ConnectionPtr>> connection_by(LinkKey key, runtime::MonotonicTime deadline);
  asio::awaitable<Result<ConnectionPtr>> attempt(LinkKey key, runtime::MonotonicTime deadline);
  static asio::awaitable<void> connect(std::shared_ptr<RequestRouter> self, LinkKey key, HostAndPort address);
  void finish_attempt(LinkKey key, const ConnectionPtr& connection, const Result<void>& opened);
  Failure unreachable(const std::vector<LinkKey>& keys, const std::string& what) const;
  std::vector<LinkKey> candidates() const;
  ConnectionPtr least_loaded() const;
  std::optional<LinkKey> next_candidate(const std::vector<LinkKey>& keys) const;

  static asio::awaitable<void> metadata_loop(std::shared_ptr<RequestRouter> self);
  static asio::awaitable<void> idle_loop(std::shared_ptr<RequestRouter> self);
  asio::awaitable<void> wait_until_metadata_is_due();
  asio::awaitable<Result<void>> ask_for_metadata();
  void take_metadata(const Result<void>& result);
  void adopt_bootstrap_connections();
  void drop_stale_links();
  void rebootstrap(const char* why);
  bool all_brokers_failed() const;
  runtime::MonotonicTime close_idle_connections();
  void open_and_replace(std::shared_ptr<Gate>& gate);
  void background_ended();
  Failure closed_failure() const;

  std::shared_ptr<ClientRuntime> runtime_;
  Options options_;
  runtime::Logger logger_;
  MetadataCache metadata_;
  std::shared_ptr<ConnectionCounters> counters_;
  std::map<LinkKey, Link> links_;
  std::shared_ptr<Gate> metadata_wanted_;  // opened and replaced to wake the metadata loop
  std::shared_ptr<Gate> metadata_asked_;   // opened and replaced after every attempt
  std::shared_ptr<Gate> closing_;
  std::shared_ptr<Gate> background_done_;
  Backoff metadata_backoff_;
  Failure metadata_failure_;  // of the last attempt; no code after a success
  runtime::MonotonicTime metadata_not_before_{};
  runtime::MonotonicTime metadata_failing_since_ = runtime::MonotonicTime::max();
  std::uint64_t metadata_attempts_ = 0;  // begun, also those that never found a broker
  std::uint64_t metadata_requests_ = 0;  // built
  std::uint64_t metadata_answered_ = 0;  // number of the newest request that was answered
  int background_ = 0;
  bool closed_ = false;
};

}  // namespace barnabas::client
