// How long an EmbeddedBroker takes to start and to stop: `embedded_start_bench [ROUNDS]` prints one JSON object, in
// milliseconds. A measurement, not a test: run it in a release build on a quiet machine.
#include <barnabas/embedded_broker.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double percentile(std::vector<double> sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void print(const char* what, std::vector<double> times, const char* end) {
  const double first = times.front();
  std::sort(times.begin(), times.end());
  std::printf("\"%s\": {\"first\": %.2f, \"min\": %.2f, \"p50\": %.2f, \"p90\": %.2f, \"max\": %.2f}%s", what, first,
              times.front(), percentile(times, 0.5), percentile(times, 0.9), times.back(), end);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50;
  std::vector<double> starts;
  std::vector<double> stops;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    std::optional<barnabas::EmbeddedBroker> broker(std::in_place);
    starts.push_back(milliseconds_since(begin));
    const auto end = Clock::now();
    broker.reset();
    stops.push_back(milliseconds_since(end));
  }
  std::printf("{\"rounds\": %d, ", rounds);
  print("start_ms", starts, ", ");
  print("stop_ms", stops, "}\n");
}
