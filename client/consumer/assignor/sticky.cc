#include "client/consumer/assignor/sticky.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string_view>

namespace barnabas::client {
namespace {

std::size_t at(int place) noexcept {
  return GroupView::at(place);
}

/// As Kafka compares: the first's topics as a set, the others' by count and members.
bool same_subscriptions(const GroupView& view) {
  const auto& first = view.members.front().subscription->topics;
  const std::set<std::string_view> topics(first.begin(), first.end());
  return std::all_of(view.members.begin() + 1, view.members.end(), [&](const GroupMember& member) {
    const auto& mine = member.subscription->topics;
    return mine == first ||
           (mine.size() == topics.size() &&
            std::all_of(mine.begin(), mine.end(), [&](const auto& topic) { return topics.count(topic) > 0; }));
  });
}

std::vector<int> all_places(std::size_t count) {
  std::vector<int> places(count);
  std::iota(places.begin(), places.end(), 0);
  return places;
}

}  // namespace

StickyClaims settle_claims(const GroupView& view, const std::vector<MemberClaim>& claims) {
  StickyClaims settled;
  settled.owned.resize(claims.size());
  settled.claimed.resize(claims.size());
  std::map<PartitionRef, int> owners;
  std::set<PartitionRef> doubly_claimed;
  for (int member = 0; member < static_cast<int>(claims.size()); ++member) {
    const MemberClaim& claim = claims[at(member)];
    const std::int32_t generation = claim.generation.value_or(kNoGeneration);
    settled.generations.push_back(claim.generation);
    settled.highest_generation = std::max(settled.highest_generation, generation);
    for (const auto& named : claim.partitions) {
      const PartitionRef partition{view.topic_named(named.topic), named.partition};
      if (partition.topic < 0) continue;
      settled.claimed[at(member)].push_back(partition);
      const auto [owner, is_first] = owners.emplace(partition, member);
      if (is_first) {
        settled.owned[at(member)].push_back(partition);
        continue;
      }
      const std::int32_t others = view.members[at(owner->second)].subscription->generation_id.value_or(kNoGeneration);
      if (generation < others) continue;
      std::erase(settled.owned[at(owner->second)], partition);
      owner->second = member;
      if (generation == others) {
        doubly_claimed.insert(partition);
      } else {
        settled.owned[at(member)].push_back(partition);
      }
    }
  }
  settled.doubly_claimed.assign(doubly_claimed.begin(), doubly_claimed.end());
  return settled;
}

StickyRacks::StickyRacks(const GroupView& view)
    : view_(view), matter_(should_match_racks(view, all_places(view.members.size()), all_places(view.topics.size()))) {}

bool StickyRacks::match(int member, PartitionRef partition) const {
  const int rack = view_.members[at(member)].rack;
  if (!matter_ || rack < 0) return false;
  const auto number = view_.number_of(partition);
  return number && view_.has_replica_in(rack, *number);
}

bool StickyRacks::mismatch(int member, PartitionRef partition) const {
  return matter_ && view_.members[at(member)].rack >= 0 && !match(member, partition);
}

int StickyRacks::members_near(PartitionRef partition) const {
  int count = 0;
  for (int member = 0; member < static_cast<int>(view_.members.size()); ++member)
    count += match(member, partition) ? 1 : 0;
  return count;
}

Result<StickyAssignment> assign_sticky(const GroupView& view, const std::vector<MemberClaim>& claims) {
  if (view.members.empty()) return StickyAssignment{};
  const StickyClaims settled = settle_claims(view, claims);
  if (same_subscriptions(view)) return assign_same_subscriptions(view, settled);
  return assign_any_subscriptions(view, settled);
}

}  // namespace barnabas::client
