#include "common/net/memory_network.h"

#include <algorithm>
#include <array>
#include <deque>

#include "common/runtime/async_event.h"

namespace barnabas::net {
namespace {

using runtime::AsyncEvent;
using runtime::Duration;
using runtime::MonotonicTime;

constexpr std::size_t kWindowBytes = 1024 * 1024;
constexpr std::size_t kCopyChunkBytes = 64 * 1024;
constexpr std::uint16_t kFirstFreePort = 30000;

/// One direction of a connection.
struct Pipe {
  Pipe(runtime::Env& env, asio::any_io_executor reader, asio::any_io_executor writer)
      : readable(env, std::move(reader)), writable(env, std::move(writer)) {}

  struct Chunk {
    MonotonicTime arrives;
    Bytes bytes;
    std::size_t used = 0;
  };
  std::deque<Chunk> chunks;
  std::size_t bytes_waiting = 0;
  // Who has left may be gone with the loop that it ran on: it is told nothing more.
  bool writer_left = false;
  bool reader_left = false;
  void wake_reader() {
    if (!reader_left) readable.notify();
  }
  void wake_writer() {
    if (!writer_left) writable.notify();
  }
  AsyncEvent readable;
  AsyncEvent writable;
};

struct Connection {
  Connection(runtime::Env& env, const asio::any_io_executor& client, const asio::any_io_executor& server)
      : to_server(env, server, client), to_client(env, client, server) {}
  void wake() {
    for (Pipe* pipe : {&to_server, &to_client}) {
      pipe->wake_reader();
      pipe->wake_writer();
    }
  }
  /// The server is gone, or going.
  void leave_server() {
    server_is_dead = true;
    to_server.reader_left = true;
    to_client.writer_left = true;
    wake();
  }
  Pipe to_server;
  Pipe to_client;
  bool is_cut = false;
  bool server_is_dead = false;
};

}  // namespace

class MemoryAcceptor;

struct MemoryNetwork::Core {
  explicit Core(runtime::Env& the_env) : env(the_env) {}

  Duration draw_delay() {
    if (longest <= shortest) return shortest;
    return shortest + Duration(static_cast<std::int64_t>(
                          env.random().below(static_cast<std::uint64_t>((longest - shortest).count()) + 1)));
  }
  bool draws_a_cut() { return cut_one_in > 0 && env.random().below(cut_one_in) == 0; }

  runtime::Env& env;
  std::map<std::pair<std::string, std::uint16_t>, MemoryAcceptor*> listeners;
  std::vector<std::weak_ptr<Connection>> connections;
  Duration shortest{0};
  Duration longest{0};
  std::uint64_t cut_one_in = 0;
  bool is_stalled = false;
  bool is_refusing = false;
  std::function<void(const std::string&, BytesView)> watcher;
  std::uint16_t next_port = kFirstFreePort;
  std::uint16_t next_client_port = 50000;
};

namespace {

template <typename Core>
class MemoryStream final : public ByteStream {
 public:
  MemoryStream(std::shared_ptr<Core> core, std::shared_ptr<Connection> connection, bool is_client,
               asio::any_io_executor executor, std::string peer_name)
      : core_(std::move(core)),
        connection_(std::move(connection)),
        is_client_(is_client),
        in_(is_client ? connection_->to_client : connection_->to_server),
        out_(is_client ? connection_->to_server : connection_->to_client),
        executor_(std::move(executor)),
        peer_name_(std::move(peer_name)) {}
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  ~MemoryStream() override { close(); }

  asio::any_io_executor executor() override { return executor_; }

  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    const std::shared_ptr<Connection> alive = connection_;
    for (;;) {
      if (auto usable = check(); !usable) co_return failure(usable.error());
      MonotonicTime next_look = MonotonicTime::max();
      if (!in_.chunks.empty() && !core_->is_stalled) {
        next_look = in_.chunks.front().arrives;
        if (next_look <= core_->env.clock().now()) co_return take(out);
      } else if (in_.chunks.empty() && in_.writer_left) {
        co_return failure(Errc::disconnected, "read " + peer_name_ + " (the peer closed)");
      }
      const Result<void> woken = co_await in_.readable.wait_until(next_look);
      if (!woken && woken.error().code == Errc::cancelled) co_return failure(woken.error());
    }
  }

