#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "barnabas/consumer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/measurement.h"
#include "client/cli/progress.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

using namespace std::chrono_literals;

struct BenchConsumeOptions {
  ClientOptions client;
  std::string topic;
  std::optional<std::uint64_t> count;
  bool json = false;
};

int bench(const BenchConsumeOptions& options) {
  const auto partitions = partitions_of(options.client, Runtime::make(), options.topic);
  Consumer consumer(options.client.config({{"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"}}));
  std::uint64_t wanted = 0;  // upper bound: offsets may have gaps
  const auto beginnings = consumer.beginning_offsets(partitions);
  const auto ends = consumer.end_offsets(partitions);
  for (const auto& [where, end] : ends) wanted += static_cast<std::uint64_t>(end - beginnings.at(where));
  if (options.count && *options.count > wanted) {
    throw Error(make_error_code(Errc::invalid_argument),
                fmt::format("topic {} holds {} records, fewer than --count {}", options.topic, wanted, *options.count));
  }
  if (options.count) wanted = *options.count;
  auto& clock = runtime::system_env().clock();
  Measurement measurement("consume", "poll");
  Progress progress("consumed", wanted);
  consumer.assign(partitions);
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  auto unread = ends;
  while (records < wanted && !unread.empty()) {
    const auto before = clock.now();
    const Records polled = consumer.poll(100ms);
    measurement.add_latency(clock.now() - before);
    for (const RecordView& record : polled) {
      bytes += record.key().value_or("").size() + record.value().value_or("").size();
    }
    records += polled.size();
    progress.update({.records = records, .bytes = bytes});
    if (!polled.empty()) continue;
    while (!unread.empty() && consumer.position(unread.begin()->first) >= unread.begin()->second) {
      unread.erase(unread.begin());
    }
  }
  std::cout << measurement.finish(records, bytes, options.json);
  consumer.close(5s);
  return kSuccess;
}

}  // namespace

void add_bench_consume(CLI::App& bench_app, Run& run) {
  const auto options = std::make_shared<BenchConsumeOptions>();
  CLI::App* verb = bench_app.add_subcommand("consume", "Reads a topic from its beginning as fast as it goes");
  options->client.add_to(*verb);
  verb->add_option("-t,--topic", options->topic, "what to read")->required();
  verb->add_option("-c,--count", options->count, "records; default: all that are there")->check(not_negative);
  for (const char* name : {"-s,--size", "-z,--compression", "-a,--acks"}) {
    verb->add_option(
        name, [](const CLI::results_t&) { return true; },
        "no effect: taken so that both benches have the same options");
  }
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace barnabas::cli
