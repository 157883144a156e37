#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "barnabas/assignor.h"
#include "client/consumer/assignor/group_view.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// What the sticky and the cooperative-sticky assignor share. Source: Kafka's AbstractStickyAssignor, whose results it
/// gives, but not its costs (which grow with the cube).

/// Kafka's number for no generation.
inline constexpr std::int32_t kNoGeneration = -1;

/// What a member says it had: its last assignment, and the generation it had that in.
struct MemberClaim {
  std::vector<TopicPartition> partitions{};
  std::optional<std::int32_t> generation{};
};

/// Who may keep what, after all claims were held against each other: the higher generation wins; of two claims in one
/// generation (which only a defect or a fork of the group can make) neither holds.
struct StickyClaims {
  std::vector<std::vector<PartitionRef>> owned;    ///< By member.
  std::vector<std::vector<PartitionRef>> claimed;  ///< The same before the conflicts were settled.
  std::vector<std::optional<std::int32_t>> generations;
  std::vector<PartitionRef> doubly_claimed;  ///< Ascending, each once.
  std::int32_t highest_generation = kNoGeneration;
};
StickyClaims settle_claims(const GroupView& view, const std::vector<MemberClaim>& claims);

/// Racks, where there is reason to match them (KIP-881).
class StickyRacks {
 public:
  explicit StickyRacks(const GroupView& view);

  bool matter() const noexcept { return matter_; }
  /// The member is in a rack that has no replica.
  bool mismatch(int member, PartitionRef partition) const;
  /// The member is in a rack that has one.
  bool match(int member, PartitionRef partition) const;
  /// How many members stand where replicas stand.
  int members_near(PartitionRef partition) const;

 private:
  const GroupView& view_;
  bool matter_;
};

struct StickyAssignment {
  std::vector<std::vector<PartitionRef>> partitions;  ///< By member.
  /// Who gets a partition that another one may still be reading; none where the caller has to find out.
  std::optional<std::vector<std::pair<PartitionRef, int>>> changing_hands;
};

/// All members subscribe to the same topics: each gets as many as any other or one more, in one pass.
/// Errors: Errc::invalid_argument where a member claims a partition that its topic does not have and the sums do not
/// come out for that, as Kafka's fails.
Result<StickyAssignment> assign_same_subscriptions(const GroupView& view, const StickyClaims& claims);

/// Any subscriptions: as balanced as they allow. A claim on a partition that does not exist is ignored.
StickyAssignment assign_any_subscriptions(const GroupView& view, const StickyClaims& claims);

/// `claims` by member, in the order of `view.members`.
Result<StickyAssignment> assign_sticky(const GroupView& view, const std::vector<MemberClaim>& claims);

}  // namespace barnabas::client
