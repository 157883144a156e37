#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace barnabas::testing {

/// What the members of a group say that they were given, generation by generation.
class Claims {
 public:
  /// Takes a line of group_member: "owns GENERATION: PARTITION..."; generation -1, of a member that was expelled
  /// meanwhile, counts for nothing. False: it is another line.
  bool take(std::size_t member, const std::string& line);
  /// Each partition that two members were given in one generation, in words.
  std::vector<std::string> shared() const;
  /// How many generations anybody speaks of.
  std::size_t generations() const { return owners_.size(); }

 private:
  std::map<std::int32_t, std::map<std::int32_t, std::set<std::size_t>>> owners_;  // by generation and partition
};

}  // namespace barnabas::testing
