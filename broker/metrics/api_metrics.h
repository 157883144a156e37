#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace barnabas::broker {

/// A count that many threads raise and one reads now and then. Cost: one relaxed atomic addition.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down.
class Gauge {
 public:
  void add(std::int64_t amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// How long things took: counts by upper bound. Cost: two relaxed additions.
class LatencyHistogram {
 public:
  /// Upper bounds, in microseconds; one more bucket holds what is longer.
  static constexpr std::array<std::int64_t, 14> kBoundsUs{
      50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000};

  void observe(std::chrono::nanoseconds duration) noexcept;
  /// Observations in bucket `i`, not cumulated.
  std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].value(); }
  double sum_seconds() const noexcept { return static_cast<double>(sum_ns_.value()) / 1e9; }

 private:
  std::array<Counter, kBoundsUs.size() + 1> buckets_;
  Counter sum_ns_;
};

/// What one API was asked, and how it went.
struct ApiMetrics {
  Counter requests;
  Counter errors;            ///< Responses with an error code other than NONE anywhere at the top or in a partition.
  LatencyHistogram latency;  ///< From the whole frame's arrival to the response being handed to the socket.
};

}  // namespace barnabas::broker
