#include "client/consumer/memory_budget.h"

namespace barnabas::client {
namespace {

constexpr std::size_t kMaxIdleBuffers = 4;
constexpr std::size_t kMaxIdleBytes = 4 * 1024 * 1024;  // a larger one is rather freed than kept

struct SharedBuffer {
  Bytes bytes;
  MemoryBudget::Lease lease;
};

}  // namespace

void MemoryBudget::Lease::release() noexcept {
  if (budget_ != nullptr) budget_->used_bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
  budget_.reset();
  bytes_ = 0;
}

MemoryBudget::Lease MemoryBudget::take(std::size_t bytes) {
  used_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return {shared_from_this(), bytes};
}

Bytes BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {};
  Bytes buffer = std::move(idle_.back());
  idle_.pop_back();
  buffer.clear();
  return buffer;
}

std::shared_ptr<const Bytes> BufferPool::share(Bytes filled) {
  auto lease = budget_->take(filled.capacity());
  auto* shared = new SharedBuffer{std::move(filled), std::move(lease)};
  auto give_back = [pool = weak_from_this()](SharedBuffer* done) {
    const std::unique_ptr<SharedBuffer> owned(done);
    if (const auto alive = pool.lock()) alive->give_back(std::move(owned->bytes));
  };
  const std::shared_ptr<SharedBuffer> owner(shared, std::move(give_back));
  return {owner, &owner->bytes};
}

void BufferPool::give_back(Bytes buffer) noexcept {
  if (buffer.capacity() > kMaxIdleBytes) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdleBuffers) idle_.push_back(std::move(buffer));
}

}  // namespace barnabas::client
