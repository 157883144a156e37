#include "tests/simulation/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace barnabas::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kQuietSeconds = 120;  // at the end, without faults

Fault draw_fault(Dice& dice, const std::vector<FaultKind>& kinds, runtime::Duration length) {
  Fault fault;
  fault.kind = dice.pick(kinds);
  const auto last = std::chrono::duration_cast<milliseconds>(length - seconds(kQuietSeconds)).count();
  fault.at = milliseconds(dice.between(1000, last));
  fault.lasts = milliseconds(dice.one_in(4) ? dice.between(5000, 60000) : dice.between(10, 5000));
  switch (fault.kind) {
    case FaultKind::cut_writes:
      fault.amount = static_cast<std::uint64_t>(dice.between(2, 30));
      break;
    case FaultKind::slow:
      fault.amount = static_cast<std::uint64_t>(dice.between(1, 3000));
      break;
    case FaultKind::kill_writing:
    case FaultKind::power_loss:
      fault.amount = static_cast<std::uint64_t>(dice.between(1, 60));
      break;
    case FaultKind::disk_full:
      fault.amount = static_cast<std::uint64_t>(dice.between(0, 2000));
      break;
    default:
      break;
  }
  return fault;
}

void draw_settings(Plan& plan, Dice& dice) {
  plan.partitions = static_cast<std::int32_t>(dice.between(1, 3));
  plan.topic["segment.ms"] = dice.pick<std::string>({"10000", "100000", "604800000"});
  plan.topic["index.interval.bytes"] = dice.one_in(2) ? "100" : "4096";
  plan.producer["acks"] = "all";
  plan.producer["enable.idempotence"] = "true";
  plan.producer["linger.ms"] = dice.pick<std::string>({"0", "5", "200"});
  plan.producer["batch.size"] = dice.pick<std::string>({"0", "200", "1000", "16384"});
  plan.producer["compression.type"] = dice.pick<std::string>({"none", "none", "lz4", "zstd", "snappy", "gzip"});
  plan.producer["max.in.flight.requests.per.connection"] = dice.pick<std::string>({"1", "2", "5"});
  plan.producer["request.timeout.ms"] = dice.pick<std::string>({"1000", "5000", "30000"});
  plan.producer["delivery.timeout.ms"] = dice.pick<std::string>({"31000", "60000", "120000"});
  plan.producer["max.block.ms"] = dice.pick<std::string>({"1000", "60000"});
  plan.consumer["fetch.max.wait.ms"] = dice.pick<std::string>({"500", "5000", "5000", "5000"});
  plan.consumer["fetch.min.bytes"] = dice.pick<std::string>({"1", "1", "2000"});
  plan.consumer["max.partition.fetch.bytes"] = dice.pick<std::string>({"500", "1048576"});
  plan.consumer["max.poll.records"] = dice.pick<std::string>({"1", "7", "500"});
  plan.consumer["request.timeout.ms"] = dice.pick<std::string>({"6000", "30000"});
  if (dice.one_in(6)) {
    // At least once, and in no order: what was given up may still be on its way when later records are stored.
    plan.producer["enable.idempotence"] = "false";
    plan.producer["acks"] = dice.pick<std::string>({"1", "all"});
    plan.promises = {false, false};
  }
}

}  // namespace

const char* to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::cut_one:
      return "cut_one";
    case FaultKind::cut_all:
      return "cut_all";
    case FaultKind::cut_writes:
      return "cut_writes";
    case FaultKind::refuse:
      return "refuse";
    case FaultKind::stall:
      return "stall";
    case FaultKind::slow:
      return "slow";
    case FaultKind::pause:
      return "pause";
    case FaultKind::kill:
      return "kill";
    case FaultKind::kill_writing:
      return "kill_writing";
    case FaultKind::power_loss:
      return "power_loss";
    case FaultKind::restart:
      return "restart";
    case FaultKind::disk_full:
      return "disk_full";
  }
  return "?";
}

Plan Plan::from(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  draw_settings(plan, dice);
  plan.bursts = static_cast<int>(dice.between(20, 80));
  plan.records_in_burst = static_cast<int>(dice.between(1, 12));
  plan.value_bytes = static_cast<int>(dice.between(1, 300));
  std::vector<FaultKind> kinds = {FaultKind::cut_one, FaultKind::cut_all,      FaultKind::cut_writes, FaultKind::refuse,
                                  FaultKind::stall,   FaultKind::slow,         FaultKind::pause,      FaultKind::kill,
                                  FaultKind::restart, FaultKind::kill_writing, FaultKind::disk_full};
  if (dice.one_in(4)) {
    plan.topic["flush.messages"] = "1";
    // Not the full disk: a flush that has no room for an index takes the partition offline until a restart, as Kafka's.
    kinds.back() = FaultKind::power_loss;
  }
  const std::int64_t faults = dice.between(0, 10);
  for (std::int64_t i = 0; i < faults; ++i) plan.faults.push_back(draw_fault(dice, kinds, plan.length));
  std::sort(plan.faults.begin(), plan.faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return plan;
}

std::string Plan::to_string() const {
  std::string text = fmt::format("seed {}: {} partitions, {} bursts of up to {} records\n", seed, partitions, bursts,
                                 records_in_burst);
  for (const auto* settings : {&topic, &producer, &consumer}) {
    for (const auto& [name, value] : *settings) text += fmt::format("  {}={}", name, value);
    text += '\n';
  }
  for (const Fault& fault : faults) {
    text += fmt::format("  at {:.3f} s {} for {:.3f} s ({})\n", std::chrono::duration<double>(fault.at).count(),
                        simulation::to_string(fault.kind), std::chrono::duration<double>(fault.lasts).count(),
                        fault.amount);
  }
  return text;
}

}  // namespace barnabas::simulation
