#include "tests/integration/group_claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

namespace barnabas::testing {

bool Claims::take(std::size_t member, const std::string& line) {
  std::istringstream in(line);
  std::string word;
  std::int32_t generation = -1;
  char colon = 0;
  if (!(in >> word >> generation >> colon) || word != "owns" || colon != ':') return false;
  if (generation < 0) return true;
  auto& owners = owners_[generation];
  for (std::int32_t partition = 0; in >> partition;) owners[partition].insert(member);
  return true;
}

std::vector<std::string> Claims::shared() const {
  std::vector<std::string> all;
  for (const auto& [generation, partitions] : owners_) {
    for (const auto& [partition, members] : partitions) {
      if (members.size() < 2) continue;
      all.push_back(fmt::format("in generation {} partition {} was given to members {}", generation, partition,
                                fmt::join(members, " and ")));
    }
  }
  return all;
}

}  // namespace barnabas::testing
