#pragma once

#include <mutex>

namespace barnabas::runtime {

/// Tells the CPU that a loop only waits.
inline void relax_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// A mutex for what is held a microsecond at a time and wanted again at once: who finds it taken looks a few more times
/// before going to sleep, since to sleep and to be woken costs both threads more than the wait.
/// Threads: any. For std::lock_guard and its like.
class BriefMutex {
 public:
  void lock() {
    constexpr int kLooks = 100;
    for (int i = 0; i < kLooks; ++i) {
      if (mutex_.try_lock()) return;
      relax_cpu();
    }
    mutex_.lock();
  }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

}  // namespace barnabas::runtime
