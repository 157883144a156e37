#include "broker/server/spare_frames.h"

#include <utility>

namespace barnabas::broker {

Bytes SpareFrames::take(std::size_t bytes) {
  if (bytes < kLeastKeptBytes) return {};
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  Bytes spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void SpareFrames::keep(Bytes frame) {
  if (frame.size() < kLeastKeptBytes || frame.capacity() > kMostKeptBytes) return;
  const std::lock_guard lock(mutex_);
  if (spares_.size() < kMostKept) spares_.push_back(std::move(frame));
}

}  // namespace barnabas::broker