  asio::awaitable<Result<void>> write(std::span<const BytesView> parts) override {
    const std::shared_ptr<Connection> alive = connection_;
    Bytes bytes;
    for (const BytesView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    while (out_.bytes_waiting > kWindowBytes && check() && !out_.reader_left) {
      const Result<void> woken = co_await out_.writable.wait();
      if (!woken && woken.error().code == Errc::cancelled) co_return woken;
    }
    if (auto usable = check(); !usable) co_return usable;
    if (out_.reader_left) co_return failure(Errc::disconnected, "write " + peer_name_ + " (the peer closed)");
    if (core_->draws_a_cut()) {
      bytes.resize(static_cast<std::size_t>(core_->env.random().below(bytes.size() + 1)));
      put(std::move(bytes));
      out_.writer_left = true;
      is_broken_ = true;
      connection_->wake();
      co_return failure(Errc::disconnected, "write " + peer_name_ + " (the network broke)");
    }
    put(std::move(bytes));
    co_return Result<void>{};
  }

  asio::awaitable<Result<void>> write_file(const runtime::File& file, std::uint64_t position,
                                           std::uint64_t length) override {
    Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kCopyChunkBytes)));
    while (length > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer.size()));
      const MutableBytesView chunk = MutableBytesView(buffer).first(wanted);
      const auto count = file.read_at(chunk, position);
      if (!count) co_return failure(count.error());
      if (*count < wanted)
        co_return failure(Errc::corrupt_data, file.path() + " is shorter than what should be sent of it");
      const std::array<BytesView, 1> parts{BytesView(chunk)};
      const Result<void> written = co_await write(parts);
      if (!written) co_return written;
      position += wanted;
      length -= wanted;
    }
    co_return Result<void>{};
  }

  void close() noexcept override {
    if (is_closed_) return;
    is_closed_ = true;
    connection_->wake();
    out_.writer_left = true;
    in_.reader_left = true;
  }

  const std::string& peer_name() const noexcept override { return peer_name_; }

 private:
  Result<void> check() const {
    if (is_closed_) return failure(Errc::closed, peer_name_);
    if (connection_->server_is_dead && !is_client_) return failure(Errc::closed, peer_name_);
    if (connection_->is_cut || is_broken_) return failure(Errc::disconnected, peer_name_ + " (the network broke)");
    return {};
  }

  std::size_t take(MutableBytesView out) {
    Pipe::Chunk& chunk = in_.chunks.front();
    const std::size_t count = std::min(out.size(), chunk.bytes.size() - chunk.used);
    std::copy_n(chunk.bytes.begin() + static_cast<std::ptrdiff_t>(chunk.used), count, out.begin());
    chunk.used += count;
    in_.bytes_waiting -= count;
    if (chunk.used == chunk.bytes.size()) in_.chunks.pop_front();
    in_.wake_writer();
    return count;
  }

  void put(Bytes bytes) {
    if (bytes.empty()) return;
    if (core_->watcher) core_->watcher(peer_name_, bytes);
    MonotonicTime arrives = core_->env.clock().now() + core_->draw_delay();
    if (!out_.chunks.empty()) arrives = std::max(arrives, out_.chunks.back().arrives);  // order is kept
    out_.bytes_waiting += bytes.size();
    out_.chunks.push_back({arrives, std::move(bytes), 0});
    out_.wake_reader();
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<Connection> connection_;
  const bool is_client_;
  Pipe& in_;
  Pipe& out_;
  asio::any_io_executor executor_;
  std::string peer_name_;
  bool is_closed_ = false;
  bool is_broken_ = false;
};

}  // namespace

class MemoryAcceptor final : public Acceptor {
 public:
  using Core = MemoryNetwork::Core;
  struct Waiting {
    std::shared_ptr<Connection> connection;
    std::string client_name;
  };

  MemoryAcceptor(std::shared_ptr<Core> core, asio::any_io_executor executor, std::string host, std::uint16_t port)
      : core_(std::move(core)),
        executor_(executor),
        arrived_(core_->env, std::move(executor)),
        host_(std::move(host)),
        port_(port) {
    core_->listeners[{host_, port_}] = this;
  }
  MemoryAcceptor(const MemoryAcceptor&) = delete;
  MemoryAcceptor& operator=(const MemoryAcceptor&) = delete;
  ~MemoryAcceptor() override { close(); }

