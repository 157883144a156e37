#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/protocol/messages/request_header.h"
#include "tests/support/forwarding_network.h"

namespace barnabas::simulation {

/// What goes instead of a request: a test's defect between a client and its broker.
struct Instead {
  Bytes frame;  ///< With its size, and with the request's correlation id.
  /// Where the error code of the answer stands, from the frame's size on: it becomes 0.
  std::optional<std::size_t> no_error_at;
};

/// One client's way into a network: each request can be looked at and replaced before it leaves, and the client can
/// die. Threads: one.
class TapNetwork final : public testing::ForwardingNetwork {
 public:
  /// Nothing returned: the request goes as it is.
  using Tap = std::function<std::optional<Instead>(const protocol::RequestHeader& header, BytesView body)>;

  TapNetwork(net::Network& inner, Tap tap);

  /// As the system does to the connections of a process that is killed: all of them end, and there are no others.
  void die();

  asio::awaitable<Result<std::unique_ptr<net::ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                                    std::uint16_t port,
                                                                    net::SocketOptions options) override;

 private:
  friend class TapStream;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace barnabas::simulation
