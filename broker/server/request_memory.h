#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace barnabas::broker {

/// What the requests under way are reckoned to hold (frame, decoded form, answer), against queued.max.request.bytes:
/// while it is used up, no connection reads its next request. As in Kafka the last one taken may overshoot. Threads:
/// any. Lives longer than its shares.
class RequestMemory {
 public:
  /// One request's part; gives it back when destroyed.
  class Share {
   public:
    Share() = default;
    Share(RequestMemory& memory, std::size_t bytes) : memory_(&memory), bytes_(bytes) {}
    ~Share() { give_back(); }
    Share(Share&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&& other) noexcept {
      give_back();
      memory_ = std::exchange(other.memory_, nullptr);
      bytes_ = other.bytes_;
      return *this;
    }

   private:
    void give_back() {
      if (memory_ != nullptr) memory_->give_back(bytes_);
    }
    RequestMemory* memory_ = nullptr;
    std::size_t bytes_ = 0;
  };

  /// Zero or less: no limit.
  explicit RequestMemory(std::int64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  Share take(std::size_t bytes);
  bool has_room() const;
  /// Calls `wake` once, on the thread that makes room; at once when there is room already. It must only post.
  void when_room(std::function<void()> wake);
  /// Nobody is woken any more.
  void shut_down();
  std::size_t used_bytes() const;

 private:
  bool has_room_locked() const { return limit_bytes_ <= 0 || used_bytes_ < static_cast<std::size_t>(limit_bytes_); }
  void give_back(std::size_t bytes);

  const std::int64_t limit_bytes_;
  mutable std::mutex mutex_;                    // leaf lock
  std::size_t used_bytes_ = 0;                  // mutex_
  std::vector<std::function<void()>> waiting_;  // mutex_
  bool is_shut_down_ = false;                   // mutex_
};

}  // namespace barnabas::broker
