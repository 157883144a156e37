#include "broker/metrics/broker_metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include "common/runtime/process.h"

namespace barnabas::broker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(const char* name, const char* help, MetricType type) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

ClientMetric labelled(std::vector<ClientMetric::Label> labels, double value, MetricType type) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return metric;
}

MetricFamily single(const char* name, const char* help, MetricType type, double value) {
  MetricFamily made = family(name, help, type);
  made.metric.push_back(labelled({}, value, type));
  return made;
}

MetricFamily single(const char* name, const char* help, const Counter& counter) {
  return single(name, help, MetricType::Counter, static_cast<double>(counter.value()));
}

ClientMetric histogram_of(const LatencyHistogram& latency, const std::string& api) {
  ClientMetric metric;
  metric.label = {{"api", api}};
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= LatencyHistogram::kBoundsUs.size(); ++i) {
    count += latency.bucket(i);
    const bool is_last = i == LatencyHistogram::kBoundsUs.size();
    ClientMetric::Bucket bucket;
    bucket.cumulative_count = count;
    bucket.upper_bound =
        is_last ? std::numeric_limits<double>::infinity() : static_cast<double>(LatencyHistogram::kBoundsUs[i]) / 1e6;
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = latency.sum_seconds();
  return metric;
}

void add_partitions(std::vector<MetricFamily>& out, const std::vector<PartitionGauges>& partitions) {
  MetricFamily sizes = family("barnabas_log_size_bytes", "Bytes of a partition's segments", MetricType::Gauge);
  MetricFamily starts = family("barnabas_log_start_offset", "First offset of a partition", MetricType::Gauge);
  MetricFamily ends = family("barnabas_log_end_offset", "Next offset of a partition", MetricType::Gauge);
  for (const PartitionGauges& one : partitions) {
    const std::vector<ClientMetric::Label> labels{{"topic", one.topic}, {"partition", std::to_string(one.partition)}};
    sizes.metric.push_back(labelled(labels, static_cast<double>(one.log_bytes), MetricType::Gauge));
    starts.metric.push_back(labelled(labels, static_cast<double>(one.log_start_offset), MetricType::Gauge));
    ends.metric.push_back(labelled(labels, static_cast<double>(one.log_end_offset), MetricType::Gauge));
  }
  out.push_back(single("barnabas_partitions", "Partitions led by this broker", MetricType::Gauge,
                       static_cast<double>(partitions.size())));
  for (MetricFamily* made : {&sizes, &starts, &ends}) {
    if (!made->metric.empty()) out.push_back(std::move(*made));
  }
}

void add_groups(std::vector<MetricFamily>& out, const GroupGauges& groups) {
  MetricFamily states = family("barnabas_groups", "Groups by state", MetricType::Gauge);
  for (const auto& [state, count] : groups.by_state) {
    states.metric.push_back(labelled({{"state", state}}, static_cast<double>(count), MetricType::Gauge));
  }
  MetricFamily committed =
      family("barnabas_group_committed_offset", "How far a group says it has read", MetricType::Gauge);
  MetricFamily lags =
      family("barnabas_group_lag", "Records between a group's committed offset and the end", MetricType::Gauge);
  for (const LagGauge& one : groups.lags) {
    const std::vector<ClientMetric::Label> labels{
        {"group", one.group}, {"topic", one.topic}, {"partition", std::to_string(one.partition)}};
    committed.metric.push_back(labelled(labels, static_cast<double>(one.committed_offset), MetricType::Gauge));
    lags.metric.push_back(labelled(labels, static_cast<double>(one.lag), MetricType::Gauge));
  }
  out.push_back(single("barnabas_group_rebalances_total", "Rebalances that came to an end", MetricType::Counter,
                       static_cast<double>(groups.rebalances)));
  out.push_back(single("barnabas_group_commits_total", "Offsets that groups have committed", MetricType::Counter,
                       static_cast<double>(groups.commits)));
  for (MetricFamily* made : {&states, &committed, &lags}) {
    if (!made->metric.empty()) out.push_back(std::move(*made));
  }
}

}  // namespace

