#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/net/byte_stream.h"

namespace barnabas::testing {

/// The base of a connection that watches or changes what goes through another one; what is left is that one's.
class ForwardingStream : public net::ByteStream {
 public:
  explicit ForwardingStream(std::unique_ptr<net::ByteStream> inner) : inner_(std::move(inner)) {}
  ForwardingStream(const ForwardingStream&) = delete;
  ForwardingStream& operator=(const ForwardingStream&) = delete;

  asio::any_io_executor executor() override { return inner_->executor(); }
  asio::awaitable<Result<void>> write_file(const runtime::File& file, std::uint64_t position,
                                           std::uint64_t length) override {
    return inner_->write_file(file, position, length);
  }
  void close() noexcept override { inner_->close(); }
  const std::string& peer_name() const noexcept override { return inner_->peer_name(); }

 protected:
  const std::unique_ptr<net::ByteStream> inner_;
};

/// The base of a network whose clients get such connections; it listens where the other one does, and lives as long at
/// most.
class ForwardingNetwork : public net::Network {
 public:
  explicit ForwardingNetwork(net::Network& inner) : inner_(inner) {}

  Result<std::unique_ptr<net::Acceptor>> listen(asio::any_io_executor executor, const std::string& host,
                                                std::uint16_t port, net::SocketOptions options) override {
    return inner_.listen(std::move(executor), host, port, options);
  }

 protected:
  net::Network& inner_;
};

}  // namespace barnabas::testing
