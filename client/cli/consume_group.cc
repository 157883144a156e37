#include "client/cli/consume_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <atomic>
#include <iostream>
#include <memory>

#include "barnabas/consumer.h"
#include "client/cli/command_line.h"
#include "client/cli/record_format.h"
#include "client/cli/record_json.h"
#include "common/runtime/env.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

using namespace std::chrono_literals;

std::string reset_policy(const std::string& from) {
  if (from == "beginning") return "earliest";
  if (from == "end") return "latest";
  throw UsageError("--from " + from + ": with --group it is beginning or end, for where nothing is committed");
}

RecordFormat parsed(const std::string& format) {
  auto result = RecordFormat::parse(format);
  if (!result) throw UsageError(result.error().subject);
  return std::move(*result);
}

class GroupRun {
 public:
  explicit GroupRun(const ConsumeGroupOptions& options)
      : options_(options),
        format_(parsed(options.format)),
        consumer_(options.client
                      .config({{"auto.offset.reset", reset_policy(options.from)},
                               {"allow.auto.create.topics", "false"},
                               {"enable.auto.commit", "false"}})
                      .set("group.id", options.group)),
        signals_(runtime::system_env().make_reactor("consume-signals")) {
    asio::co_spawn(signals_->executor(), runtime::wait_for_stop_signal(signals_->executor()),
                   [this](std::exception_ptr, Result<int>) { is_stopping_ = true; });
  }

  int run() {
    RebalanceListener listener;
    listener.on_revoked = [this](const RebalanceListener::Partitions& partitions) {
      consumer_.commit_sync(next_);
      forget(partitions);
    };
    listener.on_lost = [this](const RebalanceListener::Partitions& partitions) { forget(partitions); };
    consumer_.subscribe({options_.topic}, listener);
    int code = kSuccess;
    while (!is_finished()) {
      const Records records = consumer_.poll(100ms);
      print(records);
      std::cout.flush();
      if (!std::cout) break;  // the caller sees it too, and says so
      if (runtime::stdout_is_closed()) {
        code = kFailed;
        break;
      }
      if (!records.empty()) consumer_.commit_async(next_);
    }
    consumer_.close(5s);
    return code;
  }

 private:
  bool is_finished() {
    if (is_stopping_) return true;
    if (options_.count && printed_ >= *options_.count) return true;
    if (options_.follow || consumer_.group_metadata().generation_id < 0) return false;
    const auto assigned = consumer_.assignment();
    return !assigned.empty() && std::all_of(assigned.begin(), assigned.end(),
                                            [this](const TopicPartition& where) { return consumer_.lag(where) == 0; });
  }

  /// They are somebody else's to commit.
  void forget(const RebalanceListener::Partitions& partitions) {
    for (const TopicPartition& where : partitions) next_.erase(where);
  }

  void print(const Records& records) {
    out_.clear();
    for (const RecordView& record : records) {
      if (options_.count && printed_ >= *options_.count) break;
      ++printed_;
      if (options_.json) {
        append_record_json(record, out_);
      } else {
        format_.append(record, out_);
      }
      next_[{std::string(record.topic()), record.partition()}] = OffsetAndMetadata{record.offset() + 1, -1, ""};
    }
    std::cout.write(out_.data(), static_cast<std::streamsize>(out_.size()));
  }

  const ConsumeGroupOptions& options_;
  const RecordFormat format_;
  Consumer consumer_;
  Offsets next_;  // behind what was printed
  std::uint64_t printed_ = 0;
  std::string out_;
  std::atomic<bool> is_stopping_{false};  // SIGINT or SIGTERM: the partitions shall not wait for the session's end
  const std::unique_ptr<runtime::Reactor> signals_;
};

}  // namespace

int consume_in_group(const ConsumeGroupOptions& options) {
  return GroupRun(options).run();
}

}  // namespace barnabas::cli
