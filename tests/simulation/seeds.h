#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace barnabas::simulation {

/// How many seeds each of `shards` test cases runs: all together `usual` of them, or the given part of as many as
/// BARNABAS_SIMULATION_SEEDS wants (CI wants more than a developer waits for).
inline std::uint64_t seeds_in_shard(std::uint64_t usual, std::uint64_t shards, std::uint64_t one_in = 1) {
  const char* wanted = std::getenv("BARNABAS_SIMULATION_SEEDS");
  const std::uint64_t all = wanted == nullptr ? usual : std::strtoull(wanted, nullptr, 10) / one_in;
  return std::max<std::uint64_t>(1, all / shards);
}

/// A line each.
inline std::string text_of(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += "  " + problem + '\n';
  return text;
}

}  // namespace barnabas::simulation
