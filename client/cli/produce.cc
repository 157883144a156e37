#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>

#include "barnabas/error.h"
#include "barnabas/producer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/lines.h"
#include "client/cli/progress.h"
#include "client/cli/record_json.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

struct ProduceOptions {
  ClientOptions client;
  std::string topic;
  std::string file = "-";
  std::string key_separator;
  std::vector<std::string> headers;
  std::int32_t partition = -1;
  std::string compression = "none";
  std::string acks = "all";
  bool json = false;
};

/// What the delivery callbacks tell.
struct Deliveries {
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> failed{0};
  std::mutex mutex;
  std::string first_failure;  // mutex

  void take(const Delivery& delivery) {
    if (delivery.ok()) {
      acknowledged.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (failed.fetch_add(1) > 0) return;
    const std::lock_guard lock(mutex);
    first_failure =
        delivery.context.empty() ? delivery.error.message() : delivery.context + ": " + delivery.error.message();
  }
};

class ProduceRun {
 public:
  explicit ProduceRun(const ProduceOptions& options)
      : options_(options),
        partition_count_(partition_count(options.client, Runtime::make(), options.topic)),
        producer_(options.client.config({{"compression.type", options.compression}, {"acks", options.acks}})),
        progress_("produced", 0, options.file != "-" || !runtime::stdin_is_terminal()) {
    for (const std::string& header : options.headers) fixed_headers_.push_back(split_pair(header, "--header"));
  }

  int run() {
    Lines lines(options_.file);
    if (partition_count_ && options_.partition >= 0) {
      check_partition(options_.topic, *partition_count_, options_.partition);
    }
    try {
      send_all(lines);
    } catch (const std::exception&) {
      producer_.flush();  // what stands before a line that is wrong is stored
      throw;
    }
    producer_.flush();
    producer_.close();
    show();
    progress_.end();
    if (deliveries_.failed == 0) return kSuccess;
    const std::lock_guard lock(deliveries_.mutex);
    std::cerr << fmt::format("barnabas: {} of {} records were not stored; the first: {}\n", deliveries_.failed.load(),
                             number_, deliveries_.first_failure);
    return kFailed;
  }

 private:
  void show() {
    progress_.update(
        {.records = number_, .bytes = bytes_, .acknowledged = deliveries_.acknowledged, .failed = deliveries_.failed});
  }

  void send_all(Lines& lines) {
    std::string line;
    while (lines.next(line)) {
      ++number_;
      if (options_.json) {
        send_json(line);
      } else {
        send_line(line);
      }
      show();
    }
  }

  void send_line(std::string_view line) {
    Record record{.topic = options_.topic};
    if (options_.key_separator.empty()) {
      record.value = line;
    } else {
      const auto at = line.find(options_.key_separator);
      if (at == std::string_view::npos) {
        throw UsageError(fmt::format("line {}: no key separator '{}'", number_, options_.key_separator));
      }
      record.key = line.substr(0, at);
      record.value = line.substr(at + options_.key_separator.size());
    }
    send(record, {});
  }

  void send_json(std::string_view line) {
    const auto parsed = parse_record_json(line);
    if (!parsed) throw UsageError(fmt::format("line {}: {}", number_, parsed.error().subject));
    Record record{.topic = options_.topic, .partition = parsed->partition, .key = parsed->key, .value = parsed->value};
    if (parsed->timestamp_ms) record.timestamp = Timestamp(std::chrono::milliseconds(*parsed->timestamp_ms));
    send(record, parsed->headers);
  }

  void send(Record& record, const std::vector<std::pair<std::string, std::optional<std::string>>>& own_headers) {
    headers_.clear();
    for (const auto& [name, value] : fixed_headers_) headers_.push_back({name, value});
    for (const auto& [name, value] : own_headers) headers_.push_back({name, value});
    record.headers = headers_;
    if (options_.partition >= 0) record.partition = options_.partition;
    if (record.partition && partition_count_) check_partition(options_.topic, *partition_count_, *record.partition);
    bytes_ += record.key.size() + record.value.size();
    try {
      producer_.send(record, [this](const Delivery& delivery) { deliveries_.take(delivery); });
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("line {}: {}", number_, error.context()));
    }
  }

  const ProduceOptions& options_;
  const std::optional<std::int32_t> partition_count_;  // none: the topic is still to be made
  Deliveries deliveries_;                              // before the producer: its callbacks come until it is gone
  Producer producer_;
  Progress progress_;
  std::vector<std::pair<std::string, std::string>> fixed_headers_;
  std::vector<Header> headers_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

void add_produce(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ProduceOptions>();
  CLI::App* verb = app.add_subcommand("produce", "Sends lines as records");
  options->client.add_to(*verb);
  verb->add_option("-t,--topic", options->topic, "where to")->required();
  verb->add_option("file", options->file, "a file, a record a line; default: standard input")->capture_default_str();
  verb->add_option("-k,--key-separator", options->key_separator, "splits each line into key and value");
  verb->add_option("-H,--header", options->headers, "a header of every record, name=value; may be given again")
      ->allow_extra_args(false);
  verb->add_option("-p,--partition", options->partition, "default: chosen by the key")->check(CLI::NonNegativeNumber);
  verb->add_option("-z,--compression", options->compression, "none, gzip, snappy, lz4 or zstd")->capture_default_str();
  verb->add_option("-a,--acks", options->acks, "0, 1 or all")->capture_default_str();
  verb->add_flag("--json", options->json, "each line is an object: key, value, headers, partition, timestamp");
  verb->callback([options, &run] { run = [options] { return ProduceRun(*options).run(); }; });
}

}  // namespace barnabas::cli
