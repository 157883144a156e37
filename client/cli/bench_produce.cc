#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <random>
#include <vector>

#include "barnabas/producer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/measurement.h"
#include "client/cli/progress.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

constexpr std::uint64_t kTurn = 100;             ///< So many records one of the clients sends in a row, or one batch.
constexpr std::uint64_t kRecordsPerSample = 64;  ///< Of so many, one record's latency is taken.
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
  std::uint64_t batch = 1;
  std::size_t clients = 1;
  bool round_robin = false;
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

  template <typename AnyDelivery>
  void take(const AnyDelivery& delivery, std::uint64_t records = 1) {
    if (delivery.ok()) {
      acknowledged.store(acknowledged.load(std::memory_order_relaxed) + records, std::memory_order_relaxed);
    } else if (failed.fetch_add(records) == 0) {
      first_failure = delivery.context + ": " + delivery.error.message();
    }
  }
};

/// One thread sends, in turns for each of the clients, which share a runtime.
class ProduceBench {
 public:
  ProduceBench(const BenchProduceOptions& options, std::int32_t partitions)
      : options_(options), partitions_(partitions), text_(random_text(options.size + kSpareBytes)) {
    const auto runtime = Runtime::make();
    for (std::size_t i = 0; i < options.clients; ++i) {
      producers_.emplace_back(
          options.client.config({{"compression.type", options.compression}, {"acks", options.acks}}),
          ProducerOptions{.runtime = runtime});
    }
  }

  std::string run() {
    Progress progress("produced", options_.count);
    std::uint64_t sent = 0;
    for (std::size_t turn = 0; sent < options_.count; turn = (turn + 1) % producers_.size()) {
      const std::uint64_t left = options_.count - sent;
      sent += options_.batch > 1 ? send_batch(producers_[turn], sent, std::min(left, options_.batch))
                                 : send_turn(producers_[turn], sent, std::min(left, kTurn));
      show(progress, sent);
    }
    for (Producer& producer : producers_) producer.flush();
    for (Producer& producer : producers_) producer.close();
    show(progress, options_.count);
    progress.end();
    if (outcome_->failed > 0) {
      throw Error(make_error_code(Errc::io_error),
                  fmt::format("{} of {} records were not stored; the first: {}", outcome_->failed.load(),
                              options_.count, outcome_->first_failure));
    }
    return outcome_->measurement.finish(options_.count, options_.count * options_.size, options_.json);
  }

 private:
  std::string_view value(std::uint64_t number) const {
    return std::string_view(text_).substr(number * kStep % kSpareBytes, options_.size);
  }
  std::int32_t next_partition(std::uint64_t number) const {
    return static_cast<std::int32_t>(number % static_cast<std::uint64_t>(partitions_));
  }

  std::uint64_t send_turn(Producer& producer, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) send(producer, first + i);
    return count;
  }

  void send(Producer& producer, std::uint64_t number) {
    Record record{.topic = options_.topic, .value = value(number)};
    if (options_.round_robin) record.partition = next_partition(number);
    Outcome* const outcome = outcome_.get();
    if (number % kRecordsPerSample != 0) {
      producer.send(record, [outcome](const Delivery& d) { outcome->take(d); });
      return;
    }
    const auto sent = outcome->clock.now();
    producer.send(record, [outcome, sent](const Delivery& d) {
      outcome->take(d);
      outcome->measurement.add_latency(outcome->clock.now() - sent);
    });
  }

  /// Of one batch one latency is taken, however many records it has.
  std::uint64_t send_batch(Producer& producer, std::uint64_t first, std::uint64_t count) {
    records_.resize(static_cast<std::size_t>(count), Record{.topic = options_.topic});
    for (std::uint64_t i = 0; i < count; ++i) {
      records_[i].value = value(first + i);
      if (options_.round_robin) records_[i].partition = next_partition(first + i);
    }
    Outcome* const outcome = outcome_.get();
    const auto sent = outcome->clock.now();
    producer.send_batch(records_, [outcome, sent](const BatchDelivery& d) {
      outcome->take(d, d.count);
      outcome->measurement.add_latency(outcome->clock.now() - sent);
    });
    return count;
  }

  void show(Progress& progress, std::uint64_t sent) const {
    progress.update({.records = sent,
                     .bytes = sent * options_.size,
                     .acknowledged = outcome_->acknowledged,
                     .failed = outcome_->failed});
  }

  const BenchProduceOptions& options_;
  std::int32_t partitions_;
  std::string text_;
  std::unique_ptr<Outcome> outcome_ = std::make_unique<Outcome>();
  std::vector<Record> records_;  // of one batch
  std::vector<Producer> producers_;
};

int bench(const BenchProduceOptions& options) {
  if (options.clients == 0) throw UsageError("--clients must be at least 1");
  const auto partitions = partition_count(options.client, Runtime::make(), options.topic);
  std::cout << ProduceBench(options, partitions.value_or(1)).run();
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
  verb->add_option("--batch", options->batch, "records given to each call of send_batch; 1: one send for each")
      ->check(not_negative)
      ->capture_default_str();
  verb->add_option("--clients", options->clients, "so many producers send in turns; they share a thread")
      ->check(not_negative)
      ->capture_default_str();
  verb->add_flag("--round-robin", options->round_robin,
                 "the next partition for each record, not the partitioner's choice");
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace barnabas::cli
