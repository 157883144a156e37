#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "barnabas/handler_async.h"
#include "barnabas/interceptor.h"
#include "client/core/request_router.h"
#include "client/producer/accumulator.h"
#include "client/producer/producer_config.h"
#include "common/protocol/messages/produce.h"

namespace barnabas::client {

/// What the producer counts; read by metrics() from any thread.
struct ProducerCounters {
  std::atomic<std::uint64_t> records_delivered{0};
  std::atomic<std::uint64_t> records_failed{0};
  std::atomic<std::uint64_t> batches_sent{0};
  std::atomic<std::uint64_t> batch_bytes{0};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> blocked_sends{0};
  std::atomic<std::uint64_t> blocked_us{0};
  std::atomic<std::uint64_t> slow_callbacks{0};
};

/// Sends batches to the leaders of their partitions and tells what became of them. Order within a partition is kept: a
/// batch that is sent again goes alone, before all later ones.
/// Threads: wake(), wait_for() and the getters from any; all else on the runtime's executor. Coroutines hold it.
/// Source: Kafka's Sender and RecordAccumulator.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(ProducerConfig config, std::shared_ptr<ClientRuntime> runtime,
         std::vector<std::shared_ptr<ProducerInterceptor>> interceptors);
  /// Before anything else; the router's metadata changes should call wake().
  void start(std::shared_ptr<RequestRouter> router) {
    router_ = std::move(router);
    started_.store(true, std::memory_order_release);
  }

  const ProducerConfig& config() const noexcept { return config_; }
  Accumulator& accumulator() noexcept { return accumulator_; }
  RequestRouter& router() noexcept { return *router_; }
  const std::shared_ptr<RequestRouter>& shared_router() noexcept { return router_; }
  const std::shared_ptr<ClientRuntime>& runtime() const noexcept { return runtime_; }
  ProducerCounters& counters() noexcept { return counters_; }
  bool notes_every_record() const noexcept { return !interceptors_.empty(); }
  std::uint64_t buffered_records() const;
  /// What each partition with records waits for, a line each. Threads: the executor's. Cost: allocates.
  std::string explain();
  int waiting_for_room() const noexcept { return waiting_for_room_.load(std::memory_order_relaxed); }

  /// Looks soon at what can be sent. Cost: one atomic exchange while an earlier call is still on its way.
  void wake();
  /// After an append, outside its lock: wakes the sender where it would not look in time by itself. `is_ready`: there
  /// is a full batch; else a new one, which lingers. Cost: two loads for most batches of a busy producer.
  void nudge(bool is_ready);
  /// Calls `done` once all batches below `number` are done; until then nothing waits for linger.ms.
  void flush_below(std::uint64_t number, InlineFunction<void(), 48> done);
  /// Nothing lingers while somebody waits for room in buffer.memory. Begin before the wait, end after it.
  void begin_wait_for_room() {
    waiting_for_room_.fetch_add(1, std::memory_order_seq_cst);
    if (!waits_for_answers_.load(std::memory_order_seq_cst)) wake();
  }
  void end_wait_for_room() noexcept { waiting_for_room_.fetch_sub(1, std::memory_order_acq_rel); }
  /// Sends what is there without lingering, from now on.
  void close_soon();
  /// Fails all that is not delivered, now and from now on. Threads: the executor's.
  void abort(Failure why);

 private:
  /// Queues whose oldest batch can go to a broker, first come, first served.
  class ReadyQueues {
   public:
    bool empty() const noexcept { return first_ == queues_.size(); }
    void push(PartitionQueue& queue);
    PartitionQueue& front() const noexcept { return *queues_[first_]; }
    void pop();

   private:
    std::vector<PartitionQueue*> queues_;  // those before first_ are gone
    std::size_t first_ = 0;
  };
  struct BrokerState {
    int in_flight = 0;
    bool connecting = false;
    runtime::MonotonicTime throttled_until{};
    runtime::MonotonicTime ready_at{};    // when something was last there to be sent
    runtime::MonotonicTime drained_at{};  // when something was last sent
    ReadyQueues ready;
    std::shared_ptr<const std::string> name;
  };
  /// A queue whose open batch may linger, at least until then.
  struct Lingering {
    runtime::MonotonicTime until{};
    PartitionQueue* queue = nullptr;
    bool operator>(const Lingering& other) const noexcept { return until > other.until; }
  };
  struct Look;
  struct InFlight;
  struct Flush {
    std::uint64_t below = 0;
    InlineFunction<void(), 48> done;
  };

  void run();
  void run_once();
  enum class Head { waits, ready, ready_again };  ///< What the oldest batch of a queue does.
  void collect_queues();
  void look_later(PartitionQueue& queue);
  void look_at_ready_again();
  void take_lingering(const Look& look);
  void look_at(PartitionQueue& queue, Look& look);
  std::optional<std::int32_t> leader_for(PartitionQueue& queue, Look& look);
  bool lingers(PartitionQueue& queue, const Look& look);
  Head look_at_head(PartitionQueue& queue, Look& look, runtime::MonotonicTime& deadline,
                    std::vector<BatchPtr>& expired);
  void expire(PartitionQueue& queue, runtime::MonotonicTime now, std::vector<BatchPtr>& expired);
  void expire_in_flight(Look& look);
  void fail_late(BatchPtr batch);
  bool is_sequence_ready(PartitionQueue& queue);
  static void follow_topic(PartitionQueue& queue, const Uuid& id);
  bool must_keep_number(PartitionQueue& queue);
  void restart_sequence(PartitionQueue& queue);
  void seal_on_worker(ProducerBatch& batch);
  void update_loads(const ClusterSnapshot& cluster, runtime::MonotonicTime now);
  void fail_queued(const Failure& why);
  BatchPtr take_any(PartitionQueue& queue);
  void arm(runtime::MonotonicTime next);
  bool is_saturated(const ClusterSnapshot& cluster) const;

  // explain.cc
  std::string explain_queue(PartitionQueue& queue, const ClusterSnapshot& cluster) const;
  std::string explain_head(PartitionQueue& queue, const ProducerBatch& head, bool is_alone) const;
  std::string explain_numbers(const PartitionQueue& queue) const;
  std::string explain_broker(std::int32_t broker_id, const ClusterSnapshot& cluster) const;
  const InFlight* request_of(const PartitionQueue& queue) const;

  // sender_requests.cc
  void send_ready(std::int32_t broker_id, BrokerState& broker, Look& look);
  std::shared_ptr<InFlight> next_request(std::int32_t broker_id, BrokerState& broker, Look& look);
  std::size_t add_batch(InFlight& request, BatchPtr batch);
  std::shared_ptr<InFlight> make_request();
  void keep(std::shared_ptr<InFlight> request);
  void mention(PartitionQueue& queue);
  BatchPtr take_head(PartitionQueue& queue, std::size_t room_bytes);
  bool prepare(ProducerBatch& batch);
  static asio::awaitable<void> connect(std::shared_ptr<Sender> self, std::int32_t broker_id);
  void start_exchange(const ConnectionPtr& connection, const std::shared_ptr<InFlight>& request);
  void end_exchange(const std::shared_ptr<InFlight>& request, BrokerConnection& connection, Result<RawReply> reply);
  static asio::awaitable<void> init_producer_id(std::shared_ptr<Sender> self);
  void build(InFlight& request) const;
  static void add_to_body(protocol::ProduceRequest& body, const ProducerBatch& batch, const ClusterSnapshot& cluster,
                          std::size_t& topics);
  void end_request(const std::shared_ptr<InFlight>& request, BrokerState& broker);

  // sender_responses.cc
  void take_answer(InFlight& request, BrokerConnection& connection, RawReply reply);
  void on_response(InFlight& request, const protocol::ProduceResponse& response);
  void on_stored(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms);
  void on_partition(BatchPtr batch, std::int32_t broker_id,
                    const protocol::ProduceResponse::PartitionProduceResponse& answer,
                    const protocol::ProduceResponse& response);
  void on_broker_error(BatchPtr batch, const protocol::ProduceResponse::PartitionProduceResponse& answer);
  void on_request_failed(InFlight& request, const Failure& why);
  void retry_or_fail(BatchPtr batch, Failure why, bool can_retry);
  void requeue(BatchPtr batch, Failure why);
  bool split(BatchPtr& batch);
  Failure explain_timeout(const ProducerBatch& batch) const;

  // sender_completion.cc
  struct Outcome {
    std::error_code error{};
    std::string context{};
    std::int64_t base_offset = -1;
    std::int64_t log_append_time_ms = -1;
  };
  class CallbackWatch;
  void deliver(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms);
  void fail(BatchPtr batch, Failure why);
  void complete(ProducerBatch& batch, const Outcome& outcome);
  void complete_runs(const ProducerBatch& batch, std::span<PendingRun> runs, const Outcome& outcome,
                     CallbackWatch& watch);
  void tell_interceptors(const BatchDelivery& run) const;
  void finish_flushes();

  const ProducerConfig config_;
  std::shared_ptr<ClientRuntime> runtime_;
  std::shared_ptr<RequestRouter> router_;
  std::atomic<bool> started_{false};  // router_ is there: its first metadata may come before start() does
  Accumulator accumulator_;
  ProducerCounters counters_;
  const std::vector<std::shared_ptr<ProducerInterceptor>> interceptors_;
  std::unique_ptr<runtime::WorkerPool> workers_;

  std::atomic<bool> wake_pending_{false};
  // Written by the reactor: false and max() before it looks at the queues' lengths, which an append has written before
  // it reads these. Both sequentially consistent: one of the two sees the other.
  std::atomic<bool> waits_for_answers_{false};  // all brokers are busy: an answer leads to the next look
  std::atomic<runtime::MonotonicTime> next_look_{runtime::MonotonicTime::max()};
  std::atomic<bool> closing_{false};
  std::atomic<int> waiting_for_room_{0};
  std::mutex flushes_mutex_;
  std::vector<Flush> flushes_;  // flushes_mutex_
  std::atomic<int> flushing_{0};

  // The reactor's only:
  std::vector<PartitionQueue*> queues_;  // as far as collected
  std::vector<TopicState*> topics_;      // of queues_
  // A queue with batches is announced, or in one of these three; so a look costs nothing for the others.
  std::vector<PartitionQueue*> to_look_;  // at the next look
  std::vector<PartitionQueue*> looking_;  // at this one
  std::vector<Lingering> lingering_;      // a heap, the first to end in front
  std::map<std::int32_t, BrokerState> brokers_;
  std::uint64_t ready_version_ = 0;  // of the metadata by which queues are ready at their brokers
  runtime::MonotonicTime ready_deadline_ = runtime::MonotonicTime::max();  // no oldest batch there expires before
  std::vector<std::shared_ptr<InFlight>> in_flight_;
  std::vector<std::shared_ptr<InFlight>> spare_requests_;
  ProducerIdentity identity_;
  bool asking_for_id_ = false;
  Failure id_failure_;
  Backoff backoff_;
  Timers::Id timer_;
  std::vector<std::int32_t> load_partitions_;  // of update_loads()
  std::vector<std::int32_t> load_lengths_;
  runtime::MonotonicTime next_load_update_{};
  bool running_ = false;
  bool run_again_ = false;
  std::optional<Failure> aborted_;
};

}  // namespace barnabas::client
