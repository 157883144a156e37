#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/core/cluster_snapshot.h"
#include "client/producer/byte_budget.h"
#include "client/producer/compressors.h"
#include "client/producer/producer_batch.h"
#include "client/producer/producer_config.h"
#include "client/producer/record_input.h"
#include "client/producer/sticky_partitioner.h"
#include "common/runtime/brief_mutex.h"

namespace barnabas::client {

struct TopicState;

/// The batches of one partition, oldest first; only the last one may be open. Lives as long as the producer.
struct PartitionQueue {
  PartitionQueue(TopicState& of, std::int32_t number);

  TopicState* const topic;
  const std::int32_t partition;
  const std::string name;  ///< "orders-3"

  runtime::BriefMutex mutex;             // held for a few appends or one look, never across I/O
  std::deque<BatchPtr> batches;          // mutex
  std::uint64_t records_taken = 0;       // mutex
  std::uint64_t record_bytes_taken = 0;  // mutex
  std::atomic<std::int32_t> length{0};   ///< batches.size(), to be read without the lock.
  /// The last batch, while it takes records. Changed and followed under the mutex; null or not says without it whether
  /// a switch of partition would leave a batch half full.
  std::atomic<ProducerBatch*> open_batch{nullptr};
  std::atomic<runtime::MonotonicTime> open_since{};  ///< Of the open batch.

  PartitionSequence sequence;             // reactor only
  Uuid topic_id;                          // reactor only: of the topic that the sequence belongs to
  int in_flight = 0;                      // reactor only: batches in requests under way
  runtime::MonotonicTime mentioned_at{};  // reactor only: when the metadata cache last heard that the topic is used
  bool is_announced = false;              // Accumulator::announced_mutex_
  bool is_to_look = false;                // reactor only: in Sender::to_look_
  bool is_ready = false;                  // reactor only: in the list of its leader
  bool is_lingering = false;              // reactor only: in Sender::lingering_

  /// The batch takes no more records, or is gone. The mutex is held. Before the caller asks whether the sender is
  /// awake, which does without the mutex where a batch is open; see Sender::nudge.
  void close(const ProducerBatch& batch) noexcept {
    if (open_batch.load(std::memory_order_relaxed) == &batch) open_batch.store(nullptr, std::memory_order_seq_cst);
  }
};

/// What the producer knows of one topic.
struct TopicState {
  TopicState(std::string topic_name, std::size_t batch_bytes, std::uint64_t seed)
      : name(std::move(topic_name)), sticky(batch_bytes, seed), random(seed | 1) {}

  const std::string name;
  std::atomic<float> compression_ratio{1.0F};  ///< Compressed bytes by plain bytes, as seen lately.
  /// The sticky choice, for records that come while it stands: until so many bytes are used up, or the metadata change.
  std::atomic<PartitionQueue*> sticky_queue{nullptr};
  std::atomic<std::int64_t> sticky_left{0};
  std::atomic<std::uint64_t> sticky_version{0};

  /// All queues, index = partition, as many as `routes_version` of the metadata has partitions: for records whose
  /// partition is given, or follows from the key. Never changed; what was published lasts as long as the topic.
  using Routes = std::vector<PartitionQueue*>;
  std::atomic<const Routes*> routes{nullptr};
  std::atomic<std::uint64_t> routes_version{0};

  std::mutex mutex;                                      // leaf lock, for one choice of a partition
  std::shared_ptr<const TopicMetadata> metadata;         // mutex
  std::uint64_t metadata_version = 0;                    // mutex; of the snapshot that `metadata` came from
  runtime::MonotonicTime wanted_at{};                    // mutex; when the cache last heard that we use the topic
  std::vector<std::int32_t> available;                   // mutex; partitions with a leader
  StickyPartitioner sticky;                              // mutex
  std::int64_t sticky_granted = 0;                       // mutex; what sticky_left began with
  std::uint64_t random;                                  // mutex; state of a xorshift
  std::uint32_t round_robin = 0;                         // mutex
  std::vector<std::unique_ptr<PartitionQueue>> queues;   // mutex to grow; index = partition
  std::vector<std::unique_ptr<const Routes>> published;  // mutex; `routes` and those before it
};

/// What an append left to do for its caller.
struct Appended {
  bool done = false;                 ///< Not: a new batch is needed, bring bytes of the budget.
  bool is_ready = false;             ///< A batch became full.
  bool is_new = false;               ///< A batch was begun, whose first record lingers from now on.
  ProducerBatch* to_seal = nullptr;  ///< A full batch that this thread is to compress now: call seal().
};

/// A record with what is known of it already.
struct SizedRecord {
  record::RecordInput input;
  std::size_t payload_bytes = 0;  ///< Key, value and headers.
};

/// What append_run() took.
struct AppendedRun {
  std::size_t count = 0;
  std::size_t payload_bytes = 0;
  bool is_ready = false;  ///< The batch became full.
};

/// All records that were taken and are neither delivered nor failed, in batches by partition.
/// Threads: any, but where a function says reactor.
class Accumulator {
 public:
  Accumulator(const ProducerConfig& config, std::shared_ptr<ClientRuntime> runtime);

