#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "examples/demo/load.h"

namespace demo {

struct HandOver {
  /// A partition: which member had it when the one was killed, and which at the end.
  struct Part {
    int owner_before = -1;
    int owner_after = -1;
    std::uint64_t repeated = 0;  ///< Records that were processed once more.
    PartitionSummary sum;        ///< Each record once.
  };
  std::vector<Part> partitions;
  std::vector<std::string> problems;  ///< Empty when all is well.
  int victim = -1;
  pid_t victim_pid = -1;
  std::uint64_t records_before = 0;  ///< How many had been processed when the member was killed.
  double hand_over_seconds = 0;      ///< From the kill until others had all its partitions.
  double seconds = 0;
};

/// The second act: three processes in a group read the topic, one of them is killed with SIGKILL half way.
HandOver hand_over(const std::string& bootstrap_servers, const std::vector<PartitionSummary>& wanted);

}  // namespace demo
