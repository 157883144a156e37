#if !defined(BARNABAS_PORTABLE)
#include <sys/sendfile.h>
#endif

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <csignal>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "common/net/operation_memory.h"
#include "common/net/tcp_network.h"

namespace barnabas::net {
namespace {

using asio::ip::tcp;

constexpr std::size_t kSendfileChunkBytes = 1 << 20;
constexpr std::size_t kCopyChunkBytes = 64 * 1024;

/// A socket for both families shows an IPv4 peer as an IPv6 address; people and max.connections.per.ip.overrides don't.
asio::ip::address plain(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

std::string name_of(const tcp::endpoint& endpoint) {
  const asio::ip::address address = plain(endpoint.address());
  return (address.is_v6() ? '[' + address.to_string() + ']' : address.to_string()) + ':' +
         std::to_string(endpoint.port());
}

#if !defined(BARNABAS_PORTABLE)
/// sendfile has no MSG_NOSIGNAL: a peer that left would end the process.
void ignore_broken_pipe_signal() {
  static const bool once = [] {
    struct sigaction current {};
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
    return true;
  }();
  static_cast<void>(once);
}
#endif

/// Offers the kernel all that is left with each call. (Asio's own transfer_all offers 64 KB at a time.)
struct AllAtOnce {
  std::size_t operator()(const std::error_code& error, std::size_t) const noexcept {
    return error ? 0 : std::numeric_limits<std::size_t>::max();
  }
};

class TcpStream final : public ByteStream {
 public:
  TcpStream(tcp::socket socket, SocketOptions options) : socket_(std::move(socket)) {
    std::error_code ignored;  // a socket that refuses an option is slower, not wrong; a dead one fails at its first use
    const tcp::endpoint peer = socket_.remote_endpoint(ignored);
    peer_name_ = ignored ? "unknown" : name_of(peer);
    socket_.set_option(tcp::no_delay(true), ignored);
    if (options.send_buffer_bytes > 0) {
      socket_.set_option(asio::socket_base::send_buffer_size(options.send_buffer_bytes), ignored);
    }
    if (options.receive_buffer_bytes > 0) {
      socket_.set_option(asio::socket_base::receive_buffer_size(options.receive_buffer_bytes), ignored);
    }
  }

  asio::any_io_executor executor() override { return socket_.get_executor(); }

  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    std::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const asio::mutable_buffer buffer(out.data(), out.size());
    const std::size_t count = co_await socket_.async_read_some(buffer, token);
    if (error) co_return failed("read", error);
    co_return count;
  }

  asio::awaitable<Result<void>> write(std::span<const BytesView> parts) override {
    const std::span<const asio::const_buffer> buffers = buffers_of(parts);
    std::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket_, buffers, AllAtOnce(), token);
    if (error) co_return failed("write", error);
    co_return Result<void>{};
  }

  Result<std::size_t> write_now(std::span<const BytesView> parts) override {
    std::error_code error;
    if (!socket_.non_blocking()) socket_.non_blocking(true, error);
    if (error) return failed("write", error);
    const std::size_t count = socket_.write_some(buffers_of(parts), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return 0;
    if (error) return failed("write", error);
    return count;
  }

  void start_read(MutableBytesView out, std::shared_ptr<StreamUser> user) override {
    socket_.async_read_some(asio::mutable_buffer(out.data(), out.size()), ReadDone{this, std::move(user)});
  }

  void start_write(std::span<const BytesView> parts, std::shared_ptr<StreamUser> user) override {
    asio::async_write(socket_, buffers_of(parts), AllAtOnce(), WriteDone{this, std::move(user)});
  }

  asio::awaitable<Result<void>> write_file(const runtime::File& file, std::uint64_t position,
                                           std::uint64_t length) override {
#if !defined(BARNABAS_PORTABLE)
    if (file.native_handle() >= 0) return send_file(file, position, length);
#endif
    return copy_file(file, position, length);
  }

  void close() noexcept override {
    closed_ = true;
    std::error_code ignored;
    socket_.close(ignored);
  }

  const std::string& peer_name() const noexcept override {
    return peer_name_;
  }

 private:
  struct ReadDone {
    using allocator_type = OperationAllocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(stream->read_memory_); }
    void operator()(const std::error_code& error, std::size_t count) const {
      user->on_read(error ? Result<std::size_t>(stream->failed("read", error)) : count);
    }
    TcpStream* stream;
    std::shared_ptr<StreamUser> user;  // keeps the stream
  };
  struct WriteDone {
    using allocator_type = OperationAllocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(stream->write_memory_); }
    void operator()(const std::error_code& error, std::size_t) const {
      user->on_written(error ? Result<void>(stream->failed("write", error)) : Result<void>{});
    }
    TcpStream* stream;
    std::shared_ptr<StreamUser> user;
  };

