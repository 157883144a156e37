#include <algorithm>
#include <map>
#include <utility>

#include "barnabas/assignor.h"
#include "client/consumer/assignor/group_view.h"

namespace barnabas {
namespace client {
namespace {

using Assignment = std::vector<std::vector<PartitionRef>>;

/// One topic while it is dealt out. Source: RangeAssignor.TopicAssignmentState.
struct TopicState {
  int topic = 0;
  std::vector<int> members;  // in turn
  bool matches_racks = false;
  std::vector<int> unassigned;        // by number, ascending
  std::map<int, int> assigned_count;  // by member
  int per_member = 0;
  int members_with_one_more = 0;

  int may_take(int member) const {
    const auto found = assigned_count.find(member);
    const int has = found == assigned_count.end() ? 0 : found->second;
    return std::max(0, per_member + (members_with_one_more > 0 ? 1 : 0) - has);
  }
};

class RangeDealer {
 public:
  explicit RangeDealer(const GroupView& view) : view_(view), assignment_(view.members.size()) {
    const std::vector<int> in_turn = view.members_in_turn();
    for (const int topic : view.topics_as_java_walks) states_.push_back(state_of(topic, in_turn));
  }

  Assignment deal() {
    const bool matches_racks =
        std::any_of(states_.begin(), states_.end(), [](const TopicState& state) { return state.matches_racks; });
    if (matches_racks) deal_within_racks();
    for (auto& state : states_) deal_ranges(state, false);
    if (matches_racks) {
      for (auto& partitions : assignment_) std::sort(partitions.begin(), partitions.end());
    }
    return std::move(assignment_);
  }

 private:
  TopicState state_of(int topic, const std::vector<int>& in_turn) const {
    TopicState state;
    state.topic = topic;
    for (const int member : in_turn) {
      if (view_.subscribes(member, topic)) state.members.push_back(member);
    }
    const GroupTopic& facts = view_.topics[GroupView::at(topic)];
    const int count = static_cast<int>(facts.partitions.size());
    for (int i = 0; i < count; ++i) state.unassigned.push_back(facts.first + i);
    state.per_member = count / static_cast<int>(state.members.size());
    state.members_with_one_more = count % static_cast<int>(state.members.size());
    state.matches_racks = should_match_racks(view_, state.members, {topic});
    return state;
  }

  /// A member without a rack takes anything.
  bool rack_matches(int member, int number) const {
    const int rack = view_.members[GroupView::at(member)].rack;
    return rack < 0 || view_.has_replica_in(rack, number);
  }

  bool has_member_racks(const TopicState& state) const {
    return std::any_of(state.members.begin(), state.members.end(),
                       [this](int member) { return view_.members[GroupView::at(member)].rack >= 0; });
  }

  /// Topics with the same members and as many partitions are dealt alike, so that their equal partitions meet: that
  /// goes before racks.
  void deal_within_racks() {
    std::map<std::pair<std::vector<int>, std::size_t>, std::vector<TopicState*>> alike;
    for (auto& state : states_) {
      const std::size_t count =
          has_member_racks(state) ? view_.topics[GroupView::at(state.topic)].partitions.size() : 0;
      alike[{state.members, count}].push_back(&state);
    }
    for (auto& [key, states] : alike) {
      if (states.size() > 1) {
        deal_alike(key.first, static_cast<int>(key.second), states);
      } else if (states.front()->matches_racks) {
        deal_ranges(*states.front(), true);
      }
    }
  }

  void deal_alike(std::vector<int> members, int count, const std::vector<TopicState*>& states) {
    for (int i = 0; i < count && !members.empty(); ++i) {
      const auto number = [&](const TopicState* state) { return view_.topics[GroupView::at(state->topic)].first + i; };
      const auto taker = std::find_if(members.begin(), members.end(), [&](int member) {
        return std::all_of(states.begin(), states.end(), [&](const TopicState* state) {
          return rack_matches(member, number(state)) && state->may_take(member) > 0;
        });
      });
      if (taker == members.end()) continue;
      for (TopicState* state : states) assign(*state, *taker, {number(state)});
      if (std::none_of(states.begin(), states.end(), [&](auto* state) { return state->may_take(*taker) > 0; })) {
        members.erase(taker);
      }
    }
  }

  void deal_ranges(TopicState& state, bool within_racks) {
    for (const int member : state.members) {
      if (state.unassigned.empty()) return;
      std::vector<int> taken;
      const auto most = static_cast<std::size_t>(state.may_take(member));
      for (const int number : state.unassigned) {
        if (taken.size() == most) break;
        if (!within_racks || rack_matches(member, number)) taken.push_back(number);
      }
      if (!taken.empty()) assign(state, member, taken);
    }
  }

  void assign(TopicState& state, int member, const std::vector<int>& numbers) {
    auto& partitions = assignment_[GroupView::at(member)];
    for (const int number : numbers) partitions.push_back(view_.partition_of(number));
    int& has = state.assigned_count[member];
    has += static_cast<int>(numbers.size());
    if (has > state.per_member) --state.members_with_one_more;
    std::erase_if(state.unassigned,
                  [&](int number) { return std::binary_search(numbers.begin(), numbers.end(), number); });
  }

  const GroupView& view_;
  std::vector<TopicState> states_;
  Assignment assignment_;
};

class RangeAssignor final : public Assignor {
 public:
  std::string name() const override { return "range"; }

  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    const GroupView view(cluster, group);
    return view.named(RangeDealer(view).deal());
  }
};

}  // namespace
}  // namespace client

inline namespace v0 {

std::unique_ptr<Assignor> make_range_assignor() {
  return std::make_unique<client::RangeAssignor>();
}

}  // namespace v0
}  // namespace barnabas
