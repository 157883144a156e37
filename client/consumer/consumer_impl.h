#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/handler_async.h"
#include "client/consumer/explain.h"
#include "client/consumer/fetcher.h"
#include "client/consumer/group/coordinator.h"
#include "client/consumer/shared_state.h"

namespace barnabas::client {

/// Behind barnabas::Consumer. Its own functions run in the caller's thread; the Fetcher does the I/O on the executor.
/// Threads and errors: as Consumer's, but as Results.
class ConsumerImpl : public std::enable_shared_from_this<ConsumerImpl> {
 public:
  static Result<std::shared_ptr<ConsumerImpl>> make(const Config& config, ConsumerOptions options);
  ConsumerImpl(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router,
               std::vector<std::shared_ptr<ConsumerInterceptor>> interceptors);

  Result<void> assign(const std::vector<TopicPartition>& partitions);
  std::vector<TopicPartition> assignment() const;
  Result<void> seek(const TopicPartition& partition, std::int64_t offset);
  Result<void> seek_by(const std::vector<TopicPartition>& partitions, ResetPolicy policy);
  Result<std::int64_t> position(const TopicPartition& partition);
  Result<void> set_paused(const std::vector<TopicPartition>& partitions, bool paused);
  std::vector<TopicPartition> paused() const;

  /// Timestamps: milliseconds, or -1 and -2 for end and beginning.
  Result<std::map<TopicPartition, OffsetAnswer>> offsets(std::map<TopicPartition, std::int64_t> timestamps_ms);
  Result<std::vector<PartitionInfo>> partitions_for(const std::string& topic);

  /// The group; in consumer_group.cc. All but unsubscribe() and lag() are refused without group.id.
  Result<void> subscribe(const Result<Subscription>& subscription, RebalanceListener listener);
  std::vector<std::string> subscription() const;
  Result<void> unsubscribe();
  Result<void> enforce_rebalance(const std::string& reason);
  Result<ConsumerGroupMetadata> group_metadata() const;
  /// No offsets: the positions. No timeout: default.api.timeout.ms.
  Result<void> commit_sync(std::optional<Offsets> offsets, std::optional<std::chrono::milliseconds> timeout);
  Result<void> commit_async(std::optional<Offsets> offsets, CommitCallback callback);
  void start_commit(std::optional<Offsets> offsets, Handler<std::error_code> done);
  Result<CommittedOffsets> committed(const std::vector<TopicPartition>& partitions);
  Result<std::optional<std::int64_t>> lag(const TopicPartition& partition) const;

  Result<Records> poll(std::chrono::milliseconds timeout);
  std::optional<PollFailure> poll_failure() const;
  void start_poll(std::chrono::milliseconds timeout, Handler<std::error_code, Records> done);
  void wakeup() noexcept;
  std::string explain() const;
  Result<void> close(const CloseOptions& options);
  /// What a destructor can do: starts the end, and waits for it a moment where waiting is possible.
  void abandon() noexcept;
  ConsumerMetrics metrics() const;
  const asio::any_io_executor& executor() const noexcept { return state_->runtime->executor(); }

 private:
  /// Records, or none when nothing is there yet, or nothing may be returned yet.
  Result<std::optional<Records>> try_poll(bool in_turn);
  Result<std::size_t> collect_ready(std::vector<RecordRun>& runs);
  Result<std::size_t> collect_one(const SharedState::Ready& entry, std::size_t max_records,
                                  std::vector<RecordRun>& runs);
  std::optional<Failure> stuck_failure();
  std::optional<Failure> memory_failure();
  bool may_get_room();
  bool next_needs_decompression();
  void note_failure(const PartitionState& state, const Failure& why, std::int64_t next_offset);
  ExplainContext explain_context(const ClusterSnapshot& cluster) const;
  Result<PartitionState*> assigned(const TopicPartition& partition);
  void wake_pollers();

  /// What the group wants of whoever polls. Whether nothing may be returned yet.
  Result<bool> serve_group();
  runtime::MonotonicTime next_look(runtime::MonotonicTime now, runtime::MonotonicTime deadline);
  void make_calls(const std::vector<PollerDesk::Call>& calls);
  asio::awaitable<Result<bool>> serve_group_off_reactor();
  asio::awaitable<void> run_off_reactor(std::function<void()> work);
  Result<void> refuse_in_call(const char* what) const;
  Result<void> leave_group(GroupCoordinator::Leaving how);
  Result<void> failure_of_user();
  Result<Offsets> offsets_to_commit(std::optional<Offsets> offsets) const;
  static asio::awaitable<void> commit_in_background(std::shared_ptr<GroupCoordinator> group,
                                                    std::shared_ptr<SharedState> state, Offsets offsets,
                                                    runtime::MonotonicTime deadline, CommitCallback callback);
  Result<void> shut_down(runtime::MonotonicTime deadline);

  static asio::awaitable<void> poll_async(std::shared_ptr<ConsumerImpl> self, runtime::MonotonicTime deadline,
                                          std::shared_ptr<const std::atomic<bool>> cancelled,
                                          Handler<std::error_code, Records> done);
  asio::awaitable<Result<std::optional<Records>>> try_poll_off_reactor(bool in_turn);
  static asio::awaitable<Result<void>> close_async(std::shared_ptr<ConsumerImpl> self, runtime::MonotonicTime deadline);
  static asio::awaitable<Result<void>> abandon_async(std::shared_ptr<ConsumerImpl> self,
                                                     runtime::MonotonicTime deadline);

  const std::shared_ptr<SharedState> state_;
  const std::shared_ptr<RequestRouter> router_;
  const std::shared_ptr<Fetcher> fetcher_;
  const std::vector<std::shared_ptr<ConsumerInterceptor>> interceptors_;
  std::shared_ptr<GroupCoordinator> group_;       // set by make(); nullptr without group.id
  std::atomic<bool> polls_async_{false};          // since the first async_poll: events are posted to pollers
  std::shared_ptr<Gate> poll_gate_;               // executor only; opened and replaced at each event
  std::unique_ptr<runtime::WorkerPool> workers_;  // of async_poll; made by the first that needs it
  std::vector<RecordRun> collected_runs_;         // whoever polls; empty between polls, for its memory
  bool fetches_at_try_ = false;                   // whoever polls; whether some had room reserved when collecting began
  std::uint64_t fetches_before_try_ = 0;          // the same; how many were sent before
  std::atomic<bool> woken_{false};
  std::atomic<bool> in_call_{false};  // of the user's listener or callback
  std::atomic<bool> closing_{false};
  std::atomic<std::uint64_t> polls_{0};
  std::atomic<std::uint64_t> records_returned_{0};
  std::atomic<std::uint64_t> record_bytes_{0};
};

}  // namespace barnabas::client
