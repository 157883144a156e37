#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/config/broker_config.h"
#include "common/bytes/result.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"
#include "common/runtime/logging.h"

namespace barnabas::broker {

inline constexpr const char* kVersion = "0.1.0";

struct BrokerOptions {
  runtime::Logger logger{"broker"};
  std::size_t reactors = 1;  ///< Threads that serve connections, where num.network.threads does not say.
  /// The metadata log cannot be trusted any more: the process should end. Called once, from a thread of the broker.
  std::function<void(const Failure&)> on_fatal;
};

/// A whole broker: data directory, metadata log and controller, partitions, listeners, and the work in the background.
/// Threads: start, stop and the destructor from the owner's; the rest from any.
class Broker {
 public:
  /// Serves when it returns.
  /// Errors, each one sentence that names the thing: a port in use, a data directory that is locked, not writable, of
  /// another cluster or a newer version, a feature that we do not know.
  static Result<std::unique_ptr<Broker>> start(runtime::Env& env, net::Network& network, config::BrokerConfig config,
                                               BrokerOptions options);
  /// stop(), its failure to the log.
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Drops the connections, hands the partitions back, flushes the logs and marks the directory as closed cleanly.
  /// Errors: what could not be written. A second call does nothing.
  Result<void> stop();

  /// Of the first listener.
  std::uint16_t port() const;
  /// Of the Prometheus page; 0 where there is none.
  std::uint16_t metrics_port() const;
  /// "PLAINTEXT://localhost:9092", several with commas between.
  std::string listening_on() const;
  const std::string& cluster_id() const;
  const std::string& data_directory() const;
  std::size_t connection_count() const;

 private:
  class State;
  explicit Broker(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace barnabas::broker
