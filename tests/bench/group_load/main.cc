// Load for a group coordinator, ours or Apache Kafka's: `group_load heartbeats|commits|load|join ...` prints one JSON
// object. bench.py's section `groups` runs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "tests/bench/group_load/loads.h"

namespace {

using barnabas::bench::LoadOptions;
using Measure = std::function<barnabas::Result<void>(const LoadOptions&)>;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load for a group coordinator"};
  app.require_subcommand(1);
  LoadOptions options;
  Measure chosen;
  int interval_ms = 3000;
  int seconds = 20;
  const std::initializer_list<std::pair<const char*, Measure>> verbs{
      {"heartbeats", barnabas::bench::measure_heartbeats},
      {"commits", barnabas::bench::measure_commits},
      {"load", barnabas::bench::measure_load},
      {"join", barnabas::bench::measure_join}};
  for (const auto& [name, measure] : verbs) {
    CLI::App* verb = app.add_subcommand(name);
    verb->add_option("--bootstrap", options.bootstrap)->required();
    verb->add_option("--pid", options.broker_pid, "The broker's process")->required();
    verb->add_option("--topic", options.topic)->required();
    verb->add_option("--prefix", options.prefix, "Of the groups' names");
    verb->add_option("--groups", options.groups);
    verb->add_option("--members", options.members, "Of each group");
    verb->add_option("--partitions", options.partitions, "In each commit; of the topic");
    verb->add_option("--on-the-way", options.on_the_way, "Commits of one member at a time");
    verb->add_option("--count", options.count, "Of commits");
    verb->add_option("--interval-ms", interval_ms, "Between a member's heartbeats");
    verb->add_option("--seconds", seconds);
    verb->callback([&chosen, wanted = measure] { chosen = wanted; });
  }
  CLI11_PARSE(app, argc, argv);
  options.interval = std::chrono::milliseconds(interval_ms);
  options.time = std::chrono::seconds(seconds);
  const auto measured = chosen(options);
  if (measured) return 0;
  fmt::print(stderr, "group_load: {}\n", measured.error().message());
  return 1;
}
