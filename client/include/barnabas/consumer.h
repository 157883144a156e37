#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/error.h"
#include "barnabas/export.h"
#include "barnabas/interceptor.h"
#include "barnabas/logging.h"
#include "barnabas/metrics.h"
#include "barnabas/records.h"
#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
namespace client {
class ConsumerImpl;
}
inline namespace v0 {

/// What a consumer takes beside its settings.
struct ConsumerOptions {
  Runtime runtime{};  ///< Default: a thread of its own.
  LogSink log{};      ///< Default: warnings to standard error.
  std::vector<std::shared_ptr<ConsumerInterceptor>> interceptors{};
};

/// An offset found for a time.
struct OffsetAndTimestamp {
  std::int64_t offset = -1;
  Timestamp timestamp{};
  std::int32_t leader_epoch = -1;

  friend bool operator==(const OffsetAndTimestamp&, const OffsetAndTimestamp&) = default;
};

/// Where poll cannot get past.
struct PollFailure {
  TopicPartition partition;
  std::int64_t offset = -1;  ///< The position that it stays at.
  /// Behind the batch that cannot be read: seek there to leave it out. -1 where no seek helps by itself (a topic that
  /// may not be read, no room in the memory budget).
  std::int64_t next_offset = -1;
  std::error_code error;

  friend bool operator==(const PollFailure&, const PollFailure&) = default;
};

/// Reads records from partitions that the caller names.
/// Threads: one at a time, except wakeup() and metrics(), which may be called from any thread at any time.
/// Blocking functions fail with Errc::would_deadlock on the client's own reactor thread. Those without a timeout take
/// default.api.timeout.ms.
/// Errors: synchronous functions throw barnabas::Error.
class BARNABAS_API Consumer {
 public:
  /// Checks the settings and starts; connects in the background.
  /// Errors: Errc::invalid_config names the setting, and the nearest known name.
  explicit Consumer(Config config, ConsumerOptions options = {});
  ~Consumer();
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;

  /// Replaces what is read. A partition that stays keeps its position and what was fetched of it; a new one starts
  /// where auto.offset.reset says (earliest, latest, none, by_duration:...), unless seek() comes first.
  void assign(std::vector<TopicPartition> partitions);
  std::vector<TopicPartition> assignment() const;

  /// The next record to be returned; takes effect with the next poll.
  /// Errors: Errc::invalid_argument when the partition is not assigned or the offset is negative.
  void seek(const TopicPartition& partition, std::int64_t offset);
  /// All that is assigned where the list is empty.
  void seek_to_beginning(const std::vector<TopicPartition>& partitions = {});
  void seek_to_end(const std::vector<TopicPartition>& partitions = {});
  /// The offset of the next record that poll would return; looks it up where it is not known yet.
  std::int64_t position(const TopicPartition& partition);

  /// The earliest offset whose time stamp is at or after the time asked for; none where there is no such record.
  std::map<TopicPartition, std::optional<OffsetAndTimestamp>> offsets_for_times(
      const std::map<TopicPartition, Timestamp>& times);
  std::map<TopicPartition, std::int64_t> beginning_offsets(const std::vector<TopicPartition>& partitions);
  /// The offset after the last record that may be read (with read_committed: the last stable offset).
  std::map<TopicPartition, std::int64_t> end_offsets(const std::vector<TopicPartition>& partitions);
  std::vector<PartitionInfo> partitions_for(const std::string& topic);

  /// A paused partition returns nothing until it is resumed; what was fetched of it is kept.
  void pause(const std::vector<TopicPartition>& partitions);
  void resume(const std::vector<TopicPartition>& partitions);
  std::vector<TopicPartition> paused() const;

  /// Up to max.poll.records records, at once when some are there, else as soon as some arrive; empty after `timeout`.
  /// Errors: a corrupt batch (with partition and offset; it repeats until the caller seeks past it: see poll_failure),
  /// an offset out of range with auto.offset.reset=none, a topic that may not be read, Errc::woken_up after wakeup(),
  /// Errc::buffer_full when the caller's own Records hold the whole memory budget.
  Records poll(std::chrono::milliseconds timeout);
  /// What the last poll failed on, where that was one partition's. `if (auto f = consumer.poll_failure();
  /// f && f->next_offset >= 0) consumer.seek(f->partition, f->next_offset);`
  std::optional<PollFailure> poll_failure() const;
  /// void(std::error_code, Records). Defined in consumer_async.h.
  template <typename CompletionToken>
  auto async_poll(std::chrono::milliseconds timeout, CompletionToken&& token);

  /// Ends the poll under way, or the next one, with Errc::woken_up. Threads: any.
  void wakeup() noexcept;

  /// Why poll returns nothing, in words: per partition what is waited for, since when, and the last error.
  std::string explain() const;

  /// Ends within `timeout`. May be called twice.
  void close(std::chrono::milliseconds timeout = std::chrono::seconds(30));

  ConsumerMetrics metrics() const;

  /// For the library's own templates.
  client::ConsumerImpl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<client::ConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace barnabas
