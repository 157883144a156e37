#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "barnabas/handler_async.h"
#include "barnabas/producer.h"
#include "client/producer/open_waits.h"
#include "client/producer/sender.h"

namespace barnabas::client {

constexpr std::size_t kRecordOverheadBytes = 8;  // lengths, deltas and attributes of a small record
constexpr std::size_t kMostOverheadBytes = 128;  // of batch and record; a header has less than its own size and 10

/// The producer behind the public handle: takes records on application threads and gives them to the Sender.
/// Threads: any.
class ProducerImpl : public std::enable_shared_from_this<ProducerImpl> {
 public:
  /// Errors: Errc::invalid_config.
  static Result<std::shared_ptr<ProducerImpl>> make(const Config& config, ProducerOptions options);
  ProducerImpl(ProducerConfig config, ProducerOptions options, std::shared_ptr<ClientRuntime> runtime,
               runtime::Logger logger);

  /// Errors: the callback was not and will not be called.
  Result<void> send(const Record& record, DeliveryCallback&& callback);
  /// `taken`: how many records were taken, all of them or those before the one that failed.
  Result<void> send_batch(std::span<const Record> records, BatchDeliveryCallback&& callback, std::size_t& taken);
  Result<Delivery> send_sync(const Record& record);
  void start_send(const Record& record, Handler<std::error_code, Delivery> done);
  Result<void> flush(runtime::Duration timeout);
  void start_flush(Handler<std::error_code> done);
  Result<std::vector<PartitionInfo>> partitions_for(const std::string& topic);
  /// `graceful`: what is there may still be delivered within the timeout.
  Result<void> close(runtime::Duration timeout, bool graceful);
  ProducerMetrics metrics() const;
  /// In words: explain.cc.
  std::string explain();
  const std::shared_ptr<ClientRuntime>& shared_runtime() const noexcept { return runtime_; }
  runtime::Duration longest_delivery() const;

 private:
  enum class Step { done, needs_metadata, needs_room };
  /// One send on its way to its batch.
  struct Attempt {
    const Record& record;
    const Listener& listener;
    std::int64_t timestamp_ms = 0;
    std::size_t payload_bytes = 0;
    bool is_sticky = false;  ///< The partition was ours to choose, and no key speaks for one.
    TopicState* topic = nullptr;
    PartitionQueue* queue = nullptr;
    std::size_t wanted_bytes = 0;  ///< Of the budget, with needs_room.
    Reservation reservation;       ///< What was got of it.
  };
  /// Of a record that ended a run because it goes elsewhere: so its key is not hashed twice.
  struct Route {
    const Record* record = nullptr;
    std::int32_t partition = -1;
  };
  struct KeptRecord;

  Result<void> check(const Record& record) const;
  Result<void> check_size(const Attempt& attempt, const record::RecordInput& input) const;
  /// Past the interceptors.
  Result<void> take_one(const Record& record, std::int64_t now_ms, const Listener& listener);
  Result<void> take(const Record& record, std::int64_t now_ms, const Listener& listener);
  std::size_t take_run(std::span<const Record> records, std::int64_t now_ms, const Listener& listener, Route& route);
  std::size_t take_sticky_run(TopicState& topic, std::span<const Record> records, std::int64_t now_ms,
                              const Listener& listener);
  std::size_t take_routed_run(TopicState& topic, std::span<const Record> records, std::int64_t now_ms,
                              const Listener& listener, Route& route);
  template <typename GoesThere>
  std::size_t run_length(std::span<const Record> records, std::int64_t bytes_left, GoesThere goes_there) const;
  /// As far as it gets without waiting.
  Result<Step> advance(Attempt& attempt);
  void give_up(Attempt& attempt);
  /// A record that is not taken: what interceptors hear of it.
  void tell_interceptors(const Record& record, const Failure& why) const;
  TopicState& topic_of(std::string_view name);
  TopicState* known_topic(std::string_view name) const noexcept;
  /// nullptr: the topic or the partition is not known (yet).
  Result<PartitionQueue*> choose_queue(Attempt& attempt);
  Result<std::int32_t> choose_partition(const Attempt& attempt);
  std::int32_t choose_sticky(TopicState& topic, std::size_t record_bytes);
  bool is_sticky(const Record& record) const;
  PartitionQueue* sticky_queue(const TopicState& topic) const;
  /// Where neither state nor the user has a say: the record's own partition, or its key's; -1: they have.
  std::int32_t fixed_partition(const Record& record, std::int32_t partition_count) const;
  const TopicState::Routes* routes_of(const TopicState& topic) const;
  void publish_routes(TopicState& topic);
  /// The next batch of the topic's unkeyed records goes elsewhere: this one's is full.
  void end_sticky_turn(TopicState& topic, const PartitionQueue& queue);
  Appended append(Attempt& attempt, const SizedRecord& record);
  void after_append(const Appended& appended);
  bool refresh(TopicState& topic);
  std::uint32_t random(TopicState& topic) const;
  Result<void> wait_for_metadata(const Attempt& attempt, runtime::MonotonicTime deadline);
  Result<void> wait_for_room(Attempt& attempt, runtime::MonotonicTime deadline);
  static asio::awaitable<Result<void>> await_partition(std::shared_ptr<RequestRouter> router, std::string topic,
                                                       std::int32_t partition, runtime::MonotonicTime deadline,
                                                       std::int64_t max_block_ms);
  static asio::awaitable<void> send_later(std::shared_ptr<ProducerImpl> self, std::shared_ptr<KeptRecord> kept);
  static asio::awaitable<Result<std::string>> explain_on_executor(std::shared_ptr<ProducerImpl> self);
  std::string explain_here() const;
  /// await_partition() until close().
  asio::awaitable<Result<void>> await_topic(const Record& record, runtime::MonotonicTime deadline);
  static asio::awaitable<Result<void>> shut_down(std::shared_ptr<ProducerImpl> self, Failure why);
  /// Tells the user's metrics sink every now and then, until close().
  static asio::awaitable<void> report(std::shared_ptr<ProducerImpl> self);
  Result<void> wait_bounded(asio::awaitable<Result<void>> work, runtime::Duration timeout);

  const std::uint64_t number_;  ///< Of this producer in the process; never used again.
  std::shared_ptr<ClientRuntime> runtime_;
  const runtime::Clock& clock_;
  runtime::Logger logger_;
  const PartitionerFunction partitioner_;
  const std::vector<std::shared_ptr<ProducerInterceptor>> interceptors_;
  const MetricsSink<ProducerMetrics> metrics_sink_;
  std::shared_ptr<Sender> sender_;
  const std::size_t most_record_bytes_;  ///< max.request.size, or what buffer.memory has room for where that is less.
  std::shared_ptr<OpenWaits> waits_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> shut_down_{false};
  std::atomic<bool> ended_{false};  ///< Nothing is delivered any more; the executor may be gone soon.
};

}  // namespace barnabas::client
