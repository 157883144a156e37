#include "client/cli/measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

constexpr double kMegabyte = 1e6;

}  // namespace

Measurement::Measurement(std::string name, std::string latency_of)
    : name_(std::move(name)),
      latency_of_(std::move(latency_of)),
      start_(runtime::system_env().clock().now()),
      usage_(runtime::process_usage()) {}

double Measurement::percentile_ms(double share) const {
  if (latencies_.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1));
  return std::chrono::duration<double, std::milli>(latencies_[at]).count();
}

std::string Measurement::finish(std::uint64_t records, std::uint64_t bytes, bool json) {
  const double seconds = std::chrono::duration<double>(runtime::system_env().clock().now() - start_).count() + 1e-9;
  const auto used = runtime::process_usage();
  const double cpu_seconds = used.cpu_seconds - usage_.cpu_seconds;
  std::sort(latencies_.begin(), latencies_.end());
  if (json) {
    const nlohmann::ordered_json line{{"benchmark", name_},
                                      {"records", records},
                                      {"bytes", bytes},
                                      {"seconds", seconds},
                                      {"cpu_seconds", cpu_seconds},
                                      {"max_rss_bytes", used.max_rss_bytes},
                                      {"latency_of", latency_of_},
                                      {"latency_ms",
                                       {{"p50", percentile_ms(0.5)},
                                        {"p90", percentile_ms(0.9)},
                                        {"p99", percentile_ms(0.99)},
                                        {"p999", percentile_ms(0.999)},
                                        {"max", percentile_ms(1)}}}};
    return line.dump() + '\n';
  }
  return fmt::format(
      "{}: {} records, {} bytes in {:.3f} s ({:.0f} records/s, {:.1f} MB/s), cpu {:.3f} s, max rss {:.1f} MB, {} "
      "p50 {:.2f} p90 {:.2f} p99 {:.2f} p99.9 {:.2f} max {:.2f} ms\n",
      name_, records, bytes, seconds, static_cast<double>(records) / seconds,
      static_cast<double>(bytes) / kMegabyte / seconds, cpu_seconds,
      static_cast<double>(used.max_rss_bytes) / kMegabyte, latency_of_, percentile_ms(0.5), percentile_ms(0.9),
      percentile_ms(0.99), percentile_ms(0.999), percentile_ms(1));
}

}  // namespace barnabas::cli
