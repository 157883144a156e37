#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tests/simulation/history.h"

namespace barnabas::simulation {
namespace {

constexpr std::size_t kMostProblems = 20;  // of one kind of run; more say nothing new

class Checker {
 public:
  Checker(const History& history, const Promises& promises) : history_(history), promises_(promises) {
    for (std::size_t i = 0; i < history_.sent.size(); ++i) {
      const Sent& sent = history_.sent[i];
      numbers_.emplace(std::pair(sent.partition, sent.value), i);
    }
  }

  std::vector<std::string> run() {
    check_fates();
    for (const auto& [partition, log] : history_.audited) check_log("audit", partition, log);
    for (const auto& [partition, log] : history_.followed) check_log("consumer", partition, log);
    check_acknowledged();
    check_agreement();
    return std::move(problems_);
  }

 private:
  template <typename... Args>
  void report(fmt::format_string<Args...> format, Args&&... args) {
    if (problems_.size() < kMostProblems) problems_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void check_fates() {
    for (std::size_t i = 0; i < history_.sent.size(); ++i) {
      const Sent& sent = history_.sent[i];
      if (sent.callbacks != 1) report("record {}: its callback was called {} times", i, sent.callbacks);
    }
  }

  /// Offsets without gaps, nothing that was not sent, nothing twice, all in the order of sending.
  void check_log(const char* who, std::int32_t partition, const Log& log) {
    std::int64_t expected = 0;
    std::map<std::size_t, std::int64_t> offsets;  // by record
    std::optional<std::size_t> last;
    for (const Seen& seen : log) {
      if (seen.offset > expected) {
        report("{}: partition {} has a gap: offset {} follows {}", who, partition, seen.offset, expected - 1);
      } else if (seen.offset < expected) {
        report("{}: partition {} goes back: offset {} follows {}", who, partition, seen.offset, expected - 1);
      }
      expected = seen.offset + 1;
      const auto known = numbers_.find({partition, seen.value});
      if (known == numbers_.end()) {
        report("{}: offset {} of partition {} holds a record that was never sent there: '{}'", who, seen.offset,
               partition, seen.value.substr(0, 40));
        continue;
      }
      const std::size_t number = known->second;
      const auto [earlier, is_first] = offsets.emplace(number, seen.offset);
      if (!is_first && promises_.exactly_once) {
        report("{}: record {} is twice in partition {}, at offsets {} and {}", who, number, partition, earlier->second,
               seen.offset);
      }
      if (is_first && promises_.ordered && last && number < *last) {
        report("{}: record {} stands behind record {} in partition {} (offset {}), and was sent before it", who, number,
               *last, partition, seen.offset);
      }
      if (is_first) last = number;
    }
  }

  void check_acknowledged() {
    std::map<std::pair<std::int32_t, std::int64_t>, const Seen*> by_offset;
    std::map<std::pair<std::int32_t, std::string>, std::int64_t> by_value;
    for (const auto& [partition, log] : history_.audited) {
      for (const Seen& seen : log) {
        by_offset.emplace(std::pair(partition, seen.offset), &seen);
        by_value.emplace(std::pair(partition, seen.value), seen.offset);
      }
    }
    for (std::size_t i = 0; i < history_.sent.size(); ++i) {
      const Sent& sent = history_.sent[i];
      if (sent.fate != Fate::acknowledged) continue;
      const auto found = by_value.find({sent.partition, sent.value});
      if (found == by_value.end()) {
        report("record {} was acknowledged at offset {} of partition {} and is lost", i, sent.offset, sent.partition);
        continue;
      }
      if (sent.offset < 0) continue;
      const auto there = by_offset.find({sent.partition, sent.offset});
      if (there == by_offset.end() || there->second->value != sent.value) {
        report("record {} was acknowledged at offset {} of partition {} and stands at {}", i, sent.offset,
               sent.partition, found->second);
      }
    }
  }

  /// Whoever reads, reads the same.
  void check_agreement() {
    for (const auto& [partition, log] : history_.audited) {
      const auto other = history_.followed.find(partition);
      const std::size_t followed = other == history_.followed.end() ? 0 : other->second.size();
      if (followed != log.size()) {
        report("partition {}: the consumer read {} records, the audit {}", partition, followed, log.size());
        continue;
      }
      for (std::size_t i = 0; i < followed; ++i) {
        const Seen& one = other->second[i];
        if (one.offset == log[i].offset && one.value == log[i].value) continue;
        report("partition {}: the consumer read something else at offset {} than the audit at {}", partition,
               one.offset, log[i].offset);
        break;
      }
    }
  }

  const History& history_;
  const Promises promises_;
  std::map<std::pair<std::int32_t, std::string>, std::size_t> numbers_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check(const History& history, const Promises& promises) {
  return Checker(history, promises).run();
}

}  // namespace barnabas::simulation
