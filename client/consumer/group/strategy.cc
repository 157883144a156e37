#include "client/consumer/group/strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace barnabas::client {
namespace {

struct Row {
  const char* name;
  const char* kafka_name;
  std::unique_ptr<Assignor> (*make)();
};
constexpr Row kRows[] = {
    {"range", "org.apache.kafka.clients.consumer.RangeAssignor", make_range_assignor},
    {"roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor", make_round_robin_assignor},
    {"sticky", "org.apache.kafka.clients.consumer.StickyAssignor", make_sticky_assignor},
    {"cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
     make_cooperative_sticky_assignor},
};

}  // namespace

Result<std::vector<std::shared_ptr<Assignor>>> assignors_named(const std::vector<std::string>& names) {
  std::vector<std::shared_ptr<Assignor>> made;
  for (const std::string& name : names) {
    const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const Row& one) { return name == one.name || name == one.kafka_name; });
    if (row == std::end(kRows)) {
      return failure(Errc::invalid_config,
                     fmt::format("partition.assignment.strategy: '{}' is none of range, roundrobin, sticky, "
                                 "cooperative-sticky; an assignor of your own goes into ConsumerOptions",
                                 name));
    }
    made.push_back(row->make());
  }
  return made;
}

}  // namespace barnabas::client
