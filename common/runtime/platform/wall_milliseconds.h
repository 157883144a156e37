#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace barnabas::runtime {

inline std::int64_t wall_nanoseconds() noexcept {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

#if defined(__x86_64__)

/// Whether the time stamp counter runs at one speed, whatever the CPU does, and so on all cores alike.
inline bool has_steady_counter() noexcept {
  static const bool steady = [] {
    constexpr unsigned kPowerLeaf = 0x80000007;
    constexpr unsigned kInvariantBit = 1U << 8;
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(kPowerLeaf, &a, &b, &c, &d) != 0 && (d & kInvariantBit) != 0;
  }();
  return steady;
}

/// Milliseconds since 1970 for who asks many times in each of them: the system's clock is read at the beginning of a
/// millisecond, and in its last tenth; in between the CPU's counter tells that it is not over, in less than half the
/// time. What it says is what the system's clock would say: a step of that clock shows a millisecond later at most.
/// Threads: one.
class WallMilliseconds {
 public:
  std::int64_t now() noexcept {
    const std::uint64_t counter = __rdtsc();
    return counter - read_at_ < good_for_ ? now_ms_ : read(counter);  // a counter that was set back reads as far ahead
  }

 private:
  static constexpr std::int64_t kNsPerMs = 1'000'000;

  std::int64_t read(std::uint64_t counter) noexcept {
    const std::int64_t now_ns = wall_nanoseconds();
    note_speed(counter, now_ns);
    now_ms_ = now_ns / kNsPerMs;
    read_at_ = counter;
    const auto left_ns = static_cast<double>(kNsPerMs - now_ns % kNsPerMs - kNsPerMs / 10);
    good_for_ = static_cast<std::uint64_t>(std::max(left_ns, 0.0) * std::min(ticks_per_ns_, before_));
    return now_ms_;
  }
  /// Two speeds in a row are kept and the lesser one counts, should the system's clock be set between two looks.
  void note_speed(std::uint64_t counter, std::int64_t now_ns) noexcept {
    constexpr double kMostTicksPerNs = 10;
    const std::int64_t elapsed_ns = now_ns - noted_ns_;
    if (elapsed_ns >= 0 && elapsed_ns < kNsPerMs) return;
    const double speed = static_cast<double>(counter - noted_at_) / static_cast<double>(elapsed_ns);
    before_ = ticks_per_ns_;
    ticks_per_ns_ = noted_ns_ > 0 && speed > 0 && speed < kMostTicksPerNs ? speed : 0;
    noted_at_ = counter;
    noted_ns_ = now_ns;
  }

  std::int64_t now_ms_ = 0;
  std::uint64_t read_at_ = 0;
  std::uint64_t good_for_ = 0;  // ticks behind read_at_
  double ticks_per_ns_ = 0;     // 0: not known
  double before_ = 0;
  std::uint64_t noted_at_ = 0;
  std::int64_t noted_ns_ = 0;
};

#endif

}  // namespace barnabas::runtime
