#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "client/consumer/positions.h"
#include "client/core/cluster_snapshot.h"

namespace barnabas::client {

/// What one partition's progress hangs on besides its own state.
struct ExplainContext {
  const ClusterSnapshot& cluster;
  runtime::MonotonicTime now{};
  bool read_committed = false;
  bool out_of_memory = false;        ///< The last look found no room for another fetch.
  bool unreadable = false;           ///< The last poll failed on the batch at this partition's position.
  bool unreadable_for_room = false;  ///< ... because it does not fit into the budget.
  const std::map<std::int32_t, runtime::MonotonicTime>* fetches_sent_at =
      nullptr;                 ///< By broker; 0: none is under way.
  std::size_t held_bytes = 0;  ///< Of the budget: what the user's Records keep alive.
  std::size_t limit_bytes = 0;
};

/// What a partition waits for, in words. Cost: allocates.
std::string explain_partition(const PartitionState& state, const ExplainContext& context);

}  // namespace barnabas::client
