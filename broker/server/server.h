#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/config/listeners.h"
#include "broker/server/api_table.h"
#include "broker/server/broker_services.h"
#include "broker/server/connection.h"
#include "broker/server/connection_limits.h"
#include "broker/server/spare_frames.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"

namespace barnabas::broker {

/// The broker's side of the network: listeners, and one reactor for each core with the connections that live on it.
/// Order of use: bind, serve, close_connections, stop.
/// Threads: bind, serve and stop from the owner's; never from one of its reactors.
class Server {
 public:
  struct Options {
    ConnectionOptions connection;
    ConnectionLimits::Limits limits;
    net::SocketOptions sockets;
    std::size_t reactors = 1;
    std::int64_t request_memory_bytes = -1;  ///< queued.max.request.bytes; zero or less: no limit.
  };
  /// Errors: Errc::invalid_config.
  static Result<Options> options_of(const runtime::ParsedConfig& config, std::size_t cores);

  Server(BrokerServices& services, const ApiTable& apis, net::Network& network, Options options);
  ~Server();

  /// Opens the ports. Connections wait until serve().
  /// Errors: the port is in use, the host is not ours; the subject names the address.
  Result<void> bind(const config::ListenerAddress& address, const config::ListenerAddress& advertised);
  void serve();
  /// Closes ports and connections and waits, not for long, until the requests under way have ended.
  void close_connections();
  /// close_connections(), then ends the threads.
  void stop();
  /// Destroys the reactors, after stop(). Whatever completes work for them from a thread of its own (the controller)
  /// must have ended between the two: it would touch what is gone.
  void clear();

  /// As bound and as told to clients, in the order of bind().
  std::vector<ListenerInfo> listeners() const;
  std::uint16_t port() const;
  std::size_t connection_count() const { return limits_.count(); }

 private:
  struct Core;
  struct Listener;

  using PlacePtr = std::unique_ptr<ConnectionLimits::Place>;

  static asio::awaitable<void> accept_connections(Server* self, Listener* listener);
  static asio::awaitable<Result<PlacePtr>> find_place(Server* self, Listener* listener, std::string peer_name);
  void hand_over(std::unique_ptr<net::ByteStream> stream, Core& core, const Listener& listener, PlacePtr place);
  void adopt(Core& core, const Listener& listener, std::shared_ptr<net::ByteStream> stream, PlacePtr place);
  void refuse(net::ByteStream& stream, const Listener& listener, const Failure& why);
  void note_end();

  BrokerServices& services_;
  const ApiTable& apis_;
  net::Network& network_;
  const Options options_;
  ConnectionLimits limits_;
  RequestMemory memory_;
  SpareFrames spare_frames_;
  std::unique_ptr<runtime::Signal> all_gone_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::size_t next_core_ = 0;  // the first core's thread only
  std::atomic<int> waiting_for_place_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace barnabas::broker
