#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/runtime/clock.h"

namespace barnabas::coordinator {

/// Timers in wheels of 64 slots, each wheel 64 times coarser than the one below: setting, moving and cancelling one
/// costs the same however many there are, and nothing is allocated. Time is an argument; nothing ticks by itself.
/// Units: deadlines are rounded up to milliseconds.
/// Threads: one at a time.  Lives longer than a set timer.
class TimerWheel {
 public:
  /// One timer, a part of what it is about. Cancelled when destroyed.
  class Timer {
   public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    bool is_set() const noexcept { return wheel_ != nullptr; }
    void cancel() noexcept;

   private:
    friend class TimerWheel;
    TimerWheel* wheel_ = nullptr;
    Timer* next_ = nullptr;
    Timer** link_ = nullptr;  // what points to this
    std::uint64_t tick_ = 0;
    std::uint8_t level_ = 0;
    std::uint8_t slot_ = 0;
  };

  explicit TimerWheel(runtime::MonotonicTime start) noexcept : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Sets the timer, or moves it.
  void set(Timer& timer, runtime::MonotonicTime deadline) noexcept;
  /// Takes the next timer whose deadline has come; nullptr when there is none. It is not set any more.
  Timer* take_due(runtime::MonotonicTime now) noexcept;
  /// When take_due is worth a call again: no later than the next deadline; MonotonicTime::max() when nothing is set.
  runtime::MonotonicTime next_look() const noexcept;

 private:
  static constexpr std::size_t kSlotBits = 6;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
  static constexpr std::size_t kLevels = 7;  // 64^7 ms are 139 years
  static constexpr std::uint64_t kSlotMask = kSlots - 1;
  static constexpr std::uint64_t kLastTick = (std::uint64_t{1} << (kSlotBits * kLevels)) - 1;

  struct Level {
    std::uint64_t occupied = 0;  // one bit a slot
    std::array<Timer*, kSlots> slots{};
  };
  struct Place {
    std::size_t level = 0;
    std::size_t slot = 0;
    std::uint64_t tick = 0;  // at which the slot begins
  };

  std::uint64_t tick_at_or_after(runtime::MonotonicTime time) const noexcept;
  void insert(Timer& timer) noexcept;
  bool first_occupied(Place& out) const noexcept;

  const runtime::MonotonicTime start_;
  std::uint64_t current_ = 0;
  std::array<Level, kLevels> levels_;
};

}  // namespace barnabas::coordinator
