#include "barnabas/assignor.h"
#include "client/consumer/assignor/group_view.h"

namespace barnabas {
namespace client {
namespace {

class RoundRobinAssignor final : public Assignor {
 public:
  std::string name() const override { return "roundrobin"; }

  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    const GroupView view(cluster, group);
    std::vector<std::vector<PartitionRef>> assignment(view.members.size());
    const std::vector<int> in_turn = view.members_in_turn();
    std::size_t next = 0;
    for (int number = 0; number < view.partition_count; ++number) {
      const PartitionRef partition = view.partition_of(number);
      while (!view.subscribes(in_turn[next], partition.topic)) next = (next + 1) % in_turn.size();
      assignment[GroupView::at(in_turn[next])].push_back(partition);
      next = (next + 1) % in_turn.size();
    }
    return view.named(assignment);
  }
};

}  // namespace
}  // namespace client

inline namespace v0 {

std::unique_ptr<Assignor> make_round_robin_assignor() {
  return std::make_unique<client::RoundRobinAssignor>();
}

}  // namespace v0
}  // namespace barnabas
