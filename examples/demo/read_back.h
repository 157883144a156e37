#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "examples/demo/load.h"

namespace demo {

struct ReadBack {
  std::vector<PartitionSummary> partitions;
  std::map<std::string, std::uint64_t> sections;  ///< Records per value of the header "section".
  std::vector<std::string> disorder;              ///< Offsets that did not follow each other; empty when all is well.
  std::uint64_t records = 0;
  double seconds = 0;
};

/// Reads the whole topic from the beginning with our consumer.
ReadBack read_back(const std::string& bootstrap_servers, std::uint64_t wanted);

}  // namespace demo
