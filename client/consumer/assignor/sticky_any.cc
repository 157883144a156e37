#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>

#include "client/consumer/assignor/java_order.h"
#include "client/consumer/assignor/partition_movements.h"
#include "client/consumer/assignor/sticky.h"

namespace barnabas::client {
namespace {

std::size_t at(int place) noexcept {
  return GroupView::at(place);
}

/// Source: AbstractStickyAssignor.GeneralAssignmentBuilder. Each member keeps what it owned and may still read; the
/// rest goes to whoever has least; then partitions move from those with more to those with less.
class AnyDealer {
 public:
  AnyDealer(const GroupView& view, const StickyClaims& claims)
      : view_(view),
        racks_(view),
        current_(view.members.size()),
        owner_(at(view.partition_count), -1),
        previous_owner_(at(view.partition_count), -1),
        is_fixed_(view.members.size()) {
    find_previous_owners(claims);
    keep_owned(claims);
  }

  StickyAssignment deal() {
    for (int member = 0; member < static_cast<int>(current_.size()); ++member)
      by_size_.emplace(size_of(member), member);
    std::vector<int> all = all_partitions();
    std::vector<int> unassigned;
    std::copy_if(all.begin(), all.end(), std::back_inserter(unassigned), [&](int p) { return owner_[at(p)] < 0; });
    const bool is_new = current_[at(by_size_.rbegin()->second)].empty();

    assign(unassigned);
    set_aside_what_cannot_move(all, unassigned);
    const auto current_before = current_;
    const std::int64_t imbalance_before = imbalance();
    if (!revocation_required_) move_to_balance(unassigned);
    const bool moved = move_to_balance(all);
    if (!is_new && moved && imbalance() >= imbalance_before) current_ = current_before;
    return {as_references(), std::nullopt};
  }

 private:
  using BySize = std::set<std::pair<std::size_t, int>>;  // how many it has, who: ascending, as Kafka's

  std::size_t size_of(int member) const { return current_[at(member)].size(); }
  int topic_of(int partition) const { return view_.partition_of(partition).topic; }
  const std::vector<int>& members_of(int topic) const { return view_.topics[at(topic)].members; }

  /// Who had a partition in a generation before the last: where sizes allow, it may have it back.
  void find_previous_owners(const StickyClaims& claims) {
    std::vector<std::int32_t> generation_of(owner_.size());
    for (int member = 0; member < static_cast<int>(current_.size()); ++member) {
      const std::int32_t generation = claims.generations[at(member)].value_or(kNoGeneration);
      if (generation >= claims.highest_generation) continue;
      for (const PartitionRef partition : claims.claimed[at(member)]) {
        const auto number = view_.number_of(partition);
        if (!number || (previous_owner_[at(*number)] >= 0 && generation <= generation_of[at(*number)])) continue;
        previous_owner_[at(*number)] = member;
        generation_of[at(*number)] = generation;
      }
    }
  }

  void keep_owned(const StickyClaims& claims) {
    for (int member = 0; member < static_cast<int>(current_.size()); ++member) {
      for (const PartitionRef partition : claims.owned[at(member)]) {
        const auto number = view_.number_of(partition);
        if (!number) continue;  // Kafka would go on to give its neighbours to two members
        if (!view_.subscribes(member, partition.topic) || racks_.mismatch(member, partition)) {
          revocation_required_ = true;
          continue;
        }
        current_[at(member)].push_back(*number);
        owner_[at(*number)] = member;
      }
    }
  }

  /// Those that the fewest members can have come first.
  std::vector<int> all_partitions() const {
    std::vector<int> topics(view_.topics.size());
    std::iota(topics.begin(), topics.end(), 0);
    std::stable_sort(topics.begin(), topics.end(),
                     [this](int a, int b) { return members_of(a).size() < members_of(b).size(); });
    std::vector<int> all;
    all.reserve(owner_.size());
    for (const int topic : topics) {
      const GroupTopic& facts = view_.topics[at(topic)];
      for (std::size_t i = 0; i < facts.partitions.size(); ++i) all.push_back(facts.first + static_cast<int>(i));
    }
    return all;
  }

  void assign(const std::vector<int>& unassigned) {
    std::vector<int> rest = unassigned;
    if (racks_.matter()) std::erase_if(rest, [this](int partition) { return assign_one(partition, true); });
    for (const int partition : rest) assign_one(partition, false);
  }

  bool assign_one(int partition, bool within_racks) {
    const PartitionRef reference = view_.partition_of(partition);
    for (const auto& [size, member] : by_size_) {
      if (!view_.subscribes(member, reference.topic) || (within_racks && racks_.mismatch(member, reference))) continue;
      const int taker = member;
      by_size_.erase({size, taker});
      current_[at(taker)].push_back(partition);
      owner_[at(partition)] = taker;
      by_size_.emplace(size_of(taker), taker);
      return true;
    }
    return false;
  }

