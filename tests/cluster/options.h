#pragma once

#include <cstdint>

namespace barnabas::cluster {

/// What the command line asks for.
struct RoundOptions {
  std::uint64_t seed = 1;
  int rounds = 7;
};
RoundOptions& round_options();

}  // namespace barnabas::cluster
