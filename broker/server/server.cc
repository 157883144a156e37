#include "broker/server/server.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <chrono>
#include <utility>

#include "broker/metrics/broker_metrics.h"

namespace barnabas::broker {
namespace {

constexpr runtime::Duration kStopPatience = std::chrono::milliseconds(500);
constexpr runtime::Duration kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

/// One reactor and the connections that live on it.
struct Server::Core {
  std::vector<Connection*> connections;  // by age; its thread only; outlives the reactor, whose end may end connections
  std::unique_ptr<runtime::Reactor> reactor;
};

struct Server::Listener {
  ListenerInfo info;
  std::uint16_t port = 0;
  std::unique_ptr<net::Acceptor> acceptor;          // the first core's thread, once serving
  std::unique_ptr<runtime::Alarm> a_place_is_free;  // the first core's thread
};

Result<Server::Options> Server::options_of(const runtime::ParsedConfig& config, std::size_t cores) {
  Result<ConnectionLimits::Limits> limits = ConnectionLimits::limits_of(config);
  if (!limits) return failure(std::move(limits.error()));
  Options options;
  options.connection.max_request_bytes = config.get_int("socket.request.max.bytes");
  options.connection.max_idle = std::chrono::milliseconds(config.get_long("connections.max.idle.ms"));
  options.limits = std::move(*limits);
  options.sockets.send_buffer_bytes = config.get_int("socket.send.buffer.bytes");
  // Kafka's default holds a fraction of a large request: each is then read in many small pieces.
  if (config.is_set("socket.receive.buffer.bytes"))
    options.sockets.receive_buffer_bytes = config.get_int("socket.receive.buffer.bytes");
  options.reactors = cores;
  options.request_memory_bytes = config.get_long("queued.max.request.bytes");
  if (config.is_set("num.network.threads"))
    options.reactors = static_cast<std::size_t>(config.get_int("num.network.threads"));
  return options;
}

Server::Server(BrokerServices& services, const ApiTable& apis, net::Network& network, Options options)
    : services_(services),
      apis_(apis),
      network_(network),
      options_(std::move(options)),
      limits_(options_.limits),
      memory_(options_.request_memory_bytes),
      all_gone_(services.env->make_signal()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.reactors, 1); ++i) {
    cores_.push_back(std::make_unique<Core>());
    cores_.back()->reactor = services_.env->make_reactor("broker-net-" + std::to_string(i));
  }
}

Server::~Server() {
  stop();
  clear();
}

Result<void> Server::bind(const config::ListenerAddress& address, const config::ListenerAddress& advertised) {
  auto acceptor = network_.listen(cores_.front()->reactor->executor(), address.host, address.port, options_.sockets);
  if (!acceptor) return failure(std::move(acceptor.error()));
  auto listener = std::make_unique<Listener>();
  listener->acceptor = std::move(*acceptor);
  listener->port = listener->acceptor->port();
  listener->a_place_is_free = services_.env->make_alarm(cores_.front()->reactor->executor());
  listener->info.name = address.name;
  listener->info.advertised_host = advertised.host;
  listener->info.advertised_port = advertised.port != 0 ? advertised.port : listener->port;
  listeners_.push_back(std::move(listener));
  return {};
}

void Server::serve() {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    asio::co_spawn(cores_.front()->reactor->executor(), accept_connections(this, listener.get()), asio::detached);
  }
}

asio::awaitable<void> Server::accept_connections(Server* self, Listener* listener) {
  for (;;) {
    Core* core = self->cores_[self->next_core_++ % self->cores_.size()].get();
    const asio::any_io_executor executor = core->reactor->executor();
    Result<std::unique_ptr<net::ByteStream>> stream = co_await listener->acceptor->accept(executor);
    if (stream) {
      std::string peer_name = (*stream)->peer_name();
      Result<PlacePtr> place = co_await find_place(self, listener, std::move(peer_name));
      if (place) {
        self->hand_over(std::move(*stream), *core, *listener, std::move(*place));
      } else if (place.error().code == Errc::closed) {
        co_return;
      } else {
        self->refuse(**stream, *listener, place.error());
      }
    } else if (stream.error().code == Errc::closed || stream.error().code == Errc::cancelled) {
      co_return;
    } else {
      self->services_.logger.warn("{}", stream.error().message());
      co_await self->services_.env->sleep_for(kAcceptPause);
    }
  }
}

