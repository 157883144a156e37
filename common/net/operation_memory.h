#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace barnabas::net {

/// Memory for one asynchronous operation at a time, kept from one to the next; a second one beside it has its own.
/// Threads: one at a time.
class OperationMemory {
 public:
  void* allocate(std::size_t bytes) {
    if (is_taken_) return ::operator new(bytes);
    if (bytes > bytes_) {
      block_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      bytes_ = bytes;
    }
    is_taken_ = true;
    return block_.get();
  }
  void deallocate(void* memory) noexcept {
    if (memory != block_.get()) return ::operator delete(memory);
    is_taken_ = false;
  }

 private:
  std::unique_ptr<std::byte[]> block_;  // aligned for any fundamental type, as new gives it
  std::size_t bytes_ = 0;
  bool is_taken_ = false;
};

/// What a handler names as its associated allocator, for Asio to put its operation there.
template <typename T>
class OperationAllocator {
 public:
  using value_type = T;
  explicit OperationAllocator(OperationMemory& memory) noexcept : memory_(&memory) {}
  template <typename U>
  OperationAllocator(const OperationAllocator<U>& other) noexcept  // NOLINT(google-explicit-constructor): to rebind
      : memory_(other.memory_) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) noexcept { memory_->deallocate(memory); }
  friend bool operator==(const OperationAllocator& a, const OperationAllocator& b) noexcept {
    return a.memory_ == b.memory_;
  }

 private:
  template <typename U>
  friend class OperationAllocator;
  OperationMemory* memory_;
};

}  // namespace barnabas::net
