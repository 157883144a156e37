#pragma once

#include <chrono>

#include "common/runtime/clock.h"
#include "common/runtime/random.h"

namespace barnabas::client {

/// How long to wait before the n-th retry: initial * 2^n, at most `max`, then 20 % more or less by chance.
/// A machine without I/O: the caller sleeps. Source: Kafka's ExponentialBackoff.
class Backoff {
 public:
  static constexpr double kJitter = 0.2;

  Backoff(std::chrono::milliseconds initial, std::chrono::milliseconds max, runtime::Random& random)
      : initial_(initial), max_(max), random_(&random) {}

  /// The wait before the next attempt; the one after it will be longer.
  runtime::Duration next();
  /// The wait for a given number of failures before (0: the first retry).
  runtime::Duration after(int failures) const;
  /// After a success: starts over.
  void reset() noexcept { failures_ = 0; }
  int failures() const noexcept { return failures_; }

 private:
  std::chrono::milliseconds initial_;
  std::chrono::milliseconds max_;
  runtime::Random* random_;
  int failures_ = 0;
};

}  // namespace barnabas::client