/// Where max.connections is reached, this connection waits for another one's end, and those behind it in the system's
/// queue: as in Kafka. Only where the peer's address has too many, it is refused.
asio::awaitable<Result<Server::PlacePtr>> Server::find_place(Server* self, Listener* listener, std::string peer_name) {
  ++self->waiting_for_place_;  // before looking: an end that is not seen now wakes
  for (bool told = false;; told = true) {
    Result<PlacePtr> place = self->limits_.enter(peer_name);
    if (place || place.error().code != Errc::buffer_full) {
      --self->waiting_for_place_;
      co_return place;
    }
    if (!told) self->services_.logger.warn("{} waits: {}", peer_name, place.error().subject);
    co_await listener->a_place_is_free->wait_until(runtime::MonotonicTime::max());
    if (self->closed_) co_return failure(Errc::closed);
  }
}

void Server::note_end() {
  all_gone_->notify([] {});
  if (waiting_for_place_ == 0) return;
  asio::post(cores_.front()->reactor->executor(), [this] {
    for (const std::unique_ptr<Listener>& listener : listeners_) listener->a_place_is_free->wake();
  });
}

void Server::refuse(net::ByteStream& stream, const Listener& listener, const Failure& why) {
  services_.metrics->connections_refused.add();
  services_.logger.warn("{} on {} closed: {}", stream.peer_name(), listener.info.name, why.subject);
  stream.close();
}

void Server::hand_over(std::unique_ptr<net::ByteStream> stream, Core& core, const Listener& listener, PlacePtr place) {
  // Shared, since a posted function may have to be copied.
  struct Arrival {
    std::shared_ptr<net::ByteStream> stream;
    PlacePtr place;
  };
  auto arrival = std::make_shared<Arrival>(Arrival{std::move(stream), std::move(place)});
  asio::post(core.reactor->executor(), [this, &core, &listener, arrival] {
    adopt(core, listener, std::move(arrival->stream), std::move(arrival->place));
  });
}

void Server::adopt(Core& core, const Listener& listener, std::shared_ptr<net::ByteStream> stream, PlacePtr place) {
  if (closed_) return stream->close();
  auto on_end = [this, &core](Connection* connection) {
    std::erase(core.connections, connection);
    note_end();
  };
  const auto connection =
      std::make_shared<Connection>(std::move(stream), listener.info, services_, apis_, memory_, spare_frames_,
                                   options_.connection, std::move(place), std::move(on_end));
  core.connections.push_back(connection.get());
  connection->start();
}

void Server::close_connections() {
  if (closed_.exchange(true)) return;
  // Closed on their own threads; an acceptor first, so that no connection comes after.
  auto closed = std::make_shared<std::atomic<std::size_t>>(0);
  asio::post(cores_.front()->reactor->executor(), [this, closed] {
    for (const std::unique_ptr<Listener>& listener : listeners_) {
      listener->acceptor->close();
      listener->a_place_is_free->wake();
    }
    for (const std::unique_ptr<Core>& core : cores_) {
      asio::post(core->reactor->executor(), [this, &core, closed] {
        const std::vector<Connection*> connections = core->connections;
        for (Connection* connection : connections) connection->close();
        all_gone_->notify([&] { closed->fetch_add(1); });
      });
    }
  });
  all_gone_->wait_until(services_.env->clock().now() + kStopPatience,
                        [this, closed] { return *closed == cores_.size() && limits_.count() == 0; });
}

void Server::stop() {
  close_connections();
  memory_.shut_down();
  for (const std::unique_ptr<Core>& core : cores_) core->reactor->stop();
}

void Server::clear() {
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->a_place_is_free.reset();
    listener->acceptor.reset();
  }
  cores_.clear();
}

std::vector<ListenerInfo> Server::listeners() const {
  std::vector<ListenerInfo> result;
  for (const std::unique_ptr<Listener>& listener : listeners_) result.push_back(listener->info);
  return result;
}

std::uint16_t Server::port() const {
  return listeners_.empty() ? std::uint16_t{0} : listeners_.front()->port;
}

}  // namespace barnabas::broker