  /// The topic's state, made when first asked for. Valid as long as the accumulator.
  TopicState& topic(std::string_view name);
  /// The queue; the topic's mutex must be held.
  PartitionQueue& queue(TopicState& topic, std::int32_t partition);

  /// Bytes that a new batch with this record in front takes of the budget.
  std::size_t new_batch_bytes(const TopicState& topic, const record::RecordInput& record) const;
  /// Appends to the open batch where the record fits.
  Appended append(PartitionQueue& queue, const SizedRecord& record, const Listener& listener);
  /// Appends as many of the records, from the first on, as there is room for in the open batch; ends no batch.
  /// `now_ms`: the time stamp of those that have none.
  AppendedRun append_run(PartitionQueue& queue, std::span<const Record> records, std::int64_t now_ms,
                         const Listener& listener);
  /// The same, with a new batch where it does not fit; the reservation is the accumulator's from now on.
  Appended append_to_new(PartitionQueue& queue, const SizedRecord& record, const Listener& listener,
                         Reservation reservation);

  /// Compresses and finishes a batch in state sealing. Threads: any but a shared reactor's.
  void seal(ProducerBatch& batch);
  /// Makes an open batch one to be sealed; the queue's mutex must be held.
  void close_batch(ProducerBatch& batch);
  /// Finishes a batch without compression. Threads: the one that holds it.
  void finish(ProducerBatch& batch);

  /// The queues, appended to `to`, in which a batch was begun or became full since the last call. Threads: reactor.
  void take_announced(std::vector<PartitionQueue*>& to);
  /// All queues there are, appended to `known` as far as they are new. Threads: reactor.
  void collect(std::vector<PartitionQueue*>& known) const;
  /// A batch of its own for split records. Threads: reactor.
  BatchPtr make_batch(PartitionQueue& queue, Reservation reservation, std::size_t capacity);
  /// Batches that were delivered or failed: their memory is used again. Threads: reactor.
  void retire(BatchPtr batch);
  /// The callbacks of the first `half` records go to `first`, the others to `second`. Threads: reactor.
  void split_callbacks(ProducerBatch& batch, std::int32_t half, ProducerBatch& first, ProducerBatch& second);
  /// Notes a batch made by make_batch() among those that flush waits for.
  void note_incomplete(std::uint64_t number);

  /// Number below which all batches made so far are; closes none.
  std::uint64_t next_number() const noexcept { return next_number_.load(std::memory_order_acquire); }
  /// Whether all batches below this number are done.
  bool is_complete_below(std::uint64_t number) const;
  std::size_t incomplete() const;
  struct Totals {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;  ///< Keys, values and headers.
  };
  /// Of all records taken so far.
  Totals totals() const;

  ByteBudget& budget() noexcept { return *budget_; }
  const ByteBudget& budget() const noexcept { return *budget_; }
  std::size_t target_bytes(const TopicState& topic) const;

 private:
  bool add_record(PartitionQueue& queue, ProducerBatch& batch, const SizedRecord& record, const Listener& listener,
                  Appended& result);
  bool note(PartitionQueue& queue, ProducerBatch& batch, const Listener& listener, std::int64_t timestamp_ms,
            std::size_t records, std::size_t payload_bytes);
  bool has_room(ProducerBatch& batch, const Listener& listener, std::int64_t timestamp_ms);
  void end_batch(PartitionQueue& queue, ProducerBatch& batch, Appended& result);
  void announce(PartitionQueue& queue);
  void free_bytes(ProducerBatch& batch);
  void note_finished(ProducerBatch& batch, Result<Bytes> finished);
  void note_ratio(TopicState& topic, std::size_t compressed_bytes, std::size_t plain_bytes);

  const ProducerConfig& config_;
  std::shared_ptr<ClientRuntime> runtime_;
  const std::shared_ptr<ByteBudget> budget_;
  Compressors compressors_;
  std::atomic<std::uint64_t> next_number_{1};

  mutable std::mutex topics_mutex_;
  std::map<std::string, std::unique_ptr<TopicState>, std::less<>> topics_;  // topics_mutex_
  std::vector<PartitionQueue*> queues_;                                     // topics_mutex_; in the order of making

  runtime::BriefMutex announced_mutex_;     // leaf lock, under a queue's mutex
  std::vector<PartitionQueue*> announced_;  // announced_mutex_

  mutable std::mutex batches_mutex_;
  std::multiset<std::uint64_t> incomplete_;  // batches_mutex_; the halves of a split batch share a number
  std::vector<std::multiset<std::uint64_t>::node_type> spare_numbers_;  // batches_mutex_
  std::vector<BatchPtr> spare_;  // batches_mutex_; keep the capacity of their vectors
};

}  // namespace barnabas::client
