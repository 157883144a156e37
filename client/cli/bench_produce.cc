#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <memory>
#include <random>

#include "barnabas/producer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/measurement.h"
#include "client/cli/progress.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

constexpr std::uint64_t kRecordsPerSample = 16;  ///< Of so many, one record's latency is taken.
constexpr std::size_t kSpareBytes = 64 * 1024;
constexpr std::size_t kStep = 131;  ///< How far apart in the text two records' values begin.
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";

struct BenchProduceOptions {
  ClientOptions client;
  std::string topic;
  std::uint64_t count = 1'000'000;
  std::size_t size = 100;
  std::string compression = "none";
  std::string acks = "all";
  bool json = false;
};

/// One draw from the system seeds the rest: a system call per letter would be most of a short benchmark's CPU.
std::string random_text(std::size_t size) {
  std::minstd_rand random(static_cast<std::uint32_t>(runtime::system_env().random().below(UINT32_MAX)));
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += kLetters[random() % kLetters.size()];
  return text;
}

/// Written by delivery callbacks, which run one at a time; all but the counts are read after close().
struct Outcome {
  Measurement measurement{"produce", "send to acknowledgement"};
  runtime::Clock& clock = runtime::system_env().clock();
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> failed{0};
  std::string first_failure;

  void take(const Delivery& delivery) {
    if (delivery.ok()) {
      acknowledged.store(acknowledged.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else if (failed++ == 0) {
      first_failure = delivery.context + ": " + delivery.error.message();
    }
  }
};

int bench(const BenchProduceOptions& options) {
  const std::string text = random_text(options.size + kSpareBytes);
  partition_count(options.client, Runtime::make(), options.topic);  // or a wrong address would be found out late
  auto outcome = std::make_unique<Outcome>();
  Outcome* result = outcome.get();
  Producer producer(options.client.config({{"compression.type", options.compression}, {"acks", options.acks}}));
  {
    Progress progress("produced", options.count);
    const auto show = [&](std::uint64_t sent) {
      progress.update({.records = sent,
                       .bytes = sent * options.size,
                       .acknowledged = result->acknowledged,
                       .failed = result->failed});
    };
    for (std::uint64_t i = 0; i < options.count; ++i) {
      const std::string_view value = std::string_view(text).substr(i * kStep % kSpareBytes, options.size);
      if (i % kRecordsPerSample != 0) {
        producer.send({.topic = options.topic, .value = value}, [result](const Delivery& d) { result->take(d); });
        continue;
      }
      const auto sent = result->clock.now();
      producer.send({.topic = options.topic, .value = value}, [result, sent](const Delivery& d) {
        result->take(d);
        result->measurement.add_latency(result->clock.now() - sent);
      });
      show(i);
    }
    producer.flush();
    producer.close();
    show(options.count);
  }
  if (result->failed > 0) {
    throw Error(make_error_code(Errc::io_error),
                fmt::format("{} of {} records were not stored; the first: {}", result->failed.load(), options.count,
                            result->first_failure));
  }
  std::cout << result->measurement.finish(options.count, options.count * options.size, options.json);
  return kSuccess;
}

}  // namespace

void add_bench_produce(CLI::App& bench_app, Run& run) {
  const auto options = std::make_shared<BenchProduceOptions>();
  CLI::App* verb = bench_app.add_subcommand("produce", "Sends random text as fast as it goes");
  options->client.add_to(*verb);
  verb->add_option("-t,--topic", options->topic, "where to")->required();
  verb->add_option("-c,--count", options->count, "records")->check(not_negative)->capture_default_str();
  verb->add_option("-s,--size", options->size, "bytes of a value")->check(not_negative)->capture_default_str();
  verb->add_option("-z,--compression", options->compression, "none, gzip, snappy, lz4 or zstd")->capture_default_str();
  verb->add_option("-a,--acks", options->acks, "0, 1 or all")->capture_default_str();
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace barnabas::cli
