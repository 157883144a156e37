#include "client/core/backoff.h"

#include <algorithm>
#include <cmath>

namespace barnabas::client {

runtime::Duration Backoff::next() {
  const runtime::Duration wait = after(failures_);
  ++failures_;
  return wait;
}

runtime::Duration Backoff::after(int failures) const {
  const auto top = static_cast<double>(std::max(initial_, max_).count());
  // Beyond 2^40 the doubling has long met the maximum; the bound keeps the power finite.
  const double grown = static_cast<double>(initial_.count()) * std::exp2(std::clamp(failures, 0, 40));
  const double chance = static_cast<double>(random_->below(2'000'001)) / 1'000'000.0 - 1.0;  // -1 .. 1
  const double wait_ms = std::min(grown, top) * (1.0 + kJitter * chance);
  return std::chrono::duration_cast<runtime::Duration>(std::chrono::duration<double, std::milli>(wait_ms));
}

}  // namespace barnabas::client
