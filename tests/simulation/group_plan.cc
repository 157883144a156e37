#include "tests/simulation/group_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace barnabas::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kQuietSeconds = 15;  // at the end, without faults and deeds

milliseconds draw_time(Dice& dice, runtime::Duration length) {
  const auto last = std::chrono::duration_cast<milliseconds>(length - seconds(kQuietSeconds)).count();
  return milliseconds(dice.between(1000, last));
}

Fault draw_fault(Dice& dice, runtime::Duration length) {
  Fault fault;
  fault.kind = dice.pick<FaultKind>({FaultKind::cut_one, FaultKind::cut_all, FaultKind::cut_writes, FaultKind::refuse,
                                     FaultKind::stall, FaultKind::slow, FaultKind::pause, FaultKind::kill,
                                     FaultKind::restart, FaultKind::kill_writing});
  fault.at = draw_time(dice, length);
  fault.lasts = milliseconds(dice.one_in(4) ? dice.between(5000, 12000) : dice.between(10, 5000));
  if (fault.kind == FaultKind::cut_writes) fault.amount = static_cast<std::uint64_t>(dice.between(2, 30));
  if (fault.kind == FaultKind::slow) fault.amount = static_cast<std::uint64_t>(dice.between(1, 1000));
  if (fault.kind == FaultKind::kill_writing) fault.amount = static_cast<std::uint64_t>(dice.between(1, 40));
  return fault;
}

Deed draw_deed(Dice& dice, runtime::Duration length) {
  Deed deed;
  deed.kind = dice.pick<DeedKind>({DeedKind::join, DeedKind::join, DeedKind::leave, DeedKind::crash, DeedKind::crash,
                                   DeedKind::sleep, DeedKind::stick});
  deed.at = draw_time(dice, length);
  deed.lasts = milliseconds(dice.one_in(2) ? dice.between(7000, 15000) : dice.between(100, 5000));
  return deed;
}

template <typename T>
void sort_by_time(std::vector<T>& all) {
  std::sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.at < b.at; });
}

}  // namespace

const char* to_string(DeedKind kind) {
  switch (kind) {
    case DeedKind::join:
      return "join";
    case DeedKind::leave:
      return "leave";
    case DeedKind::crash:
      return "crash";
    case DeedKind::sleep:
      return "sleep";
    case DeedKind::stick:
      return "stick";
  }
  return "?";
}

GroupPlan GroupPlan::calm(std::uint64_t seed) {
  GroupPlan plan;
  plan.world.seed = seed;
  plan.world.partitions = 6;
  plan.world.length = seconds(40);
  plan.world.broker["offsets.topic.num.partitions"] = "1";
  plan.member["session.timeout.ms"] = "6000";
  plan.member["heartbeat.interval.ms"] = "1500";
  plan.member["enable.auto.commit"] = "true";
  plan.member["auto.commit.interval.ms"] = "500";
  plan.member["max.poll.records"] = "5";
  plan.member["max.poll.interval.ms"] = "300000";
  return plan;
}

GroupPlan GroupPlan::from(std::uint64_t seed) {
  Dice dice(seed);
  GroupPlan plan = calm(seed);
  plan.world.partitions = static_cast<std::int32_t>(dice.between(1, 12));
  plan.world.broker["group.initial.rebalance.delay.ms"] = dice.pick<std::string>({"0", "0", "1000"});
  plan.member["partition.assignment.strategy"] = dice.pick<std::string>(
      {"range", "roundrobin", "sticky", "cooperative-sticky", "cooperative-sticky", "range,cooperative-sticky"});
  plan.member["enable.auto.commit"] = dice.one_in(2) ? "true" : "false";
  plan.member["heartbeat.interval.ms"] = dice.pick<std::string>({"500", "1500"});
  plan.member["max.poll.records"] = dice.pick<std::string>({"1", "5", "50"});
  plan.member["fetch.max.wait.ms"] = dice.pick<std::string>({"500", "5000"});
  plan.member["max.poll.interval.ms"] = dice.pick<std::string>({"9000", "300000"});
  plan.member["request.timeout.ms"] = dice.pick<std::string>({"6000", "30000"});
  plan.members = static_cast<std::size_t>(dice.between(1, 4));
  plan.is_static = dice.one_in(5);
  const std::int64_t faults = dice.between(0, 4);
  for (std::int64_t i = 0; i < faults; ++i) plan.world.faults.push_back(draw_fault(dice, plan.world.length));
  const std::int64_t deeds = dice.between(0, 8);
  for (std::int64_t i = 0; i < deeds; ++i) plan.deeds.push_back(draw_deed(dice, plan.world.length));
  sort_by_time(plan.world.faults);
  sort_by_time(plan.deeds);
  return plan;
}

std::string GroupPlan::to_string() const {
  std::string text = world.to_string() + fmt::format("{}{} members:", members, is_static ? " static" : "");
  for (const auto& [name, value] : member) text += fmt::format(" {}={}", name, value);
  text += '\n';
  for (const Deed& deed : deeds) {
    text += fmt::format("  at {:.3f} s {} ({:.3f} s)\n", std::chrono::duration<double>(deed.at).count(),
                        simulation::to_string(deed.kind), std::chrono::duration<double>(deed.lasts).count());
  }
  return text;
}

}  // namespace barnabas::simulation
