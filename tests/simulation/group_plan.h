#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/simulation/plan.h"

namespace barnabas::simulation {

/// What is done to the group's members.
enum class DeedKind {
  join,   ///< Another one comes.
  leave,  ///< One closes.
  crash,  ///< One dies in the middle of its work.
  sleep,  ///< One stands still for a while.
  stick   ///< One does not poll for a while, and is well otherwise.
};
const char* to_string(DeedKind kind);

struct Deed {
  DeedKind kind = DeedKind::join;
  runtime::Duration at{};  ///< Since the start.
  runtime::Duration lasts{};
};

/// All that a seed decides beforehand of a run with a consumer group.
struct GroupPlan {
  Plan world;                                 ///< Topic, faults and length.
  std::map<std::string, std::string> member;  ///< Settings.
  std::size_t members = 3;                    ///< At the start.
  bool is_static = false;                     ///< Members have a group.instance.id, and who crashes comes back.
  bool commits_too_early = false;             ///< A defect: before it has worked on what it commits.
  bool has_ledger = true;                     ///< Somebody commits and deletes offsets, and looks what is there.
  std::vector<Deed> deeds;                    ///< By time.

  static GroupPlan from(std::uint64_t seed);
  /// Three members and nothing that happens to them.
  static GroupPlan calm(std::uint64_t seed);
  std::string to_string() const;
};

}  // namespace barnabas::simulation