  /// Topics that one member alone can read do not move, nor do members that have all they can have of only such topics.
  void set_aside_what_cannot_move(std::vector<int>& all, std::vector<int>& unassigned) {
    const auto stays = [this](int partition) { return members_of(topic_of(partition)).size() < 2; };
    std::erase_if(all, stays);
    std::erase_if(unassigned, stays);
    for (int member = 0; member < static_cast<int>(current_.size()); ++member) {
      const auto& partitions = current_[at(member)];
      std::size_t most = 0;
      for (const int topic : view_.members[at(member)].topics) most += view_.topics[at(topic)].partitions.size();
      is_fixed_[at(member)] = partitions.size() >= most && std::all_of(partitions.begin(), partitions.end(), stays);
      if (is_fixed_[at(member)]) by_size_.erase({size_of(member), member});
    }
  }

  /// Sum of the differences of all pairs of members that can give or take.
  std::int64_t imbalance() const {
    std::vector<std::int64_t> sizes;
    for (const auto& [size, member] : by_size_) sizes.push_back(static_cast<std::int64_t>(size));
    const auto count = static_cast<std::int64_t>(sizes.size());
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += sizes[static_cast<std::size_t>(i)] * (2 * i - count + 1);
    return sum;
  }

  /// Whether anything moved. Source: performReassignments, where a rack decides only which of two equal branches is
  /// taken.
  bool move_to_balance(const std::vector<int>& partitions) {
    bool moved = false;
    for (bool moved_now = true; moved_now;) {
      moved_now = false;
      for (const int partition : partitions) {
        if (is_balanced()) break;
        if (move_where_it_fits(partition)) moved = moved_now = true;
      }
    }
    return moved;
  }

  bool move_where_it_fits(int partition) {
    const int topic = topic_of(partition);
    const std::size_t size = size_of(owner_[at(partition)]);
    const int previous = previous_owner_[at(partition)];
    // Kafka gives it back even where the previous owner reads the topic no more.
    if (previous >= 0 && !is_fixed_[at(previous)] && view_.subscribes(previous, topic) &&
        size > size_of(previous) + 1) {
      move(partition, previous);
      return true;
    }
    const int smallest = smallest_of(topic);
    if (size <= size_of(smallest) + 1) return false;
    move(partition, smallest);
    return true;
  }

  /// The first in order who subscribes to it: a topic that moves has two at least.
  int smallest_of(int topic) const {
    const auto found = std::find_if(by_size_.begin(), by_size_.end(),
                                    [&](const auto& of) { return view_.subscribes(of.second, topic); });
    return found->second;
  }

  void move(int wanted, int to) {
    const int topic = topic_of(wanted);
    const int partition = movements_.actual(topic, wanted, owner_[at(wanted)], to);
    const int from = owner_[at(partition)];
    by_size_.erase({size_of(from), from});
    by_size_.erase({size_of(to), to});
    const std::int32_t hash = java_hash(view_.topics[at(topic)].java_hash, view_.partition_of(partition).partition);
    movements_.move(topic, partition, hash, from, to);
    auto& partitions = current_[at(from)];
    partitions.erase(std::find(partitions.begin(), partitions.end(), partition));
    current_[at(to)].push_back(partition);
    owner_[at(partition)] = to;
    by_size_.emplace(size_of(from), from);
    by_size_.emplace(size_of(to), to);
    sizes_changed_ = true;
  }

  /// Nobody could have a partition of one who has two more. Kafka asks this before each partition; the answer can only
  /// change with a move, and while it is no, the topic that said so last mostly says so again.
  bool is_balanced() {
    if (by_size_.begin()->first + 1 >= by_size_.rbegin()->first) return true;
    if (!sizes_changed_) return balanced_;
    sizes_changed_ = false;
    const int topics = static_cast<int>(view_.topics.size());
    for (int i = 0; i < topics; ++i) {
      const int topic = (unbalanced_topic_ + i) % topics;
      if (is_balanced(topic)) continue;
      unbalanced_topic_ = topic;
      return balanced_ = false;
    }
    return balanced_ = true;
  }

  bool is_balanced(int topic) const {
    if (members_of(topic).size() < 2) return true;
    const std::size_t least = size_of(smallest_of(topic));
    const GroupTopic& facts = view_.topics[at(topic)];
    for (std::size_t i = 0; i < facts.partitions.size(); ++i) {
      if (least + 1 < size_of(owner_[at(facts.first) + i])) return false;
    }
    return true;
  }

  std::vector<std::vector<PartitionRef>> as_references() const {
    std::vector<std::vector<PartitionRef>> references(current_.size());
    for (std::size_t member = 0; member < current_.size(); ++member) {
      for (const int partition : current_[member]) references[member].push_back(view_.partition_of(partition));
    }
    return references;
  }

  const GroupView& view_;
  const StickyRacks racks_;
  std::vector<std::vector<int>> current_;  // partitions by member, in the order they came
  std::vector<int> owner_;                 // by partition; -1: nobody yet
  std::vector<int> previous_owner_;
  std::vector<bool> is_fixed_;  // by member
  BySize by_size_;              // without the fixed ones, once these are set aside
  PartitionMovements movements_;
  bool revocation_required_ = false;
  bool sizes_changed_ = true;
  bool balanced_ = false;
  int unbalanced_topic_ = 0;
};

}  // namespace

StickyAssignment assign_any_subscriptions(const GroupView& view, const StickyClaims& claims) {
  return AnyDealer(view, claims).deal();
}

}  // namespace barnabas::client
