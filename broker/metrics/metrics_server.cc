#include "broker/metrics/metrics_server.h"

#include <fmt/format.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <set>
#include <string_view>

namespace barnabas::broker {
namespace {

constexpr std::size_t kHeadBytesMax = 8 * 1024;
constexpr std::size_t kConnectionsMax = 16;
constexpr std::chrono::seconds kRequestTime{10};
constexpr std::chrono::milliseconds kPauseAfterFailedAccept{100};

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     type, body.size(), body);
}

std::string plain_response(std::string_view status) {
  return response(status, "text/plain", fmt::format("{}\n", status));
}

/// The answer to a request's head.
std::string answer_to(std::string_view head, const std::function<std::string()>& exposition) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto first_blank = line.find(' ');
  const auto second_blank = line.find(' ', first_blank == std::string_view::npos ? first_blank : first_blank + 1);
  if (second_blank == std::string_view::npos || line.substr(second_blank + 1, 5) != "HTTP/") {
    return plain_response("400 Bad Request");
  }
  const std::string_view target = line.substr(first_blank + 1, second_blank - first_blank - 1);
  if (target.substr(0, target.find('?')) != "/metrics") return plain_response("404 Not Found");
  if (line.substr(0, first_blank) != "GET") return plain_response("405 Method Not Allowed");
  return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", exposition());
}

}  // namespace

struct MetricsServer::Connection {
  std::unique_ptr<net::ByteStream> stream;
  std::unique_ptr<runtime::Alarm> watchdog;
};

struct MetricsServer::State {
  State(runtime::Env& the_env, net::Network& the_network, asio::any_io_executor the_executor)
      : env(the_env), network(the_network), executor(std::move(the_executor)) {}
  runtime::Env& env;
  net::Network& network;
  const asio::any_io_executor executor;
  std::function<std::string()> exposition;
  std::unique_ptr<net::Acceptor> acceptor;
  std::set<std::shared_ptr<Connection>> connections;
  bool is_stopped = false;
};

MetricsServer::MetricsServer(runtime::Env& env, net::Network& network, asio::any_io_executor executor,
                             std::function<std::string()> exposition)
    : state_(std::make_shared<State>(env, network, std::move(executor))) {
  state_->exposition = std::move(exposition);
}

MetricsServer::~MetricsServer() {
  stop();
}

Result<void> MetricsServer::start(const std::string& host, std::uint16_t port) {
  auto acceptor = state_->network.listen(state_->executor, host, port, net::SocketOptions{});
  if (!acceptor) return failure(std::move(acceptor.error()));
  state_->acceptor = std::move(*acceptor);
  asio::co_spawn(state_->executor, accept_all(state_), asio::detached);
  return {};
}

std::uint16_t MetricsServer::port() const noexcept {
  return state_->acceptor ? state_->acceptor->port() : 0;
}

void MetricsServer::stop() {
  if (state_->is_stopped) return;
  state_->is_stopped = true;
  if (state_->acceptor) state_->acceptor->close();
  for (const auto& connection : state_->connections) connection->stream->close();
}

asio::awaitable<void> MetricsServer::accept_all(std::shared_ptr<State> state) {
  while (!state->is_stopped) {
    auto stream = co_await state->acceptor->accept(state->executor);
    if (state->is_stopped) break;
    if (!stream) {
      // Out of descriptors, say: the next attempt would fail as fast.
      const Result<void> paused = co_await state->env.sleep_for(kPauseAfterFailedAccept);
      if (!paused) break;
      continue;
    }
    if (state->connections.size() >= kConnectionsMax) {
      (*stream)->close();
      continue;
    }
    auto connection = std::make_shared<Connection>();
    connection->stream = std::move(*stream);
    connection->watchdog = state->env.make_alarm(state->executor);
    state->connections.insert(connection);
    asio::co_spawn(state->executor, close_late(connection, state->env.clock().now() + kRequestTime), asio::detached);
    asio::co_spawn(state->executor, serve(state, connection), asio::detached);
  }
}

asio::awaitable<void> MetricsServer::close_late(std::shared_ptr<Connection> connection,
                                                runtime::MonotonicTime deadline) {
  const Result<void> ended = co_await connection->watchdog->wait_until(deadline);
  if (ended) connection->stream->close();
}

asio::awaitable<Result<std::string>> MetricsServer::read_head(std::shared_ptr<Connection> connection) {
  std::string head;
  std::array<std::byte, 1024> buffer;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (head.size() > kHeadBytesMax) co_return failure(Errc::buffer_full, connection->stream->peer_name());
    const MutableBytesView room(buffer);
    const auto count = co_await connection->stream->read_some(room);
    if (!count) co_return failure(count.error());
    head.append(as_text(BytesView(buffer).first(*count)));
  }
  co_return head;
}

asio::awaitable<void> MetricsServer::serve(std::shared_ptr<State> state, std::shared_ptr<Connection> connection) {
  const auto head = co_await read_head(connection);
  std::string answer;
  if (head)
    answer = answer_to(*head, state->exposition);
  else if (head.error().code == Errc::buffer_full)
    answer = plain_response("431 Request Header Fields Too Large");
  if (!answer.empty()) {
    const std::array<BytesView, 1> parts{as_bytes(answer)};
    const std::span<const BytesView> all(parts);
    static_cast<void>(co_await connection->stream->write(all));  // a scraper that left needs no answer
  }
  connection->watchdog->wake();
  connection->stream->close();
  state->connections.erase(connection);
}

}  // namespace barnabas::broker
