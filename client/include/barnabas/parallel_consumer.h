#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/consumer.h"
#include "barnabas/export.h"
#include "barnabas/record.h"

namespace barnabas {
namespace client {
class ParallelConsumerImpl;
}
inline namespace v0 {

/// Which records a ParallelConsumer processes one after the other, in the order of their offsets.
enum class ProcessingOrder {
  partition,  ///< All of a partition.
  key,        ///< All of a partition that have the same key. Those without a key have no order.
};

/// What becomes of a record whose processing threw.
enum class FailureAction {
  stop,   ///< run() ends and throws it; the record is read again by whoever gets the partition next.
  retry,  ///< Now, on this thread, while the partition is this member's; what has the same key (or partition) waits.
  skip,   ///< It counts as processed.
};

/// A record's processing threw `why`, for the `attempts`-th time (from 1). Threads: a worker.
using FailureHandler = std::function<FailureAction(const RecordView& record, std::exception_ptr why, int attempts)>;

struct ParallelOptions {
  std::size_t workers = 4;  ///< Threads that process: 1 to 1024.
  ProcessingOrder order = ProcessingOrder::key;
  /// Records of a partition that are polled and not processed; above it the partition is paused until half of them are
  /// done. From 1 on.
  std::size_t max_unfinished = 1000;
  std::chrono::milliseconds commit_interval{5000};
  /// What records under way get when the partition goes to another member, or run() ends; what takes longer is
  /// processed again by others.
  std::chrono::milliseconds drain_timeout{30000};
  FailureHandler on_failure{};  ///< Default: FailureAction::stop.
  ConsumerOptions consumer{};
};

/// A member of a consumer group that processes records on several threads, in order per key or per partition, and
/// commits only up to the lowest record that is not finished: each record is processed at least once, whatever dies.
/// `ParallelConsumer({{"bootstrap.servers", "..."}, {"group.id", "billing"}}, {"orders"}, charge).run();`
/// Threads: run() on one thread; stop() from any, also from `process`.
class BARNABAS_API ParallelConsumer {
 public:
  /// Threads: a worker; several at once. The views live as long as the call.
  using Process = std::function<void(const RecordView& record)>;

  /// enable.auto.commit is false here, whatever its default.
  /// Errors: Errc::invalid_config names the setting (no group.id, enable.auto.commit=true); Errc::invalid_argument an
  /// option.
  ParallelConsumer(Config config, std::vector<std::string> topics, Process process, ParallelOptions options = {});
  /// As stop(), and waits for a run() under way.
  ~ParallelConsumer();
  ParallelConsumer(ParallelConsumer&&) noexcept;
  ParallelConsumer& operator=(ParallelConsumer&&) noexcept;

  /// Joins the group and processes until stop(); then finishes what is under way, commits and leaves the group.
  /// Errors: what `process` threw (FailureAction::stop); what Consumer::poll and commits fail with for good.
  void run();
  /// run() ends soon; one that comes later ends at once.
  void stop() noexcept;

 private:
  std::unique_ptr<client::ParallelConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace barnabas
