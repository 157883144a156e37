#pragma once

#include <atomic>

namespace barnabas::runtime {

/// Tells the CPU that a loop only waits.
inline void relax_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// A mutex for what is held a microsecond at a time and wanted again at once: one atomic exchange to lock and one to
/// unlock, in line. Who finds it taken looks a few more times before going to sleep, since to sleep and to be woken
/// costs both threads more than the wait.
/// Threads: any. For std::lock_guard and its like.
class BriefMutex {
 public:
  void lock() noexcept {
    if (!try_lock()) lock_slowly();
  }
  bool try_lock() noexcept {
    int expected = kFree;
    return state_.compare_exchange_strong(expected, kTaken, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void unlock() noexcept {
    if (state_.exchange(kFree, std::memory_order_seq_cst) == kWanted) state_.notify_one();
  }

 private:
  static constexpr int kFree = 0;
  static constexpr int kTaken = 1;
  static constexpr int kWanted = 2;  // taken, and somebody may sleep

  void lock_slowly() noexcept {
    constexpr int kLooks = 100;
    for (int i = 0; i < kLooks; ++i) {
      if (state_.load(std::memory_order_relaxed) == kFree && try_lock()) return;
      relax_cpu();
    }
    while (state_.exchange(kWanted, std::memory_order_acquire) != kFree) state_.wait(kWanted);
  }

  std::atomic<int> state_{kFree};
};

}  // namespace barnabas::runtime
