#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/measurement.h"
#include "client/cli/progress.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;
using runtime::MonotonicTime;

constexpr auto kWarmUp = 1s;        ///< Records of the first second are not counted.
constexpr auto kLastRecords = 30s;  ///< So long after the last record was sent, all must have come.

struct BenchLatencyOptions {
  ClientOptions client;
  std::string topic;
  std::uint64_t rate = 1000;
  std::uint64_t seconds = 10;
  std::size_t size = 100;
  std::string acks = "all";
  std::vector<std::string> consumer_properties;
  bool json = false;
};

/// When record `number` is due. A record that is sent late, because the producer blocked, has waited all the same: its
/// latency counts from here.
MonotonicTime due(MonotonicTime start, std::uint64_t number, std::uint64_t rate) {
  return start + std::chrono::duration_cast<Duration>(
                     std::chrono::duration<double>(static_cast<double>(number) / static_cast<double>(rate)));
}

/// A worker sends what is due; the program's thread reads what has come, as fast as it comes.
class LatencyBench {
 public:
  explicit LatencyBench(const BenchLatencyOptions& options)
      : options_(options),
        partitions_(partitions_of(options.client, Runtime::make(), options.topic)),
        producer_(options.client.config({{"acks", options.acks}, {"linger.ms", "0"}})),
        consumer_(consumer_config(options)),
        count_(options.rate * options.seconds),
        size_(std::max(options.size, sizeof(std::int64_t))) {}

  /// Ends the sender first, also where the reader has given up.
  ~LatencyBench() { stopped_ = true; }
  LatencyBench(const LatencyBench&) = delete;
  LatencyBench& operator=(const LatencyBench&) = delete;

  std::string run() {
    consumer_.assign(partitions_);
    consumer_.seek_to_end(partitions_);
    for (const TopicPartition& partition : partitions_) consumer_.position(partition);
    producer_.partitions_for(options_.topic);
    Measurement measurement("latency", "due time to poll");
    Progress progress("read", count_);
    start_ = clock_.now();
    asio::post(sender_->executor(), [this] { send_all(); });
    while (received_ < count_) {
      read(measurement);
      progress.update({.records = received_, .bytes = received_ * size_});
      if (stopped_) break;
      if (clock_.now() > due(start_, count_, options_.rate) + kLastRecords) {
        throw Error(make_error_code(Errc::timed_out), fmt::format("{} of {} records came back", received_, count_));
      }
    }
    sender_.reset();
    if (failure_) std::rethrow_exception(failure_);
    producer_.close();
    return measurement.finish(received_, received_ * size_, options_.json);
  }

 private:
  static Config consumer_config(const BenchLatencyOptions& options) {
    ClientOptions client = options.client;
    client.properties = options.consumer_properties;
    return client.config({{"fetch.min.bytes", "1"}, {"allow.auto.create.topics", "false"}});
  }

  void send_all() {
    try {
      const auto wake = runtime::system_env().make_signal();
      for (std::uint64_t sent = 0; sent < count_ && !stopped_;) {
        sent = send_what_is_due(sent);
        wake->wait_until(due(start_, sent, options_.rate), [] { return false; });
      }
    } catch (...) {
      failure_ = std::current_exception();
      stopped_ = true;
    }
  }

  std::uint64_t send_what_is_due(std::uint64_t sent) {
    std::string value(size_, 'x');
    const auto now = clock_.now();
    for (; sent < count_; ++sent) {
      const auto when = due(start_, sent, options_.rate);
      if (when > now) break;
      const std::int64_t stamp = when.time_since_epoch().count();
      std::memcpy(value.data(), &stamp, sizeof stamp);
      producer_.send({.topic = options_.topic, .value = value});
    }
    return sent;
  }

  void read(Measurement& measurement) {
    const Records polled = consumer_.poll(100ms);
    const auto now = clock_.now();
    for (const RecordView& record : polled) {
      std::int64_t stamp = 0;
      const std::string_view value = record.value().value_or("");
      if (value.size() != size_) throw Error(make_error_code(Errc::io_error), "others write to this topic too");
      std::memcpy(&stamp, value.data(), sizeof stamp);
      const MonotonicTime when{Duration(stamp)};
      if (when >= start_ + kWarmUp) measurement.add_latency(now - when);
    }
    received_ += polled.size();
  }

  const BenchLatencyOptions& options_;
  runtime::Clock& clock_ = runtime::system_env().clock();
  std::vector<TopicPartition> partitions_;
  Producer producer_;
  Consumer consumer_;
  std::uint64_t count_;
  std::size_t size_;
  MonotonicTime start_{};
  std::uint64_t received_ = 0;
  std::exception_ptr failure_;  ///< The sender's; read after it has ended.
  std::atomic<bool> stopped_{false};
  std::unique_ptr<runtime::WorkerPool> sender_ = runtime::system_env().make_worker_pool("bench-sender", 1);
};

int bench(const BenchLatencyOptions& options) {
  if (options.rate == 0 || options.seconds < 2) throw UsageError("--rate must be at least 1 and --seconds at least 2");
  std::cout << LatencyBench(options).run();
  return kSuccess;
}

}  // namespace

void add_bench_latency(CLI::App& bench_app, Run& run) {
  const auto options = std::make_shared<BenchLatencyOptions>();
  CLI::App* verb = bench_app.add_subcommand("latency", "Sends at a steady rate and reads it back: end-to-end latency");
  options->client.add_to(*verb);
  verb->add_option("-t,--topic", options->topic, "where to; nobody else may write to it meanwhile")->required();
  verb->add_option("-r,--rate", options->rate, "records a second")->capture_default_str();
  verb->add_option("-d,--seconds", options->seconds, "how long; the first second is not counted")
      ->capture_default_str();
  verb->add_option("-s,--size", options->size, "bytes of a value, at least 8")->capture_default_str();
  verb->add_option("-a,--acks", options->acks, "0, 1 or all")->capture_default_str();
  verb->add_option("--consumer-property", options->consumer_properties, "as -X, for the consumer; -X is the producer's")
      ->allow_extra_args(false);
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return bench(*options); }; });
}

}  // namespace barnabas::cli
