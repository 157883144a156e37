#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tests/simulation/group_history.h"

namespace barnabas::simulation {
namespace {

constexpr std::size_t kMostProblems = 20;  // more say nothing new

using Kind = GroupEvent::Kind;

class GroupChecker {
 public:
  explicit GroupChecker(const GroupHistory& history) : history_(history) {}

  std::vector<std::string> run() {
    for (const GroupEvent& event : history_.events) take(event);
    check_acknowledged();
    check_ledger();
    return std::move(problems_);
  }

 private:
  template <typename... Args>
  void report(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMostProblems) problems_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void take(const GroupEvent& event) {
    switch (event.kind) {
      case Kind::owns:
        return check_owners(event);
      case Kind::assigned:
        for (const std::int32_t partition : event.partitions) {
          if (!held_[event.member].insert(partition).second) {
            report("{} was given partition {} that it had", event.member, partition);
          }
        }
        return;
      case Kind::lost:
        if (!event.may_be_lost) report("{} lost its partitions though it was there all the time", event.member);
        [[fallthrough]];
      case Kind::revoked:
        for (const std::int32_t partition : event.partitions) {
          if (held_[event.member].erase(partition) == 0) {
            report("{} had to give up partition {} that it did not have", event.member, partition);
          }
        }
        return;
      case Kind::returned:
        if (held_[event.member].count(event.place.first) == 0) {
          report("{} got record {}-{} of a partition that it did not have", event.member, event.place.first,
                 event.place.second);
        }
        return;
      case Kind::processed:
        return check_processed(event.place);
      case Kind::commits:
        return check_commit(event);
      case Kind::gone:
        held_.erase(event.member);
        return;
    }
  }

  void check_owners(const GroupEvent& event) {
    if (event.generation < 0) return;  // the membership was lost meanwhile
    auto& owners = owners_[event.generation];
    for (const std::int32_t partition : event.partitions) {
      const auto [owner, is_first] = owners.emplace(partition, event.member);
      if (is_first || owner->second == event.member) continue;
      report("partition {} has two owners in generation {}: {} and {}", partition, event.generation, owner->second,
             event.member);
    }
  }

  void check_processed(const Place& place) {
    processed_.insert(place);
    std::int64_t& first = unfinished_[place.first];
    while (processed_.count({place.first, first}) > 0) ++first;
  }

  /// Offsets have no gaps here, and reading begins at 0.
  void check_commit(const GroupEvent& event) {
    const std::int64_t unfinished = unfinished_[event.place.first];
    if (event.place.second <= unfinished) return;
    report("{} committed offset {} of partition {} when nobody had processed {}", event.member, event.place.second,
           event.place.first, unfinished);
  }

  void check_acknowledged() {
    for (const Place& place : history_.acknowledged) {
      if (processed_.count(place) == 0) {
        report("record {}-{} was acknowledged and never processed", place.first, place.second);
      }
    }
  }

  void check_ledger() {
    using Value = std::optional<std::int64_t>;
    std::map<std::int32_t, Value> stored;
    std::map<std::int32_t, std::set<Value>> tried;  // may still come
    const auto text = [](const Value& value) { return value ? std::to_string(*value) : std::string("nothing"); };
    for (const LedgerEntry& entry : history_.ledger) {
      switch (entry.kind) {
        case LedgerEntry::Kind::stored:
          stored[entry.partition] = entry.offset;
          break;
        case LedgerEntry::Kind::tried:
          tried[entry.partition].insert(entry.offset);
          break;
        case LedgerEntry::Kind::read:
          if (entry.offset == stored[entry.partition] || tried[entry.partition].count(entry.offset) > 0) break;
          report("the offset of partition {} is {}, and {} was stored last", entry.partition, text(entry.offset),
                 text(stored[entry.partition]));
          break;
      }
    }
  }

  const GroupHistory& history_;
  std::map<std::int32_t, std::map<std::int32_t, std::string>> owners_;  // by generation and partition
  std::map<std::string, std::set<std::int32_t>> held_;
  std::set<Place> processed_;
  std::map<std::int32_t, std::int64_t> unfinished_;  // the first, by partition
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check(const GroupHistory& history) {
  return GroupChecker(history).run();
}

}  // namespace barnabas::simulation