void LatencyHistogram::observe(std::chrono::nanoseconds duration) noexcept {
  const std::int64_t microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const auto bound = std::lower_bound(kBoundsUs.begin(), kBoundsUs.end(), microseconds);
  buckets_[static_cast<std::size_t>(bound - kBoundsUs.begin())].add();
  sum_ns_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

ApiMetrics& BrokerMetrics::api(protocol::ApiKey key) noexcept {
  const auto index = static_cast<std::size_t>(static_cast<std::uint16_t>(key));
  return index < apis_.size() ? apis_[index] : unknown_api_;
}

void BrokerMetrics::set_partition_source(std::function<std::vector<PartitionGauges>()> source) {
  const std::lock_guard lock(source_mutex_);
  partition_source_ = std::move(source);
}

void BrokerMetrics::set_group_source(std::function<GroupGauges()> source) {
  const std::lock_guard lock(source_mutex_);
  group_source_ = std::move(source);
}

std::vector<MetricFamily> BrokerMetrics::Collect() const {
  std::vector<MetricFamily> out;
  MetricFamily requests = family("barnabas_requests_total", "Requests by API", MetricType::Counter);
  MetricFamily errors = family("barnabas_request_errors_total", "Responses with an error by API", MetricType::Counter);
  MetricFamily latency =
      family("barnabas_request_seconds", "From a request's arrival to its response", MetricType::Histogram);
  for (std::size_t i = 0; i < apis_.size(); ++i) {
    const ApiMetrics& one = apis_[i];
    if (one.requests.value() == 0) continue;
    const std::string name(protocol::to_string(static_cast<protocol::ApiKey>(i)));
    requests.metric.push_back(
        labelled({{"api", name}}, static_cast<double>(one.requests.value()), MetricType::Counter));
    errors.metric.push_back(labelled({{"api", name}}, static_cast<double>(one.errors.value()), MetricType::Counter));
    latency.metric.push_back(histogram_of(one.latency, name));
  }
  for (MetricFamily* made : {&requests, &errors, &latency}) {
    if (!made->metric.empty()) out.push_back(std::move(*made));
  }
  out.push_back(single("barnabas_network_in_bytes_total", "Bytes of requests", network_bytes_in));
  out.push_back(single("barnabas_network_out_bytes_total", "Bytes of responses", network_bytes_out));
  out.push_back(single("barnabas_messages_in_total", "Records appended by producers", messages_in));
  out.push_back(single("barnabas_produced_bytes_total", "Bytes of batches appended by producers", produced_bytes));
  out.push_back(single("barnabas_fetched_bytes_total", "Bytes of batches handed to fetchers", fetched_bytes));
  out.push_back(
      single("barnabas_connections", "Open connections", MetricType::Gauge, static_cast<double>(connections.value())));
  out.push_back(single("barnabas_connections_accepted_total", "Connections taken", connections_accepted));
  out.push_back(single("barnabas_connections_refused_total", "Connections above a limit", connections_refused));
  out.push_back(
      single("barnabas_connections_malformed_total", "Connections closed for malformed bytes", connections_malformed));
  const runtime::ProcessUsage usage = runtime::process_usage();
  out.push_back(
      single("process_cpu_seconds_total", "CPU time of this process", MetricType::Counter, usage.cpu_seconds));
  std::function<std::vector<PartitionGauges>()> source;
  std::function<GroupGauges()> group_source;
  {
    const std::lock_guard lock(source_mutex_);
    source = partition_source_;
    group_source = group_source_;
  }
  add_partitions(out, source ? source() : std::vector<PartitionGauges>());
  add_groups(out, group_source ? group_source() : GroupGauges());
  return out;
}

std::string BrokerMetrics::exposition() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, Collect());
  return out.str();
}

}  // namespace barnabas::broker
