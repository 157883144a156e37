#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/protocol/api_keys.h"
#include "tests/support/forwarding_network.h"

namespace barnabas::nonsense {

/// A network on which answers become other ones on their way to the client.
/// Threads: one.
class LyingNetwork final : public testing::ForwardingNetwork {
 public:
  /// Is given each answer, header and body without the frame's size, and returns what the client gets.
  using Liar = std::function<Bytes(protocol::ApiKey api, std::int16_t version, Bytes answer)>;

  LyingNetwork(net::Network& network, Liar liar);

  asio::awaitable<Result<std::unique_ptr<net::ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                                    std::uint16_t port,
                                                                    net::SocketOptions options) override;

  /// Connections that clients have not destroyed.
  int open_streams() const { return shared_->open_streams; }

 private:
  friend class LyingStream;
  struct Shared {
    const Liar liar;
    int open_streams = 0;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace barnabas::nonsense