  asio::awaitable<Result<std::unique_ptr<ByteStream>>> accept(asio::any_io_executor executor) override {
    while (!is_closed_ && waiting_.empty()) {
      const Result<void> woken = co_await arrived_.wait();
      if (!woken && woken.error().code == Errc::cancelled) co_return failure(woken.error());
      if (!woken) break;
    }
    if (is_closed_) co_return failure(Errc::closed, "listener on port " + std::to_string(port_));
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    std::unique_ptr<ByteStream> stream = std::make_unique<MemoryStream<Core>>(
        core_, std::move(first.connection), false, std::move(executor), std::move(first.client_name));
    co_return stream;
  }
  std::uint16_t port() const noexcept override { return port_; }
  void close() noexcept override {
    if (is_closed_) return;
    is_closed_ = true;
    core_->listeners.erase({host_, port_});
    for (const Waiting& one : waiting_) {
      one.connection->is_cut = true;
      one.connection->leave_server();
    }
    arrived_.close();
  }

  void add(Waiting one) {
    waiting_.push_back(std::move(one));
    arrived_.notify();
  }
  const asio::any_io_executor& executor() const { return executor_; }

 private:
  std::shared_ptr<Core> core_;
  asio::any_io_executor executor_;
  AsyncEvent arrived_;
  std::string host_;
  std::uint16_t port_;
  std::deque<Waiting> waiting_;
  bool is_closed_ = false;
};

MemoryNetwork::MemoryNetwork(runtime::Env& env) : core_(std::make_shared<Core>(env)) {}
MemoryNetwork::~MemoryNetwork() = default;

asio::awaitable<Result<std::unique_ptr<ByteStream>>> MemoryNetwork::connect(asio::any_io_executor executor,
                                                                            std::string host, std::uint16_t port,
                                                                            SocketOptions) {
  const std::shared_ptr<Core> core = core_;
  const Duration delay = core->draw_delay();
  const Result<void> travelled = co_await core->env.sleep_for(delay);
  if (!travelled) co_return failure(travelled.error());
  auto listener = core->listeners.find({host, port});
  if (listener == core->listeners.end()) listener = core->listeners.find({std::string(), port});
  const std::string server_name = host + ':' + std::to_string(port);
  if (listener == core->listeners.end() || core->is_stalled || core->is_refusing) {
    co_return failure(Errc::disconnected, "connect to " + server_name + " (nobody answers)");
  }
  auto connection = std::make_shared<Connection>(core->env, executor, listener->second->executor());
  std::erase_if(core->connections, [](const auto& weak) { return weak.expired(); });
  core->connections.push_back(connection);
  listener->second->add({connection, "127.0.0.1:" + std::to_string(core->next_client_port++)});
  std::unique_ptr<ByteStream> stream =
      std::make_unique<MemoryStream<Core>>(core, std::move(connection), true, std::move(executor), server_name);
  co_return stream;
}

Result<std::unique_ptr<Acceptor>> MemoryNetwork::listen(asio::any_io_executor executor, const std::string& host,
                                                        std::uint16_t port, SocketOptions) {
  if (port == 0) port = core_->next_port++;
  if (core_->listeners.count({host, port}) > 0) {
    return failure(Errc::already_exists, "port " + std::to_string(port) + " is in use");
  }
  return std::make_unique<MemoryAcceptor>(core_, std::move(executor), host, port);
}

void MemoryNetwork::set_delay(Duration shortest, Duration longest) {
  core_->shortest = shortest;
  core_->longest = longest;
}

void MemoryNetwork::cut_one_write_in(std::uint64_t writes) {
  core_->cut_one_in = writes;
}

void MemoryNetwork::cut_all() {
  for (const auto& weak : core_->connections) {
    if (const auto connection = weak.lock()) {
      connection->is_cut = true;
      connection->wake();
    }
  }
}

bool MemoryNetwork::cut_one() {
  std::vector<std::shared_ptr<Connection>> alive;
  for (const auto& weak : core_->connections) {
    auto connection = weak.lock();
    if (connection && !connection->is_cut) alive.push_back(std::move(connection));
  }
  if (alive.empty()) return false;
  Connection& chosen = *alive[static_cast<std::size_t>(core_->env.random().below(alive.size()))];
  chosen.is_cut = true;
  chosen.wake();
  return true;
}

void MemoryNetwork::kill_servers() {
  for (const auto& weak : core_->connections) {
    if (const auto connection = weak.lock()) connection->leave_server();
  }
}

void MemoryNetwork::refuse(bool refusing) {
  core_->is_refusing = refusing;
}

void MemoryNetwork::watch(std::function<void(const std::string& peer, BytesView bytes)> watcher) {
  core_->watcher = std::move(watcher);
}

void MemoryNetwork::stall(bool stalled) {
  core_->is_stalled = stalled;
  for (const auto& weak : core_->connections) {
    if (const auto connection = weak.lock()) connection->wake();
  }
}

}  // namespace barnabas::net
