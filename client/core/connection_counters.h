#pragma once

#include <atomic>
#include <cstdint>

#include "barnabas/metrics.h"

namespace barnabas::client {

/// What a client's connections count. Threads: counted on the reactor, read from any.
struct ConnectionCounters {
  std::atomic<std::uint64_t> connections_opened{0};
  std::atomic<std::uint64_t> connections_failed{0};
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> requests_sent{0};
  std::atomic<std::uint64_t> responses_received{0};
  std::atomic<std::uint64_t> requests_timed_out{0};
  std::atomic<std::uint64_t> requests_in_flight{0};
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> metadata_refreshes{0};
  std::atomic<std::uint64_t> rebootstraps{0};

  ConnectionMetrics read() const noexcept;
};

}  // namespace barnabas::client
