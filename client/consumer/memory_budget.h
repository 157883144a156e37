#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/bytes/bytes.h"

namespace barnabas::client {

/// The byte budget of one consumer (buffer.memory): what fetches under way may bring, fetched frames, decompressed
/// batches and what the user's Records keep alive. It is never exceeded: who needs room asks before there is anything
/// to put there. Threads: any.
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
    /// Gives back what it holds above `bytes`.
    void shrink(std::size_t bytes) noexcept;
    /// Holds at least `bytes` then; false, and unchanged, where the budget has not that much.
    bool grow(std::size_t bytes) noexcept;

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
  /// None where that many are not free.
  std::optional<Lease> try_take(std::size_t bytes);

 private:
  bool try_add(std::size_t bytes) noexcept;

  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

/// A buffer and its share of the budget.
struct CountedBuffer {
  Bytes bytes;
  MemoryBudget::Lease lease;
};

/// Buffers for decompressed batches, used again when the last view of them is gone; those at rest count as well.
/// Threads: any.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  explicit BufferPool(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}

  /// One that an earlier batch left, as large as it is, or an empty one.
  CountedBuffer take();
  /// Freezes a filled one: counted until the last copy goes, then kept for take().
  std::shared_ptr<const Bytes> share(CountedBuffer filled);
  /// Frees the buffers at rest; whether there were any.
  bool drop_idle();
  std::size_t idle_bytes() const;
  MemoryBudget& budget() const noexcept { return *budget_; }

 private:
  void give_back(CountedBuffer buffer) noexcept;

  std::shared_ptr<MemoryBudget> budget_;
  mutable std::mutex mutex_;
  std::vector<CountedBuffer> idle_;  // mutex_
  std::size_t idle_bytes_ = 0;       // mutex_
};

}  // namespace barnabas::client
