#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <vector>

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
  std::size_t clients = 1;
  bool json = false;
};

/// One of the clients: its part of the partitions, and how many of their records are still to be read.
struct Reader {
  Consumer consumer;
  std::vector<TopicPartition> partitions;
  std::uint64_t wanted;                           ///< Upper bound: offsets may have gaps.
  std::map<TopicPartition, std::int64_t> unread;  ///< Where those end that were not seen to be read to their end.

  bool done() const { return wanted == 0 || unread.empty(); }
  void drop_what_is_read() {
    while (!unread.empty() && consumer.position(unread.begin()->first) >= unread.begin()->second) {
      unread.erase(unread.begin());
    }
  }
};

/// The partitions are dealt to the clients like cards; of more clients than partitions several read the same one.
/// Each has its share of the records to read.
std::vector<Reader> make_readers(const BenchConsumeOptions& options) {
  if (options.clients == 0) throw UsageError("--clients must be at least 1");
  const auto runtime = Runtime::make();
  const auto partitions = partitions_of(options.client, runtime, options.topic);
  std::vector<Reader> readers;
  std::uint64_t there = 0;
  for (std::size_t i = 0; i < options.clients; ++i) {
    std::vector<TopicPartition> part;
    for (std::size_t at = i % partitions.size(); at < partitions.size(); at += options.clients) {
      part.push_back(partitions[at]);
    }
    Consumer consumer(options.client.config({{"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"}}),
                      {.runtime = runtime});
    const auto beginnings = consumer.beginning_offsets(part);
    auto ends = consumer.end_offsets(part);
    std::uint64_t wanted = 0;
    for (const auto& [where, end] : ends) wanted += static_cast<std::uint64_t>(end - beginnings.at(where));
    there += wanted;
    if (options.count) wanted = std::min(wanted, (*options.count + options.clients - 1) / options.clients);
    readers.push_back({std::move(consumer), std::move(part), wanted, std::move(ends)});
  }
  if (options.count && *options.count > there) {
    throw Error(make_error_code(Errc::invalid_argument),
                fmt::format("topic {} holds {} records, fewer than --count {}", options.topic, there, *options.count));
  }
  return readers;
}

int bench(const BenchConsumeOptions& options) {
  std::vector<Reader> readers = make_readers(options);
  std::uint64_t total = 0;
  for (const Reader& reader : readers) total += reader.wanted;
  auto& clock = runtime::system_env().clock();
  Measurement measurement("consume", "poll");
  Progress progress("consumed", total);
  for (Reader& reader : readers) reader.consumer.assign(reader.partitions);
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  for (std::size_t left = readers.size(); left > 0;) {
    left = 0;
    for (Reader& reader : readers) {
      if (reader.done()) continue;
      const auto before = clock.now();
      const Records polled = reader.consumer.poll(100ms);
      measurement.add_latency(clock.now() - before);
      for (const RecordView& record : polled) {
        bytes += record.key().value_or("").size() + record.value().value_or("").size();
      }
      records += polled.size();
      reader.wanted -= std::min<std::uint64_t>(reader.wanted, polled.size());
      progress.update({.records = records, .bytes = bytes});
      if (polled.empty()) reader.drop_what_is_read();
      if (!reader.done()) ++left;
    }
  }
  progress.end();
  std::cout << measurement.finish(records, bytes, options.json);
  for (Reader& reader : readers) reader.consumer.close(5s);
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
  verb->add_option("--clients", options->clients,
                   "so many consumers share the partitions (more than these: read the same ones), and a thread")
      ->check(not_negative)
      ->capture_default_str();
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace barnabas::cli