  /// Of the one write under way: a view, for Asio copies what it is given several times.
  std::span<const asio::const_buffer> buffers_of(std::span<const BytesView> parts) {
    write_buffers_.clear();
    for (const BytesView part : parts) {
      if (!part.empty()) write_buffers_.emplace_back(part.data(), part.size());
    }
    return write_buffers_;
  }

#if !defined(BARNABAS_PORTABLE)
  asio::awaitable<Result<void>> send_file(const runtime::File& file, std::uint64_t position, std::uint64_t length) {
    ignore_broken_pipe_signal();
    std::error_code error;
    socket_.native_non_blocking(true, error);
    auto offset = static_cast<off_t>(position);
    while (length > 0 && !error) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, kSendfileChunkBytes));
      const auto sent = ::sendfile(socket_.native_handle(), file.native_handle(), &offset, wanted);
      if (sent > 0) {
        length -= static_cast<std::uint64_t>(sent);
      } else if (sent == 0) {
        co_return failure(Errc::corrupt_data, file.path() + " is shorter than what should be sent of it");
      } else if (errno == EAGAIN) {
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await socket_.async_wait(tcp::socket::wait_write, token);
      } else if (errno != EINTR) {
        error.assign(errno, std::system_category());
      }
    }
    if (error) co_return failed("send file", error);
    co_return Result<void>{};
  }
#endif

  asio::awaitable<Result<void>> copy_file(const runtime::File& file, std::uint64_t position, std::uint64_t length) {
    Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kCopyChunkBytes)));
    while (length > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer.size()));
      const MutableBytesView chunk = MutableBytesView(buffer).first(wanted);
      const auto count = file.read_at(chunk, position);
      if (!count) co_return failure(count.error());
      if (*count < wanted) {
        co_return failure(Errc::corrupt_data, file.path() + " is shorter than what should be sent of it");
      }
      const std::array<BytesView, 1> parts{BytesView(chunk)};
      const auto written = co_await write(parts);
      if (!written) co_return written;
      position += wanted;
      length -= wanted;
    }
    co_return Result<void>{};
  }

  tl::unexpected<Failure> failed(const char* what, const std::error_code& error) const {
    if (closed_) return failure(Errc::closed, peer_name_);
    if (error == asio::error::operation_aborted) return failure(Errc::cancelled, peer_name_);
    return failure(Errc::disconnected, std::string(what) + ' ' + peer_name_ + " (" + error.message() + ')');
  }

  OperationMemory read_memory_;  // before the socket: what it still has under way lies in them
  OperationMemory write_memory_;
  tcp::socket socket_;
  std::vector<asio::const_buffer> write_buffers_;
  std::string peer_name_;
  bool closed_ = false;
};

class TcpAcceptor final : public Acceptor {
 public:
  TcpAcceptor(tcp::acceptor acceptor, SocketOptions options) : acceptor_(std::move(acceptor)), options_(options) {
    std::error_code ignored;  // the endpoint of a socket that listens is known
    port_ = acceptor_.local_endpoint(ignored).port();
  }

  asio::awaitable<Result<std::unique_ptr<ByteStream>>> accept(asio::any_io_executor executor) override {
    std::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    tcp::socket socket = co_await acceptor_.async_accept(executor, token);
    if (closed_) co_return failure(Errc::closed, "listener on port " + std::to_string(port_));
    if (error == asio::error::operation_aborted) co_return failure(Errc::cancelled);
    if (error)
      co_return failure(Errc::io_error, "accept on port " + std::to_string(port_) + " (" + error.message() + ')');
    std::unique_ptr<ByteStream> stream = std::make_unique<TcpStream>(std::move(socket), options_);
    co_return stream;
  }

