#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "common/bytes/bytes.h"

namespace barnabas::client {

/// The byte budget of one consumer (buffer.memory): fetched frames, decompressed batches and what the user's Records
/// keep alive. Threads: any.
class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  /// Gives back what it holds when it is destroyed. Empty when default-made or moved from.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Lease& operator=(Lease&& other) noexcept {
      release();
      budget_ = std::move(other.budget_);
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { release(); }
    std::size_t bytes() const noexcept { return bytes_; }
    void release() noexcept;

   private:
    friend class MemoryBudget;
    Lease(std::shared_ptr<MemoryBudget> budget, std::size_t bytes) : budget_(std::move(budget)), bytes_(bytes) {}

    std::shared_ptr<MemoryBudget> budget_;
    std::size_t bytes_ = 0;
  };

  explicit MemoryBudget(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  std::size_t limit_bytes() const noexcept { return limit_bytes_; }
  std::size_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  std::size_t free_bytes() const noexcept {
    const std::size_t used = used_bytes();
    return used < limit_bytes_ ? limit_bytes_ - used : 0;
  }
  /// Counts `bytes` that are there already.
  Lease take(std::size_t bytes);

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

/// Buffers for decompressed batches, used again when the last view of them is gone.
/// Threads: any.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  explicit BufferPool(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}

  /// An empty buffer, with the capacity that an earlier batch left.
  Bytes take();
  /// Freezes a filled one: counted against the budget until the last copy goes, then kept for take().
  std::shared_ptr<const Bytes> share(Bytes filled);
  MemoryBudget& budget() const noexcept { return *budget_; }

 private:
  void give_back(Bytes buffer) noexcept;

  std::shared_ptr<MemoryBudget> budget_;
  std::mutex mutex_;
  std::vector<Bytes> idle_;  // mutex_
};

}  // namespace barnabas::client
