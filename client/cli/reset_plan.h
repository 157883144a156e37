#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "barnabas/offsets.h"
#include "barnabas/topic_partition.h"

namespace barnabas::cli {

/// Where `group reset-offsets` moves a group.
struct ResetTarget {
  enum class Kind { earliest, latest, current, offset, shift, time };

  Kind kind = Kind::current;
  std::int64_t value = 0;  ///< offset, shift: a number of records; time: milliseconds since 1970.
};

/// What the plan has to know of a partition.
struct PartitionOffsets {
  std::int64_t earliest = 0;
  std::int64_t latest = 0;
  std::optional<std::int64_t> at_time;  ///< Of the first record at or after the time asked for; none: no such record.
};

struct PlannedReset {
  TopicPartition partition;
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;  ///< None: it cannot be moved so, as nothing is committed to shift from.
};

/// Where each partition goes: never before its earliest record, never behind its latest; to its end where there is no
/// record at or after the time, and for `current` where nothing is committed. Source: kafka-consumer-groups.
std::vector<PlannedReset> plan_reset(const ResetTarget& target, const std::map<TopicPartition, PartitionOffsets>& ends,
                                     const Offsets& committed);

}  // namespace barnabas::cli
