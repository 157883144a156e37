#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "barnabas/assignor.h"
#include "barnabas/config.h"
#include "barnabas/error.h"
#include "barnabas/export.h"
#include "barnabas/group_metadata.h"
#include "barnabas/interceptor.h"
#include "barnabas/logging.h"
#include "barnabas/metrics.h"
#include "barnabas/offsets.h"
#include "barnabas/records.h"
#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
namespace client {
class ConsumerImpl;
}
inline namespace v0 {

/// What only a consumer fails with; else errors are Kafka's, or barnabas::Errc.
enum class ConsumerErrc {
  listener_failed = 1,  ///< A function of the application's (a rebalance listener, an assignor, a callback) threw.
};
BARNABAS_API std::error_code make_error_code(ConsumerErrc code) noexcept;

/// What a consumer takes beside its settings.
struct ConsumerOptions {
  Runtime runtime{};  ///< Default: a thread of its own.
  LogSink log{};      ///< Default: warnings to standard error.
  std::vector<std::shared_ptr<ConsumerInterceptor>> interceptors{};
  /// In place of partition.assignment.strategy, best first: also your own.
  std::vector<std::shared_ptr<Assignor>> assignors{};
};

/// How a commit ended that nobody waited for.
struct CommitResult {
  Offsets offsets;
  std::error_code error;
  std::string context;  ///< Which partition or broker, where it failed.

  bool ok() const noexcept { return !error; }
};
/// Runs in a later poll, or in close, which waits for the answer; not at all where the consumer is destroyed without
/// close. What it throws comes out of that poll or close, as ConsumerErrc::listener_failed.
using CommitCallback = std::function<void(const CommitResult&)>;

/// All topics whose whole name matches, also later ones: std::regex, ECMAScript.
class TopicPattern {
 public:
  /// `consumer.subscribe(TopicPattern::of("orders-.*"))`
  static TopicPattern of(std::string regex) {
    TopicPattern made;
    made.regex_ = std::move(regex);
    return made;
  }
  const std::string& regex() const noexcept { return regex_; }

 private:
  TopicPattern() = default;
  std::string regex_;
};

/// Told when the group gives partitions to this consumer and takes them, at Kafka's moments: while a poll is under way,
/// which returns nothing until the listener is done. Any of them may be left out; without on_lost, on_revoked hears of
/// lost partitions too. A coroutine instead: coroutine_listener() in consumer_async.h.
/// What it throws comes out of poll, as ConsumerErrc::listener_failed, or out of the unsubscribe or close under way;
/// the rebalance, or the end, goes on all the same.
/// Threads: the one that polls (or unsubscribes, or closes); with async_poll, one of the library's. Commits, seeks and
/// all other calls may be made from here, except poll, unsubscribe and close.
struct RebalanceListener {
  enum class Event : std::uint8_t { assigned, revoked, lost };
  using Partitions = std::vector<TopicPartition>;

  /// The new ones of these; seek here to start elsewhere than at the committed offset. Called after each rebalance.
  std::function<void(const Partitions&)> on_assigned{};
  /// They are still this consumer's until this returns: commit here what was done of them. Eager: all of them, when a
  /// rebalance begins. Cooperative: those that move, when it has ended. Also before the group is left.
  std::function<void(const Partitions&)> on_revoked{};
  /// They belong to somebody else already (this consumer was away for too long): nothing can be committed.
  std::function<void(const Partitions&)> on_lost{};
  /// Instead of the three: calls `done` later, from any thread. For coroutine_listener().
  std::function<void(Event, Partitions, std::function<void(std::exception_ptr)> done)> start{};
};

/// What close() does with the membership.
enum class GroupMembership : std::uint8_t {
  usual,  ///< Leaves, unless group.instance.id is set.
  leave,  ///< The partitions go to others at once, also those of a static member.
  stay    ///< They go to others when session.timeout.ms has passed: for a process that is back before.
};

struct CloseOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  GroupMembership membership = GroupMembership::usual;
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

class RecordStream;

/// Reads records: from partitions that the caller names (assign), or that a group of consumers shares (subscribe).
/// Threads: one at a time, except wakeup() and metrics(), which may be called from any thread at any time.
/// Blocking functions fail with Errc::would_deadlock on the client's own reactor thread. Those without a timeout take
/// default.api.timeout.ms.
/// Errors: synchronous functions throw barnabas::Error.
class BARNABAS_API Consumer {
 public:
  /// Checks the settings and starts; connects in the background.
  /// Errors: Errc::invalid_config names the setting, and the nearest known name.
  explicit Consumer(Config config, ConsumerOptions options = {});
  /// Without close() before it: leaves the group, so that others take over at once (not as a static member, which may
  /// be back), within half a second. It commits nothing, since what poll returned last may not be worked on: an
  /// exception may be on its way. And it calls neither listener nor callbacks: what they refer to may be gone.
  ~Consumer();
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;

  /// Replaces what is read. A partition that stays keeps its position and what was fetched of it; a new one starts
  /// at the offset committed by group.id, else where auto.offset.reset says (earliest, latest, none, by_duration:...),
  /// unless seek() comes first.
  /// Errors: Errc::invalid_argument after subscribe().
  void assign(std::vector<TopicPartition> partitions);
  /// What is read now: as assigned, or as the group gave it.
  std::vector<TopicPartition> assignment() const;

  /// Shares the topics' partitions with all consumers of group.id that subscribe. Replaces what was subscribed before.
  /// Partitions come with poll, which has to be called at least every max.poll.interval.ms.
  /// Errors: Errc::invalid_argument without group.id, or after assign().
  void subscribe(const std::vector<std::string>& topics, RebalanceListener listener = {});
  void subscribe(const TopicPattern& pattern, RebalanceListener listener = {});
  /// What is subscribed; with a pattern: the topics that match now.
  std::vector<std::string> subscription() const;
  /// Leaves the group; or gives up what was assigned.
  void unsubscribe();
  /// The group is to meet again, with the next poll. `reason` goes into the broker's log.
  void enforce_rebalance(const std::string& reason = "the application asked for it");
  /// Who this consumer is in its group now: for commits within a producer's transaction.
  ConsumerGroupMetadata group_metadata() const;

  /// Commits in the name of the group: the positions of all partitions, or given offsets. Tried again until
  /// default.api.timeout.ms (or `timeout`) where that may help.
  /// Errors: Errc::invalid_argument without group.id; ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID where the group went on
  /// without this consumer, REBALANCE_IN_PROGRESS: poll first. Kafka's codes otherwise.
  void commit_sync();
  void commit_sync(std::chrono::milliseconds timeout);
  void commit_sync(const Offsets& offsets);
  void commit_sync(const Offsets& offsets, std::chrono::milliseconds timeout);
  /// The same without waiting, and without a second try.
  void commit_async(CommitCallback callback = {});
  void commit_async(const Offsets& offsets, CommitCallback callback = {});
  /// void(std::error_code), tried again until default.api.timeout.ms. Defined in consumer_async.h.
  template <typename CompletionToken>
  auto async_commit(CompletionToken&& token);
  template <typename CompletionToken>
  auto async_commit(Offsets offsets, CompletionToken&& token);
  /// What the group has committed; none where it has nothing.
  std::map<TopicPartition, std::optional<OffsetAndMetadata>> committed(const std::vector<TopicPartition>& partitions);
  /// How many offsets lie before the end that the last fetch saw; none where nothing was fetched yet. Asks nobody.
  std::optional<std::int64_t> lag(const TopicPartition& partition) const;

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

  /// The records one after the other, for a coroutine: `while (auto* record = co_await records.next())`. Defined in
  /// consumer_async.h.
  RecordStream records();

  /// Ends the poll under way, or the next one, with Errc::woken_up. Threads: any.
  void wakeup() noexcept;

  /// Why poll returns nothing, in words: per partition what is waited for, since when, and the last error.
  std::string explain() const;

  /// Commits (where enable.auto.commit says so), tells the listener, leaves the group; may be called twice. Ends within
  /// `timeout`, the listener's own time apart. Not on a thread that runs a coroutine listener, which could not answer.
  /// Errors: ConsumerErrc::listener_failed when the listener or a callback threw: the consumer is closed all the same.
  void close(std::chrono::milliseconds timeout = std::chrono::seconds(30));
  void close(const CloseOptions& options);

  ConsumerMetrics metrics() const;

  /// For the library's own templates.
  client::ConsumerImpl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<client::ConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace barnabas

template <>
struct std::is_error_code_enum<barnabas::ConsumerErrc> : std::true_type {};
