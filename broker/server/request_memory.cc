#include "broker/server/request_memory.h"

#include <utility>

namespace barnabas::broker {

RequestMemory::Share RequestMemory::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  used_bytes_ += bytes;
  return {*this, bytes};
}

bool RequestMemory::has_room() const {
  const std::lock_guard lock(mutex_);
  return has_room_locked();
}

void RequestMemory::when_room(std::function<void()> wake) {
  {
    const std::lock_guard lock(mutex_);
    if (is_shut_down_) return;
    if (!has_room_locked()) {
      waiting_.push_back(std::move(wake));
      return;
    }
  }
  wake();
}

void RequestMemory::give_back(std::size_t bytes) {
  std::vector<std::function<void()>> woken;
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
    if (has_room_locked()) woken = std::exchange(waiting_, {});
  }
  for (const std::function<void()>& wake : woken) wake();
}

void RequestMemory::shut_down() {
  const std::lock_guard lock(mutex_);
  is_shut_down_ = true;
  waiting_.clear();
}

std::size_t RequestMemory::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

}  // namespace barnabas::broker
