#pragma once

#include <prometheus/collectable.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "broker/metrics/api_metrics.h"
#include "common/protocol/api_keys.h"

namespace barnabas::broker {

/// What one partition keeps on disk, asked for at each scrape.
struct PartitionGauges {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t log_bytes = 0;
  std::int64_t log_start_offset = 0;
  std::int64_t log_end_offset = 0;
};

/// How far a group has read one partition, asked for at each scrape.
struct LagGauge {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t committed_offset = 0;
  std::int64_t lag = 0;  ///< Records between the committed offset and the end; never negative.
};

/// The groups that this broker coordinates.
struct GroupGauges {
  std::map<std::string, std::int64_t> by_state;  ///< How many groups are "Stable" and so on.
  std::uint64_t rebalances = 0;                  ///< Completed since the start.
  std::uint64_t commits = 0;                     ///< Offsets written down since the start.
  std::vector<LagGauge> lags;
};

/// All that the broker counts. Made once; those who count keep a reference to their own part of it.
/// Threads: any. Counting never locks and never allocates.
class BrokerMetrics final : public prometheus::Collectable {
 public:
  ApiMetrics& api(protocol::ApiKey key) noexcept;

  Counter network_bytes_in;
  Counter network_bytes_out;
  Counter messages_in;     ///< Records appended by Produce.
  Counter produced_bytes;  ///< Batches appended by Produce.
  Counter fetched_bytes;   ///< Batches handed out by Fetch.
  Gauge connections;       ///< Open now.
  Counter connections_accepted;
  Counter connections_refused;    ///< Above max.connections or max.connections.per.ip.
  Counter connections_malformed;  ///< Closed for bytes that are no request.

  /// Called at each scrape, from the scraping thread; an empty function means no partitions.
  void set_partition_source(std::function<std::vector<PartitionGauges>()> source);
  void set_group_source(std::function<GroupGauges()> source);

  std::vector<prometheus::MetricFamily> Collect() const override;
  /// Prometheus' text format, version 0.0.4.
  std::string exposition() const;

 private:
  static constexpr std::size_t kApiKeys = 128;
  std::array<ApiMetrics, kApiKeys> apis_;
  ApiMetrics unknown_api_;
  mutable std::mutex source_mutex_;
  std::function<std::vector<PartitionGauges>()> partition_source_;  // source_mutex_
  std::function<GroupGauges()> group_source_;                       // source_mutex_
};

}  // namespace barnabas::broker
