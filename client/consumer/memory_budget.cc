#include "client/consumer/memory_budget.h"

namespace barnabas::client {
namespace {

constexpr std::size_t kMaxIdleBuffers = 4;
constexpr std::size_t kMaxIdleShare = 8;  // of the budget, all together

}  // namespace

void MemoryBudget::Lease::release() noexcept {
  if (budget_ != nullptr) budget_->used_bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
  budget_.reset();
  bytes_ = 0;
}

void MemoryBudget::Lease::shrink(std::size_t bytes) noexcept {
  if (budget_ == nullptr || bytes >= bytes_) return;
  budget_->used_bytes_.fetch_sub(bytes_ - bytes, std::memory_order_relaxed);
  bytes_ = bytes;
}

bool MemoryBudget::Lease::grow(std::size_t bytes) noexcept {
  if (bytes <= bytes_) return true;
  if (budget_ == nullptr || !budget_->try_add(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

bool MemoryBudget::try_add(std::size_t bytes) noexcept {
  std::size_t used = used_bytes_.load(std::memory_order_relaxed);
  do {
    if (used > limit_bytes_ || bytes > limit_bytes_ - used) return false;
  } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

std::optional<MemoryBudget::Lease> MemoryBudget::try_take(std::size_t bytes) {
  if (!try_add(bytes)) return std::nullopt;
  return Lease(shared_from_this(), bytes);
}

CountedBuffer BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {};
  CountedBuffer buffer = std::move(idle_.back());
  idle_.pop_back();
  idle_bytes_ -= buffer.lease.bytes();
  buffer.bytes.resize(buffer.lease.bytes());
  return buffer;
}

std::shared_ptr<const Bytes> BufferPool::share(CountedBuffer filled) {
  auto* shared = new CountedBuffer(std::move(filled));
  auto give_back = [pool = weak_from_this()](CountedBuffer* done) {
    const std::unique_ptr<CountedBuffer> owned(done);
    if (const auto alive = pool.lock()) alive->give_back(std::move(*owned));
  };
  const std::shared_ptr<CountedBuffer> owner(shared, std::move(give_back));
  return {owner, &owner->bytes};
}

void BufferPool::give_back(CountedBuffer buffer) noexcept {
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = buffer.lease.bytes();
  if (idle_.size() >= kMaxIdleBuffers || idle_bytes_ + bytes > budget_->limit_bytes() / kMaxIdleShare) return;
  idle_bytes_ += bytes;
  idle_.push_back(std::move(buffer));
}

bool BufferPool::drop_idle() {
  std::vector<CountedBuffer> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
  idle_bytes_ = 0;
  return !dropped.empty();
}

std::size_t BufferPool::idle_bytes() const {
  const std::lock_guard lock(mutex_);
  return idle_bytes_;
}

}  // namespace barnabas::client
