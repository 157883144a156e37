#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/admin.h"

namespace barnabas::cli {

/// How far a group has read a partition.
struct PartitionLag {
  TopicPartition partition;
  std::optional<std::int64_t> committed;  ///< None: nothing is.
  std::optional<std::int64_t> end;        ///< None: nobody says (the topic was deleted, has no leader).
  std::optional<std::int64_t> lag;        ///< Where both are known.
  std::string owner;                      ///< The member id; empty: nobody's.
};

/// Of each partition that the group has committed or that a member has, sorted.
/// Errors: as Admin's, thrown.
std::vector<PartitionLag> lags_of(Admin& admin, const GroupDescription& group);

}  // namespace barnabas::cli
