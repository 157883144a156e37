#include "client/core/connection_counters.h"

namespace barnabas::client {

ConnectionMetrics ConnectionCounters::read() const noexcept {
  ConnectionMetrics metrics;
  metrics.connections_opened = connections_opened.load(std::memory_order_relaxed);
  metrics.connections_failed = connections_failed.load(std::memory_order_relaxed);
  metrics.connections_open = connections_open.load(std::memory_order_relaxed);
  metrics.requests_sent = requests_sent.load(std::memory_order_relaxed);
  metrics.responses_received = responses_received.load(std::memory_order_relaxed);
  metrics.requests_timed_out = requests_timed_out.load(std::memory_order_relaxed);
  metrics.requests_in_flight = requests_in_flight.load(std::memory_order_relaxed);
  metrics.bytes_sent = bytes_sent.load(std::memory_order_relaxed);
  metrics.bytes_received = bytes_received.load(std::memory_order_relaxed);
  metrics.metadata_refreshes = metadata_refreshes.load(std::memory_order_relaxed);
  metrics.rebootstraps = rebootstraps.load(std::memory_order_relaxed);
  return metrics;
}

}  // namespace barnabas::client
