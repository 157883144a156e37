#include "client/cli/reset_plan.h"

#include <algorithm>
#include <limits>

namespace barnabas::cli {
namespace {

/// `from` plus `by`, at the ends of the numbers where it does not fit.
std::int64_t shifted(std::int64_t from, std::int64_t by) {
  if (by > 0 && from > std::numeric_limits<std::int64_t>::max() - by) return std::numeric_limits<std::int64_t>::max();
  return from + by;  // from is not negative
}

std::optional<std::int64_t> wanted(const ResetTarget& target, const PartitionOffsets& partition,
                                   std::optional<std::int64_t> committed) {
  switch (target.kind) {
    case ResetTarget::Kind::earliest:
      return partition.earliest;
    case ResetTarget::Kind::latest:
      return partition.latest;
    case ResetTarget::Kind::current:
      return committed.value_or(partition.latest);
    case ResetTarget::Kind::offset:
      return target.value;
    case ResetTarget::Kind::shift:
      return committed ? std::optional(shifted(*committed, target.value)) : std::nullopt;
    case ResetTarget::Kind::time:
      return partition.at_time.value_or(partition.latest);
  }
  return std::nullopt;
}

}  // namespace

std::vector<PlannedReset> plan_reset(const ResetTarget& target, const std::map<TopicPartition, PartitionOffsets>& ends,
                                     const Offsets& committed) {
  std::vector<PlannedReset> plan;
  for (const auto& [id, partition] : ends) {
    PlannedReset& reset = plan.emplace_back();
    reset.partition = id;
    if (const auto found = committed.find(id); found != committed.end()) reset.from = found->second.offset;
    reset.to = wanted(target, partition, reset.from);
    if (reset.to) reset.to = std::clamp(*reset.to, partition.earliest, partition.latest);
  }
  return plan;
}

}  // namespace barnabas::cli
