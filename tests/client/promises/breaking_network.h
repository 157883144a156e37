#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/net/memory_network.h"
#include "common/runtime/async_event.h"
#include "common/runtime/env.h"
#include "tests/support/forwarding_network.h"

namespace barnabas::promises {

/// How the network ends at a step.
enum class Break {
  none,   ///< It does not: for counting.
  cut,    ///< All connections break, and nobody gets a new one.
  stall,  ///< Silence: nothing arrives any more, connecting takes for ever, and nobody is told.
  once    ///< All connections break; new ones are made as ever.
};
const char* to_string(Break how);

/// What clients see of a network in memory: it counts their I/O steps, and breaks at the one that it is told.
/// Steps: the begin and the end of each connect; of each write the begin, the moment when half of the bytes are gone,
/// and the end; of each read the begin, one byte, and the end.
/// Threads: one.
class BreakingNetwork final : public testing::ForwardingNetwork {
 public:
  /// `at`: the number of the step, from 1 on.
  BreakingNetwork(runtime::Env& env, net::MemoryNetwork& network, Break how, std::size_t at);

  asio::awaitable<Result<std::unique_ptr<net::ByteStream>>> connect(asio::any_io_executor executor, std::string host,
                                                                    std::uint16_t port,
                                                                    net::SocketOptions options) override;

  std::size_t steps() const { return shared_->steps.size(); }
  /// What each step was: "connect begins", "write 2 of 3 to broker:9092".
  const std::vector<std::string>& names() const { return shared_->steps; }
  bool is_broken() const { return shared_->broken; }
  /// Connections that clients have not destroyed.
  int open_streams() const { return shared_->open_streams; }
  /// All is well again, and no further step breaks anything.
  void mend();

 private:
  friend class CountingStream;
  struct Shared {
    runtime::Env& env;
    net::MemoryNetwork& network;
    const Break how;
    const std::size_t at;
    std::vector<std::string> steps{};
    bool broken = false;
    int open_streams = 0;

    /// Takes note of a step, and breaks the network where its time has come.
    void step(const std::string& name);
    bool is_silent() const { return broken && how == Break::stall; }
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace barnabas::promises
