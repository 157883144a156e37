#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/net/byte_stream.h"
#include "common/runtime/env.h"

namespace barnabas::net {

/// Connections inside one process, that delay, stall and break as told, by the Env's time and randomness: with a
/// VirtualEnv, equal seeds give equal runs.
/// Threads: one; all executors given to it run there.
class MemoryNetwork final : public Network {
 public:
  explicit MemoryNetwork(runtime::Env& env);
  ~MemoryNetwork() override;

  /// Names need no resolving: each host is what somebody listens on; a listener on "" answers for all.
  asio::awaitable<Result<std::unique_ptr<ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                               std::uint16_t port, SocketOptions options) override;
  Result<std::unique_ptr<Acceptor>> listen(asio::any_io_executor executor, const std::string& host, std::uint16_t port,
                                           SocketOptions options) override;

  /// Bytes written from now on arrive after a delay drawn from [shortest, longest].
  void set_delay(runtime::Duration shortest, runtime::Duration longest);
  /// One write in `writes` breaks its connection after a part of its bytes; 0: none.
  void cut_one_write_in(std::uint64_t writes);
  /// Breaks all connections now; what is on its way is lost.
  void cut_all();
  /// Breaks one that the randomness chooses; false: there is none.
  bool cut_one();
  /// All servers died just now: what they sent still arrives, and then the end; what was sent to them is lost.
  void kill_servers();
  /// While refusing, nobody gets a new connection.
  void refuse(bool refusing);
  /// Is told of all bytes written, with the name of the writer's peer.
  void watch(std::function<void(const std::string& peer, BytesView bytes)> watcher);
  /// While stalled, nothing arrives, and nobody is told.
  void stall(bool stalled);

 private:
  friend class MemoryAcceptor;
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::net
