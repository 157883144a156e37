#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

namespace barnabas {
inline namespace v0 {

/// What every client counts of its connections. Totals since the client was made.
struct ConnectionMetrics {
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_failed = 0;
  std::uint64_t connections_open = 0;  ///< Now.
  std::uint64_t requests_sent = 0;
  std::uint64_t responses_received = 0;
  std::uint64_t requests_timed_out = 0;
  std::uint64_t requests_in_flight = 0;  ///< Now.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t metadata_refreshes = 0;
  std::uint64_t rebootstraps = 0;
};

/// Threads: a snapshot; the producer's metrics() may be called from any thread at any time.
struct ProducerMetrics {
  ConnectionMetrics connections;
  std::uint64_t records_sent = 0;  ///< Taken by send().
  std::uint64_t records_delivered = 0;
  std::uint64_t records_failed = 0;
  std::uint64_t record_bytes = 0;            ///< Keys, values and headers of the records taken.
  std::uint64_t batches_sent = 0;            ///< Without retries.
  std::uint64_t batch_bytes = 0;             ///< As sent, compressed.
  std::uint64_t retries = 0;                 ///< Batches sent again.
  std::uint64_t buffered_records = 0;        ///< Now: waiting or in flight.
  std::uint64_t buffer_bytes = 0;            ///< Now: held of buffer.memory.
  std::uint64_t buffer_limit_bytes = 0;      ///< buffer.memory, less what compressing sets aside.
  std::uint64_t blocked_sends = 0;           ///< Sends that had to wait for room or metadata.
  std::chrono::microseconds blocked_time{};  ///< For how long, in all.
  std::uint64_t slow_callbacks = 0;          ///< Delivery callbacks above 50 ms.
};

struct ConsumerMetrics {
  ConnectionMetrics connections;
  std::uint64_t records_returned = 0;
  std::uint64_t record_bytes = 0;  ///< Keys, values and headers of them.
  std::uint64_t fetches = 0;
  std::uint64_t fetched_bytes = 0;  ///< As received, compressed.
  std::uint64_t polls = 0;
  std::uint64_t buffered_bytes = 0;  ///< Now: fetched and not yet returned, decompression included.
  std::uint64_t held_bytes = 0;      ///< Now: kept alive by Records that the user holds.
  std::uint64_t memory_limit_bytes = 0;
};

struct AdminMetrics {
  ConnectionMetrics connections;
};

/// Where a client's metrics go by themselves: a program's own monitoring.
/// Threads: called on the client's reactor, one call at a time; it must be quick and must not throw.
template <typename Metrics>
struct MetricsSink {
  std::function<void(std::string_view client_id, const Metrics& metrics)> write;  ///< Empty: nobody is told.
  std::chrono::milliseconds interval{10000};  ///< And once more when the client has ended.
};

}  // namespace v0
}  // namespace barnabas
