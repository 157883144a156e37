#include "client/cli/group_lag.h"

#include <algorithm>
#include <map>
#include <utility>

namespace barnabas::cli {

std::vector<PartitionLag> lags_of(Admin& admin, const GroupDescription& group) {
  std::map<TopicPartition, PartitionLag> lags;
  for (const auto& [partition, committed] : admin.list_group_offsets(group.group_id)) {
    lags[partition].committed = committed.offset;
  }
  for (const GroupMember& member : group.members) {
    for (const TopicPartition& partition : member.assignment) lags[partition].owner = member.member_id;
  }
  std::map<TopicPartition, OffsetSpec> ends;
  for (auto& [partition, lag] : lags) {
    lag.partition = partition;
    ends.emplace(partition, OffsetSpec::latest());
  }
  for (const ListedOffset& end : admin.list_offsets(std::move(ends))) {
    PartitionLag& lag = lags[end.partition];
    if (end.error) continue;
    lag.end = end.offset;
    if (lag.committed) lag.lag = std::max<std::int64_t>(0, end.offset - *lag.committed);
  }
  std::vector<PartitionLag> sorted;
  for (auto& [partition, lag] : lags) sorted.push_back(std::move(lag));
  return sorted;
}

}  // namespace barnabas::cli
