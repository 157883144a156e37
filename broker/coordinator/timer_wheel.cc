#include "broker/coordinator/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace barnabas::coordinator {

void TimerWheel::Timer::cancel() noexcept {
  if (wheel_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  Level& level = wheel_->levels_[level_];
  if (level.slots[slot_] == nullptr) level.occupied &= ~(std::uint64_t{1} << slot_);
  wheel_ = nullptr;
}

std::uint64_t TimerWheel::tick_at_or_after(runtime::MonotonicTime time) const noexcept {
  if (time <= start_) return 0;
  const auto ticks = std::chrono::ceil<std::chrono::milliseconds>(time - start_).count();
  return std::min(static_cast<std::uint64_t>(ticks), kLastTick);
}

void TimerWheel::set(Timer& timer, runtime::MonotonicTime deadline) noexcept {
  timer.cancel();
  timer.tick_ = std::max(tick_at_or_after(deadline), current_);
  insert(timer);
}

/// The level is that of the highest digit (of six bits) in which the tick and the current one differ: so all that is
/// set lies ahead on its wheel, and a lower wheel's timers come before a higher one's.
void TimerWheel::insert(Timer& timer) noexcept {
  const std::uint64_t differing = (timer.tick_ ^ current_) | kSlotMask;
  const std::size_t level = (63 - static_cast<std::size_t>(std::countl_zero(differing))) / kSlotBits;
  const std::size_t slot = (timer.tick_ >> (kSlotBits * level)) & kSlotMask;
  Timer*& head = levels_[level].slots[slot];
  timer.wheel_ = this;
  timer.level_ = static_cast<std::uint8_t>(level);
  timer.slot_ = static_cast<std::uint8_t>(slot);
  timer.next_ = head;
  timer.link_ = &head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
  levels_[level].occupied |= std::uint64_t{1} << slot;
}

bool TimerWheel::first_occupied(Place& out) const noexcept {
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::uint64_t occupied = levels_[level].occupied;
    if (occupied == 0) continue;
    out.level = level;
    out.slot = static_cast<std::size_t>(std::countr_zero(occupied));
    const std::size_t shift = kSlotBits * level;
    const std::uint64_t above = current_ >> (shift + kSlotBits) << (shift + kSlotBits);
    out.tick = above | static_cast<std::uint64_t>(out.slot) << shift;
    return true;
  }
  return false;
}

TimerWheel::Timer* TimerWheel::take_due(runtime::MonotonicTime now) noexcept {
  const std::uint64_t passed =
      now <= start_ ? 0
                    : static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now - start_).count());
  Place place;
  while (first_occupied(place) && place.tick <= passed) {
    current_ = std::max(current_, place.tick);
    Timer* timer = levels_[place.level].slots[place.slot];
    if (place.level == 0) {
      timer->cancel();
      return timer;
    }
    while (timer != nullptr) {  // down to finer wheels
      timer->cancel();
      insert(*timer);
      timer = levels_[place.level].slots[place.slot];
    }
  }
  current_ = std::max(current_, std::min(passed, kLastTick));
  return nullptr;
}

runtime::MonotonicTime TimerWheel::next_look() const noexcept {
  Place place;
  if (!first_occupied(place)) return runtime::MonotonicTime::max();
  return start_ + std::chrono::milliseconds(place.tick);
}

}  // namespace barnabas::coordinator
