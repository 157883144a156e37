#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::net {

/// Is told how what ByteStream::start_read() and start_write() began has ended. It keeps the stream, and both last
/// until they have ended. Threads: the stream's executor.
class StreamUser {
 public:
  virtual ~StreamUser() = default;
  virtual void on_read(Result<std::size_t> count) = 0;
  virtual void on_written(Result<void> written) = 0;
};

/// A connection that carries bytes in order: TCP, later TLS, or memory in tests.
/// Threads: its executor's only; one read and one write may be under way at a time.
/// Errors: Errc::disconnected when the peer closed or the network broke, Errc::closed after close().
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual asio::any_io_executor executor() = 0;
  /// At least one byte, or an error.
  virtual asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) = 0;
  /// All parts, as one gather write. The bytes must live until it completes.
  virtual asio::awaitable<Result<void>> write(std::span<const BytesView> parts) = 0;
  /// The same for who reads and writes again and again: without a coroutine, and over TCP without an allocation. The
  /// user is told later, never inside the call. `parts` too must live until then.
  virtual void start_read(MutableBytesView out, std::shared_ptr<StreamUser> user);
  virtual void start_write(std::span<const BytesView> parts, std::shared_ptr<StreamUser> user);
  /// As many of the first bytes as go out without waiting, none where the stream cannot tell. While no other write is
  /// under way.
  virtual Result<std::size_t> write_now(std::span<const BytesView> parts);
  /// Bytes [position, position + length) of a file: sendfile where the system has it, else a copy.
  virtual asio::awaitable<Result<void>> write_file(const runtime::File& file, std::uint64_t position,
                                                   std::uint64_t length) = 0;
  /// Ends reads and writes under way with Errc::closed. May be called twice.
  virtual void close() noexcept = 0;
  /// "127.0.0.1:54321", for log lines and max.connections.per.ip.
  virtual const std::string& peer_name() const noexcept = 0;
};

/// Takes connections on one address.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  /// The next connection, bound to `executor` for life.
  virtual asio::awaitable<Result<std::unique_ptr<ByteStream>>> accept(asio::any_io_executor executor) = 0;
  virtual std::uint16_t port() const noexcept = 0;
  virtual void close() noexcept = 0;
};

struct SocketOptions {
  int send_buffer_bytes = -1;     ///< -1: the system's default.
  int receive_buffer_bytes = -1;  ///< -1: the system's default.
};

/// Where connections come from: the system's sockets, or a network in memory that delays, drops and cuts.
/// Threads: any.
class Network {
 public:
  virtual ~Network() = default;
  /// Tries each address of `host` in turn; Errc::disconnected with host, port and the last reason when none answers.
  virtual asio::awaitable<Result<std::unique_ptr<ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                                       std::uint16_t port, SocketOptions options) = 0;
  /// Port 0 takes a free one. Errc::already_exists when the port is in use.
  virtual Result<std::unique_ptr<Acceptor>> listen(asio::any_io_executor executor, const std::string& host,
                                                   std::uint16_t port, SocketOptions options) = 0;
};

/// The system's TCP.
Network& tcp_network();

}  // namespace barnabas::net
