#include <algorithm>
#include <map>
#include <string>

#include "client/consumer/assignor/sticky.h"

namespace barnabas::client {
namespace {

std::size_t at(int place) noexcept {
  return GroupView::at(place);
}

/// Source: AbstractStickyAssignor.ConstrainedAssignmentBuilder. Each member keeps what it owned up to its quota; what
/// is left goes to those below, near ones first where racks matter.
class EvenDealer {
 public:
  EvenDealer(const GroupView& view, const StickyClaims& claims)
      : view_(view), claims_(claims), racks_(view), assignment_(view.members.size()) {
    const int members = static_cast<int>(view.members.size());
    least_ = view.partition_count / members;
    members_with_one_more_ = view.partition_count % members;
    most_ = least_ + (members_with_one_more_ > 0 ? 1 : 0);
  }

  Result<StickyAssignment> deal() {
    for (const int member : view_.members_as_java_walks) keep_owned(member);
    std::sort(below_.begin(), below_.end());
    std::sort(at_least_.begin(), at_least_.end());
    std::vector<PartitionRef> unassigned = find_unassigned();
    if (racks_.matter()) unassigned = deal_within_racks(std::move(unassigned));
    if (auto dealt = deal_in_turn(unassigned); !dealt) return failure(std::move(dealt.error()));
    if (auto sums = check_sums(); !sums) return failure(std::move(sums.error()));
    return StickyAssignment{std::move(assignment_), std::move(changing_hands_)};
  }

 private:
  std::vector<PartitionRef>& of(int member) { return assignment_[at(member)]; }

  bool may_exceed_least() const { return members_above_ < members_with_one_more_; }

  /// Once as many have more as shall, those with the least are full.
  void count_one_above() {
    if (++members_above_ == members_with_one_more_) at_least_.clear();
  }

  void keep_owned(int member) {
    std::vector<PartitionRef> owned;
    for (const PartitionRef partition : claims_.owned[at(member)]) {
      if (racks_.mismatch(member, partition)) {
        may_be_revoked_[partition] = member;
      } else if (!is_doubly_claimed(partition)) {
        owned.push_back(partition);
      }
    }
    std::sort(owned.begin(), owned.end(), [](PartitionRef a, PartitionRef b) {
      return a.partition != b.partition ? a.partition < b.partition : a.topic < b.topic;
    });
    const int count = static_cast<int>(owned.size());
    int kept = count;
    if (count < least_) {
      below_.push_back(member);
    } else if (count >= most_ && may_exceed_least()) {
      kept = most_;
      count_one_above();
    } else {
      kept = least_;
      if (may_exceed_least()) at_least_.push_back(member);
    }
    const auto end = owned.begin() + kept;
    of(member).assign(owned.begin(), end);
    assigned_.insert(assigned_.end(), owned.begin(), end);
    for (auto revoked = end; revoked != owned.end(); ++revoked) may_be_revoked_[*revoked] = member;
  }

  bool is_doubly_claimed(PartitionRef partition) const {
    return std::binary_search(claims_.doubly_claimed.begin(), claims_.doubly_claimed.end(), partition);
  }

  /// All but the assigned ones. An assigned one that does not exist stands in the way of all that follow it, as in
  /// Kafka's.
  std::vector<PartitionRef> find_unassigned() {
    std::sort(assigned_.begin(), assigned_.end());
    std::vector<PartitionRef> unassigned;
    auto next = assigned_.begin();
    for (int number = 0; number < view_.partition_count; ++number) {
      const PartitionRef partition = view_.partition_of(number);
      if (next != assigned_.end() && *next == partition) {
        ++next;
      } else {
        unassigned.push_back(partition);
      }
    }
    return unassigned;
  }

  /// The first of `members` from place `first` on, in a circle, that stands near a replica; -1 for none.
  int next_near(PartitionRef partition, const std::vector<int>& members, std::size_t first) const {
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::size_t place = (first + i) % members.size();
      if (racks_.match(members[place], partition)) return static_cast<int>(place);
    }
    return -1;
  }

