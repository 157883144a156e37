#include "tests/support/counting_malloc/counting_malloc.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace barnabas::testing {
namespace {

std::atomic<std::uint64_t> allocations{0};
std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> peak{0};

}  // namespace

std::uint64_t heap_allocations() {
  return allocations;
}
std::int64_t heap_bytes() {
  return live;
}
std::int64_t heap_peak_bytes() {
  return peak;
}
void forget_heap_peak() {
  peak = live.load();
}

namespace {

[[maybe_unused]] void* counted(void* memory) {
  if (memory == nullptr) return nullptr;
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto size = static_cast<std::int64_t>(malloc_usable_size(memory));
  const std::int64_t now = live.fetch_add(size, std::memory_order_relaxed) + size;
  std::int64_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
  return memory;
}

[[maybe_unused]] void uncounted(void* memory) {
  if (memory == nullptr) return;
  live.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)), std::memory_order_relaxed);
}

}  // namespace
}  // namespace barnabas::testing

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
using barnabas::testing::counted;
using barnabas::testing::uncounted;

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  return counted(__libc_malloc(size));
}
void* calloc(std::size_t count, std::size_t size) {
  return counted(__libc_calloc(count, size));
}
void* realloc(void* memory, std::size_t size) {
  uncounted(memory);
  void* moved = __libc_realloc(memory, size);
  if (moved == nullptr && size != 0) counted(memory);  // it stays as it was
  return counted(moved);
}
void* memalign(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = counted(__libc_memalign(alignment, size));
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  uncounted(memory);
  __libc_free(memory);
}
}
#endif
