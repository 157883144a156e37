#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/runtime/clock.h"

namespace barnabas::simulation {

using Place = std::pair<std::int32_t, std::int64_t>;  // partition, offset

/// One thing that a member of the group did, or that was done to it.
struct GroupEvent {
  enum class Kind {
    owns,       ///< A rebalance ended for it: `partitions` are all that it has in `generation`.
    assigned,   ///< The listener was given `partitions`.
    revoked,    ///< They were taken.
    lost,       ///< The same, by on_lost.
    returned,   ///< poll gave it the record at `place`.
    processed,  ///< It has worked on that.
    commits,    ///< A commit of `place` leaves it: what is to be read next.
    gone        ///< It has left or died.
  };
  Kind kind = Kind::gone;
  runtime::Duration at{};
  std::string member;
  std::int32_t generation = -1;
  std::vector<std::int32_t> partitions{};
  Place place{};
  bool may_be_lost = false;  ///< With lost: it slept, or network or broker failed, for long enough.
};

/// What one application committed alone, one after the other, and was told of it.
struct LedgerEntry {
  enum class Kind {
    stored,  ///< A commit or a deletion that succeeded.
    tried,   ///< One that failed: it may have been stored, now or later.
    read     ///< What the group has committed, as the broker says.
  };
  Kind kind = Kind::read;
  std::int32_t partition = 0;
  std::optional<std::int64_t> offset;  ///< Nothing: no offset, it is deleted.
};

/// All that can be observed of a group from outside.
struct GroupHistory {
  std::vector<GroupEvent> events;  ///< As time went by.
  std::set<Place> acknowledged;    ///< Where the records are that the producer was told are stored.
  std::vector<LedgerEntry> ledger;
};

/// The violations, each one sentence; empty: all is well.
std::vector<std::string> check(const GroupHistory& history);

}  // namespace barnabas::simulation
