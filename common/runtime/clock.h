#pragma once

#include <chrono>
#include <cstdint>

namespace barnabas::runtime {

using MonotonicTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// The one place that knows what time it is. Real, or virtual in a test.
/// Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// For measuring and deadlines; never goes back.
  virtual MonotonicTime now() const noexcept = 0;
  /// Milliseconds since 1970 (UTC), as Kafka stamps records.
  virtual std::int64_t wall_ms() const noexcept = 0;
};

}  // namespace barnabas::runtime