  /// Those with the fewest members near go first. Gives back what could not be dealt.
  std::vector<PartitionRef> deal_within_racks(std::vector<PartitionRef> unassigned) {
    std::map<PartitionRef, int> near;
    for (const PartitionRef partition : unassigned) near[partition] = racks_.members_near(partition);
    std::stable_sort(unassigned.begin(), unassigned.end(),
                     [&](PartitionRef a, PartitionRef b) { return near[a] < near[b]; });
    std::size_t next = 0;
    std::erase_if(unassigned, [&](PartitionRef partition) {
      const int member = take_near(partition, next);
      if (member >= 0) assign_new(partition, member);
      return member >= 0;
    });
    return unassigned;
  }

  /// Who takes it; -1 for nobody. `next` is the place in below_ where the next search begins.
  int take_near(PartitionRef partition, std::size_t& next) {
    int place = next_near(partition, below_, next);
    if (place >= 0) {
      const int member = below_[at(place)];
      const int count = static_cast<int>(of(member).size()) + 1;
      if (count >= least_) {
        below_.erase(below_.begin() + place);
        if (count < most_ && may_exceed_least()) at_least_.push_back(member);
      } else {
        ++place;
      }
      next = below_.empty() ? 0 : at(place) % below_.size();
      return member;
    }
    place = next_near(partition, at_least_, 0);
    if (place < 0) return -1;
    const int member = at_least_[at(place)];
    if (static_cast<int>(of(member).size()) + 1 == most_) {
      at_least_.erase(at_least_.begin() + place);
      count_one_above();
    }
    return member;
  }

  Result<void> deal_in_turn(const std::vector<PartitionRef>& unassigned) {
    std::size_t next = 0;  // in below_
    for (const PartitionRef partition : unassigned) {
      if (below_.empty() && at_least_.empty()) {
        return failure(Errc::invalid_argument, "nobody is left to take " + view_.named(partition).to_string() +
                                                   ": members claim partitions that their topics do not have");
      }
      int member = -1;
      if (below_.empty()) {
        member = at_least_.front();
        at_least_.erase(at_least_.begin());
      } else {
        if (next >= below_.size()) next = 0;
        member = below_[next++];
      }
      const int count = assign_new(partition, member);
      if (count == least_ && next > 0) {
        below_.erase(below_.begin() + static_cast<std::ptrdiff_t>(--next));
        at_least_.push_back(member);
      } else if (count == most_) {
        ++members_above_;
      }
    }
    return {};
  }

  int assign_new(PartitionRef partition, int member) {
    of(member).push_back(partition);
    const auto revoked = may_be_revoked_.find(partition);
    if ((revoked != may_be_revoked_.end() && revoked->second != member) || is_doubly_claimed(partition)) {
      changing_hands_.emplace_back(partition, member);
    }
    return static_cast<int>(of(member).size());
  }

  Result<void> check_sums() {
    for (const int member : below_) {
      if (members_above_ != members_with_one_more_ || static_cast<int>(of(member).size()) != least_) {
        return failure(Errc::invalid_argument, "nothing is left for member " + *view_.members[at(member)].id +
                                                   ": others claim partitions that their topics do not have");
      }
    }
    return {};
  }

  const GroupView& view_;
  const StickyClaims& claims_;
  const StickyRacks racks_;
  int least_ = 0;                  // what each member gets at least,
  int most_ = 0;                   // and at most
  int members_with_one_more_ = 0;  // how many shall get most_ where that is more than least_
  int members_above_ = 0;          // and how many have it by now
  std::vector<int> below_;         // who has less than least_
  std::vector<int> at_least_;      // who has least_, and may get one more
  std::vector<PartitionRef> assigned_;
  std::map<PartitionRef, int> may_be_revoked_;
  std::vector<std::vector<PartitionRef>> assignment_;
  std::vector<std::pair<PartitionRef, int>> changing_hands_;
};

}  // namespace

Result<StickyAssignment> assign_same_subscriptions(const GroupView& view, const StickyClaims& claims) {
  return EvenDealer(view, claims).deal();
}

}  // namespace barnabas::client