  std::uint16_t port() const noexcept override { return port_; }
  void close() noexcept override {
    closed_ = true;
    std::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  SocketOptions options_;
  std::uint16_t port_ = 0;
  bool closed_ = false;
};

Result<std::unique_ptr<Acceptor>> listen_on(const asio::any_io_executor& executor, const tcp::endpoint& endpoint,
                                            SocketOptions options) {
  tcp::acceptor acceptor(executor);
  std::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error && options.receive_buffer_bytes > 0) {  // before listen(): it fixes the window that is offered
    acceptor.set_option(asio::socket_base::receive_buffer_size(options.receive_buffer_bytes), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return failure(Errc::already_exists, "port " + std::to_string(endpoint.port()) + " is in use");
  }
  if (error) return failure(Errc::io_error, "listen on " + name_of(endpoint) + " (" + error.message() + ')');
  return std::make_unique<TcpAcceptor>(std::move(acceptor), options);
}

/// Where to begin among the addresses of a name. One that never answers takes all the time of an attempt to connect, so
/// the next attempt must begin behind it; one that answered is where the next begins.
/// Threads: any.
class AddressTurns {
 public:
  std::size_t first(const std::string& host, std::size_t addresses) {
    const std::lock_guard lock(mutex_);
    const auto found = first_.find(host);
    return found == first_.end() ? 0 : found->second % addresses;
  }
  void begin_with(const std::string& host, std::size_t address) {
    const std::lock_guard lock(mutex_);
    first_[host] = address;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::size_t> first_;  // mutex_
};

class TcpNetwork final : public Network {
 public:
  explicit TcpNetwork(std::map<std::string, std::vector<std::string>> names = {}) : names_(std::move(names)) {}

  asio::awaitable<Result<std::unique_ptr<ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                               std::uint16_t port, SocketOptions options) override {
    auto endpoints = co_await resolve(executor, host, port);
    if (!endpoints) co_return failure(std::move(endpoints.error()));
    std::string reasons;
    const std::size_t first = turns_.first(host, endpoints->size());
    for (std::size_t i = 0; i < endpoints->size(); ++i) {
      const std::size_t at = (first + i) % endpoints->size();
      const tcp::endpoint& endpoint = (*endpoints)[at];
      if (endpoints->size() > 1) turns_.begin_with(host, at + 1);  // should this attempt be given up
      tcp::socket socket(executor);
      std::error_code error;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await socket.async_connect(endpoint, token);
      if (!error) {
        if (endpoints->size() > 1) turns_.begin_with(host, at);
        std::unique_ptr<ByteStream> stream = std::make_unique<TcpStream>(std::move(socket), options);
        co_return stream;
      }
      if (error == asio::error::operation_aborted) co_return failure(Errc::cancelled, host);
      reasons += (reasons.empty() ? "" : ", ") + name_of(endpoint) + ": " + error.message();
    }
    co_return failure(Errc::disconnected, "connect to " + host + ':' + std::to_string(port) + " (" + reasons + ')');
  }

  Result<std::unique_ptr<Acceptor>> listen(asio::any_io_executor executor, const std::string& host, std::uint16_t port,
                                           SocketOptions options) override {
    if (host.empty()) {
      auto both = listen_on(executor, tcp::endpoint(tcp::v6(), port), options);
      if (both || both.error().code == Errc::already_exists) return both;
      return listen_on(executor, tcp::endpoint(tcp::v4(), port), options);  // a system without IPv6
    }
    tcp::resolver resolver(executor);
    std::error_code error;
    const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
    if (error || found.empty()) return failure(Errc::io_error, "resolve " + host + " (" + error.message() + ')');
    // "localhost" means 127.0.0.1 first, as for Java: a client that knows IPv4 alone must find us.
    auto chosen =
        std::find_if(found.begin(), found.end(), [](const auto& entry) { return entry.endpoint().address().is_v4(); });
    if (chosen == found.end()) chosen = found.begin();
    return listen_on(executor, chosen->endpoint(), options);
  }

 private:
  asio::awaitable<Result<std::vector<tcp::endpoint>>> resolve(asio::any_io_executor executor, std::string host,
                                                              std::uint16_t port) {
    std::vector<tcp::endpoint> endpoints;
    std::error_code error;
    if (const auto own = names_.find(host); own != names_.end()) {
      for (const std::string& address : own->second) endpoints.emplace_back(asio::ip::make_address(address), port);
      co_return endpoints;
    }
    const asio::ip::address literal = asio::ip::make_address(host, error);
    if (!error) {
      endpoints.emplace_back(literal, port);
      co_return endpoints;
    }
    error.clear();
    tcp::resolver resolver(executor);
    const std::string service = std::to_string(port);
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const tcp::resolver::results_type found = co_await resolver.async_resolve(host, service, token);
    if (error == asio::error::operation_aborted) co_return failure(Errc::cancelled, host);
    if (error) co_return failure(Errc::disconnected, "resolve " + host + " (" + error.message() + ')');
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    co_return endpoints;
  }

  const std::map<std::string, std::vector<std::string>> names_;
  AddressTurns turns_;
};

}  // namespace

std::unique_ptr<Network> make_tcp_network(std::map<std::string, std::vector<std::string>> names) {
  return std::make_unique<TcpNetwork>(std::move(names));
}

Network& tcp_network() {
  static TcpNetwork network;
  return network;
}

}  // namespace barnabas::net
