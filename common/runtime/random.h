#pragma once

#include <cstdint>
#include <span>

namespace barnabas::runtime {

/// Every random number (back-off jitter, UUIDs, nonces, partition choice) comes from here: from the system, or from a
/// seed. Threads: any.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

}  // namespace barnabas::runtime
