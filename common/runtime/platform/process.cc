#include "common/runtime/process.h"

#include <sys/resource.h>
#include <unistd.h>

namespace barnabas::runtime {
namespace {

constexpr std::uint64_t kBytesPerKib = 1024;
constexpr double kSecondsPerMicrosecond = 1e-6;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kSecondsPerMicrosecond;
}

}  // namespace

ResourceUsage resource_usage() noexcept {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return {};
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<std::uint64_t>(usage.ru_maxrss) * kBytesPerKib};
}

bool is_terminal(StandardStream stream) noexcept { return isatty(static_cast<int>(stream)) == 1; }

}  // namespace barnabas::runtime
