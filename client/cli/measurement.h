#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/process.h"

namespace barnabas::cli {

/// What `bench` prints. Starts to count when it is made.
class Measurement {
 public:
  /// `latency_of` says what the percentiles are of, for the reader.
  Measurement(std::string name, std::string latency_of);

  /// Units: as the name says. Threads: one.
  void add_latency(runtime::Duration latency) { latencies_.push_back(latency); }
  /// One line: text, or an object of JSON.
  std::string finish(std::uint64_t records, std::uint64_t bytes, bool json);

 private:
  double percentile_ms(double share) const;

  std::string name_;
  std::string latency_of_;
  runtime::MonotonicTime start_;
  runtime::ProcessUsage usage_;
  std::vector<runtime::Duration> latencies_;
};

}  // namespace barnabas::cli
