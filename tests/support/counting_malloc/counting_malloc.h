#pragma once

#include <cstdint>

/// A malloc that counts what this process has of the heap, by whatever thread and library: what the C codecs hold is in
/// it. Linked into a test program, it takes the place of malloc; beside a sanitizer, which brings its own, it counts
/// nothing.
namespace barnabas::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasCountingMalloc = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kHasCountingMalloc = false;
#else
inline constexpr bool kHasCountingMalloc = true;
#endif
#else
inline constexpr bool kHasCountingMalloc = true;
#endif

/// Calls that allocated something, since the process began.
std::uint64_t heap_allocations();
/// Now allocated, the allocator's rounding included.
std::int64_t heap_bytes();
/// The most there was at once since the last forget_heap_peak().
std::int64_t heap_peak_bytes();
void forget_heap_peak();

}  // namespace barnabas::testing
