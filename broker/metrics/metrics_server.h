#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/bytes/result.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"

namespace barnabas::broker {

/// Answers GET /metrics over HTTP/1.1, one request a connection; anything else is 404, 405 or 400. A request has 8 KiB
/// and ten seconds; of more than 16 connections at once the newest is closed.
/// Threads: start from any; the rest happens on `executor`. stop() and the destructor on its thread, or once it has
/// ended.
class MetricsServer {
 public:
  /// `exposition` gives the page at each scrape (BrokerMetrics::exposition).
  MetricsServer(runtime::Env& env, net::Network& network, asio::any_io_executor executor,
                std::function<std::string()> exposition);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// Errors: those of Network::listen.
  Result<void> start(const std::string& host, std::uint16_t port);
  /// The port it listens on, also when start was given 0.
  std::uint16_t port() const noexcept;
  /// Closes the listener and all connections.
  void stop();

 private:
  struct State;
  struct Connection;
  static asio::awaitable<void> accept_all(std::shared_ptr<State> state);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<Connection> connection);
  static asio::awaitable<void> close_late(std::shared_ptr<Connection> connection, runtime::MonotonicTime deadline);
  static asio::awaitable<Result<std::string>> read_head(std::shared_ptr<Connection> connection);
  std::shared_ptr<State> state_;
};

}  // namespace barnabas::broker
