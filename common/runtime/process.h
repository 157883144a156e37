#pragma once

#include <cstdint>

namespace barnabas::runtime {

/// What this process has used so far.
struct ResourceUsage {
  double cpu_seconds = 0;           ///< User and system, all threads.
  std::uint64_t max_rss_bytes = 0;  ///< The largest resident set there was.
};

/// Threads: any.
ResourceUsage resource_usage() noexcept;

enum class StandardStream { in, out, error };

/// Whether a person looks at it: a terminal rather than a pipe or a file.
/// Threads: any.
bool is_terminal(StandardStream stream) noexcept;

}  // namespace barnabas::runtime
