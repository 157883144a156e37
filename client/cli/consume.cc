#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "barnabas/consumer.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/consume_group.h"
#include "client/cli/record_format.h"
#include "client/cli/record_json.h"
#include "client/cli/start_point.h"
#include "client/cli/topic_partitions.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

using namespace std::chrono_literals;

struct ConsumeOptions {
  ClientOptions client;
  std::string topic;
  std::string from = "beginning";
  std::vector<std::int32_t> partitions;
  std::optional<std::string> group;
  std::optional<std::uint64_t> count;
  bool follow = false;
  std::string format = "%s";
  bool json = false;
};

template <typename T>
T value_or_usage_error(Result<T> result) {
  if (!result) throw UsageError(result.error().subject);
  return std::move(*result);
}

class ConsumeRun {
 public:
  explicit ConsumeRun(const ConsumeOptions& options)
      : options_(options),
        start_(value_or_usage_error(parse_start_point(options.from))),
        format_(value_or_usage_error(RecordFormat::parse(options.format))),
        runtime_(Runtime::make()),
        partitions_(partitions_of(options.client, runtime_, options.topic, options.partitions)),
        consumer_(options.client.config({{"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"}}),
                  {.runtime = runtime_}) {}

  int run() {
    ends_ = consumer_.end_offsets(partitions_);
    consumer_.assign(partitions_);
    seek();
    int code = kSuccess;
    while (!is_finished()) {
      print(consumer_.poll(100ms));
      std::cout.flush();
      if (!std::cout) break;  // the caller sees it too, and says so
      if (runtime::stdout_is_closed()) {
        code = kFailed;
        break;
      }
    }
    consumer_.close(5s);
    return code;
  }

 private:
  void seek() {
    switch (start_.kind) {
      case StartPoint::Kind::beginning:
        return consumer_.seek_to_beginning();
      case StartPoint::Kind::end:
        for (const auto& [where, end] : ends_) consumer_.seek(where, end);
        return;
      case StartPoint::Kind::offset:
        return seek_to_offset();
      case StartPoint::Kind::time:
        return seek_to_time();
    }
  }

  /// A partition that does not reach so far (or no longer) starts at its nearest end, and that is said.
  void seek_to_offset() {
    const auto beginnings = consumer_.beginning_offsets(partitions_);
    for (const TopicPartition& where : partitions_) {
      const std::int64_t offset = std::clamp(start_.value, beginnings.at(where), ends_.at(where));
      if (offset != start_.value) {
        std::cerr << fmt::format("barnabas: {} has offsets {} to {}: starting at {}\n", where.to_string(),
                                 beginnings.at(where), ends_.at(where), offset);
      }
      consumer_.seek(where, offset);
    }
  }

  void seek_to_time() {
    std::map<TopicPartition, Timestamp> times;
    for (const TopicPartition& where : partitions_) times.emplace(where, std::chrono::milliseconds(start_.value));
    for (const auto& [where, found] : consumer_.offsets_for_times(times)) {
      consumer_.seek(where, found ? found->offset : ends_.at(where));
    }
  }

  bool is_finished() {
    if (options_.count && printed_ >= *options_.count) return true;
    if (options_.follow) return false;
    while (!ends_.empty() && consumer_.position(ends_.begin()->first) >= ends_.begin()->second) {
      ends_.erase(ends_.begin());
    }
    return ends_.empty();
  }

  void print(const Records& records) {
    out_.clear();
    for (const RecordView& record : records) {
      if (options_.count && printed_ >= *options_.count) break;
      if (!options_.follow && is_past_end(record)) continue;
      ++printed_;
      if (options_.json) {
        append_record_json(record, out_);
      } else {
        format_.append(record, out_);
      }
    }
    std::cout.write(out_.data(), static_cast<std::streamsize>(out_.size()));
  }

  /// Arrived after the command was started; without --follow it reads what was there then.
  bool is_past_end(const RecordView& record) {
    const auto end = ends_.find(TopicPartition{record.topic(), record.partition()});
    return end == ends_.end() || record.offset() >= end->second;
  }

  const ConsumeOptions& options_;
  const StartPoint start_;
  const RecordFormat format_;
  const Runtime runtime_;
  const std::vector<TopicPartition> partitions_;
  Consumer consumer_;
  std::map<TopicPartition, std::int64_t> ends_;  // of partitions not read to the end yet
  std::uint64_t printed_ = 0;
  std::string out_;
};

int consume(const ConsumeOptions& options) {
  if (!options.group) return ConsumeRun(options).run();
  if (!options.partitions.empty()) throw UsageError("--partition: with --group, the group says who reads what");
  return consume_in_group({options.client, *options.group, options.topic, options.from, options.count, options.follow,
                           options.format, options.json});
}

}  // namespace

void add_consume(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ConsumeOptions>();
  CLI::App* verb = app.add_subcommand("consume", "Prints records up to the end of the topic");
  options->client.add_to(*verb);
  verb->add_option("-t,--topic", options->topic, "what to read")->required();
  verb->add_option("--from", options->from,
                   "beginning, end, an offset, an ISO 8601 time, or @ and milliseconds since 1970")
      ->capture_default_str();
  verb->add_option("-p,--partition", options->partitions, "only these; may be given again")->allow_extra_args(false);
  verb->add_option("-g,--group", options->group,
                   "read as a member of this group, from where it committed, and commit what was printed");
  verb->add_option("-c,--count", options->count, "stop after so many records")->check(not_negative);
  verb->add_flag("-f,--follow", options->follow, "wait for new records at the end");
  CLI::Option* format =
      verb->add_option("--format", options->format,
                       "%t topic, %p partition, %o offset, %k key, %s value, %T time, %h headers, %K %S lengths")
          ->capture_default_str();
  verb->add_flag("--json", options->json, "one object a line")->excludes(format);
  verb->callback([options, &run] { run = [options] { return consume(*options); }; });
}

}  // namespace barnabas::cli
