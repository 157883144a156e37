#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "common/net/framing.h"

namespace barnabas::broker {

/// Memory of large requests that were answered, for those that come next: it is neither zeroed again nor given to the
/// system meanwhile. Small requests have memory of their own, and few large ones are kept, whoever sent them.
/// Threads: any.
class SpareFrames final : public net::FrameMemory {
 public:
  static constexpr std::size_t kLeastKeptBytes = 32 * 1024;
  static constexpr std::size_t kMostKeptBytes = 2 * 1024 * 1024;
  static constexpr std::size_t kMostKept = 4;

  Bytes take(std::size_t bytes) override;
  /// Keeps the frame, or frees it.
  void keep(Bytes frame);

 private:
  std::mutex mutex_;           // leaf lock
  std::vector<Bytes> spares_;  // mutex_
};

}  // namespace barnabas::broker
