#include <asio/post.hpp>

#include <algorithm>
#include <functional>

#include "client/core/errors.h"
#include "client/producer/sender_state.h"

namespace barnabas::client {

using runtime::MonotonicTime;

Sender::Sender(ProducerConfig config, std::shared_ptr<ClientRuntime> runtime,
               std::vector<std::shared_ptr<ProducerInterceptor>> interceptors)
    : config_(std::move(config)),
      runtime_(std::move(runtime)),
      accumulator_(config_, runtime_),
      interceptors_(std::move(interceptors)),
      backoff_(config_.client.retry_backoff, config_.client.retry_backoff_max, runtime_->random()) {
  if (config_.compression != record::CompressionType::none) {
    workers_ = runtime_->env().make_worker_pool("compress", 1);
  }
}

void Sender::wake() {
  if (!started_.load(std::memory_order_acquire)) return;
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  asio::post(runtime_->executor(), [self = shared_from_this()] {
    self->wake_pending_.store(false, std::memory_order_release);
    self->run();
  });
}

void Sender::nudge(bool is_ready) {
  if (waits_for_answers_.load(std::memory_order_seq_cst)) return;
  // The batch was made just now: a look that comes within linger.ms is in time for it.
  if (!is_ready && next_look_.load(std::memory_order_seq_cst) <= runtime_->now() + config_.linger) return;
  wake();
}

void Sender::flush_below(std::uint64_t number, InlineFunction<void(), 48> done) {
  flushing_.fetch_add(1, std::memory_order_acq_rel);
  {
    const std::lock_guard lock(flushes_mutex_);
    flushes_.push_back(Flush{number, std::move(done)});
  }
  wake();
}

void Sender::close_soon() {
  closing_.store(true, std::memory_order_release);
  wake();
}

/// A callback may lead back here; then another round follows instead of a nested one.
void Sender::run() {
  run_again_ = true;
  if (running_) return;
  running_ = true;
  while (run_again_) {
    run_again_ = false;
    run_once();
  }
  running_ = false;
}

void Sender::run_once() {
  waits_for_answers_.store(false, std::memory_order_seq_cst);
  next_look_.store(MonotonicTime::max(), std::memory_order_seq_cst);
  if (aborted_) {
    abort(*aborted_);
    return;
  }
  Look look;
  look.now = runtime_->now();
  look.no_linger = flushing_.load(std::memory_order_acquire) > 0 || closing_.load(std::memory_order_acquire) ||
                   waiting_for_room_.load(std::memory_order_seq_cst) > 0;
  look.cluster = router_->metadata().snapshot();
  expire_in_flight(look);
  if (look.cluster->version != ready_version_ || ready_deadline_ <= look.now) look_at_ready_again();
  ready_version_ = look.cluster->version;
  take_lingering(look);
  looking_.swap(to_look_);
  accumulator_.take_announced(looking_);
  for (PartitionQueue* queue : looking_) queue->is_to_look = false;
  for (PartitionQueue* queue : looking_) look_at(*queue, look);
  looking_.clear();
  if (look.now >= next_load_update_) update_loads(*look.cluster, look.now);
  for (auto& [id, broker] : brokers_) {
    if (!broker.ready.empty()) send_ready(id, broker, look);
  }
  if (look.id_wanted && !asking_for_id_) {
    asking_for_id_ = true;
    runtime_->spawn(init_producer_id(shared_from_this()));
  }
  if (look.metadata_wanted) router_->request_metadata_update();
  finish_flushes();
  if (!lingering_.empty()) look.next = std::min(look.next, lingering_.front().until);
  look.next = std::min(look.next, ready_deadline_);
  arm(look.next);
  waits_for_answers_.store(is_saturated(*look.cluster), std::memory_order_seq_cst);
}

/// Whether nothing can be sent to any broker before an answer comes.
bool Sender::is_saturated(const ClusterSnapshot& cluster) const {
  return !cluster.brokers.empty() &&
         std::all_of(cluster.brokers.begin(), cluster.brokers.end(), [this](const auto& entry) {
           const auto known = brokers_.find(entry.first);
           return known != brokers_.end() && known->second.in_flight >= config_.max_in_flight;
         });
}

void Sender::ReadyQueues::push(PartitionQueue& queue) {
  if (first_ > 64 && first_ > queues_.size() / 2) {
    queues_.erase(queues_.begin(), queues_.begin() + static_cast<std::ptrdiff_t>(std::exchange(first_, 0)));
  }
  queue.is_ready = true;
  queues_.push_back(&queue);
}

void Sender::ReadyQueues::pop() {
  queues_[first_++]->is_ready = false;
  if (!empty()) return;
  queues_.clear();
  first_ = 0;
}

void Sender::look_later(PartitionQueue& queue) {
  if (!std::exchange(queue.is_to_look, true)) to_look_.push_back(&queue);
}

/// Their leaders may be others now, or their oldest batches too old.
void Sender::look_at_ready_again() {
  for (auto& [id, broker] : brokers_) {
    while (!broker.ready.empty()) {
      look_later(broker.ready.front());
      broker.ready.pop();
    }
  }
  ready_deadline_ = MonotonicTime::max();
}

/// Those that may have lingered long enough.
void Sender::take_lingering(const Look& look) {
  while (!lingering_.empty() && (look.no_linger || lingering_.front().until <= look.now)) {
    std::pop_heap(lingering_.begin(), lingering_.end(), std::greater<>());
    PartitionQueue& queue = *lingering_.back().queue;
    lingering_.pop_back();
    queue.is_lingering = false;
    look_later(queue);
  }
}

void Sender::look_at(PartitionQueue& queue, Look& look) {
  if (queue.is_ready || queue.length.load(std::memory_order_seq_cst) == 0 || lingers(queue, look)) return;
  const auto leader = leader_for(queue, look);
  if (!leader) {
    if (queue.length.load(std::memory_order_seq_cst) > 0) look_later(queue);
    return;
  }
  BrokerState& broker = brokers_[*leader];
  if (broker.drained_at == MonotonicTime{}) broker.drained_at = look.now;
  broker.ready.push(queue);
}

/// To whom the oldest batch can go now. None: it has to wait, or there is none.
std::optional<std::int32_t> Sender::leader_for(PartitionQueue& queue, Look& look) {
  std::vector<BatchPtr> expired;
  MonotonicTime deadline{};
  const Head head = look_at_head(queue, look, deadline, expired);
  for (BatchPtr& batch : expired) fail_late(std::move(batch));
  look.next = std::min(look.next, head == Head::waits ? deadline : MonotonicTime::max());
  if (head == Head::waits) return std::nullopt;
  ready_deadline_ = std::min(ready_deadline_, deadline);
  if (head == Head::ready_again && queue.in_flight > 0) return std::nullopt;  // alone, so that nothing passes it
  if (look.topic != queue.topic) {
    look.topic = queue.topic;
    look.metadata = look.cluster->topic(queue.topic->name);
  }
  if (look.metadata != nullptr) follow_topic(queue, look.metadata->id);
  if (config_.idempotent && !is_sequence_ready(queue)) {
    look.id_wanted = look.id_wanted || !identity_.is_known();
    return std::nullopt;
  }
  const PartitionMetadata* partition = look.metadata == nullptr ? nullptr : look.metadata->find(queue.partition);
  if (partition != nullptr && partition->leader >= 0) return partition->leader;
  look.metadata_wanted = true;
  router_->metadata().want_topic(queue.topic->name, look.now);
  return std::nullopt;
}

/// Whether the queue holds nothing but a batch that is still to linger; then it is noted among those. Without the lock,
/// which belongs to the thread that fills the batch most of the time. In this order: only the reactor takes batches
/// away, so a batch that was open before the length was 1 is the one. Should it become full meanwhile, its filler
/// announces the queue, and sees that a look was under way.
bool Sender::lingers(PartitionQueue& queue, const Look& look) {
  if (look.no_linger || queue.open_batch.load(std::memory_order_seq_cst) == nullptr) return false;
  if (queue.length.load(std::memory_order_seq_cst) != 1) return false;
  const MonotonicTime until = queue.open_since.load(std::memory_order_relaxed) + config_.linger;
  if (until <= look.now) return false;
  if (std::exchange(queue.is_lingering, true)) return true;  // with an earlier batch's time: then it is looked at again
  lingering_.push_back({until, &queue});
  std::push_heap(lingering_.begin(), lingering_.end(), std::greater<>());
  return true;
}

/// `deadline`: when it expires.
Sender::Head Sender::look_at_head(PartitionQueue& queue, Look& look, MonotonicTime& deadline,
                                  std::vector<BatchPtr>& expired) {
  const std::lock_guard lock(queue.mutex);
  expire(queue, look.now, expired);
  deadline = MonotonicTime::max();
  if (queue.batches.empty()) return Head::waits;
  ProducerBatch& head = *queue.batches.front();
  deadline = head.deadline;
  const MonotonicTime ready_at = head.attempts > 0                          ? head.retry_at
                                 : head.is_full || queue.batches.size() > 1 ? look.now
                                 : look.no_linger                           ? look.now
                                                                            : head.created_at + config_.linger;
  if (ready_at > look.now) {
    look.next = std::min(look.next, ready_at);
    return Head::waits;
  }
  if (head.state == BatchState::sealing) return Head::waits;  // its sealer wakes us
  if (head.state == BatchState::open && workers_) {
    accumulator_.close_batch(head);
    seal_on_worker(head);
    return Head::waits;
  }
  return head.attempts > 0 ? Head::ready_again : Head::ready;
}

/// Batches wait in the order of their deadlines, but for those being compressed, which nobody may touch. The queue's
/// mutex is held.
void Sender::expire(PartitionQueue& queue, MonotonicTime now, std::vector<BatchPtr>& expired) {
  while (!queue.batches.empty()) {
    ProducerBatch& head = *queue.batches.front();
    if (head.deadline > now || head.state == BatchState::sealing) return;
    queue.close(head);
    expired.push_back(std::move(queue.batches.front()));
    queue.batches.pop_front();
    queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
  }
}

/// delivery.timeout.ms does not wait for request.timeout.ms. The answer may still come; the partition's later batches
/// wait for it, and go on under a new epoch.
void Sender::expire_in_flight(Look& look) {
  for (const auto& request : in_flight_) {
    if (request->first_expiry <= look.now) {
      request->first_expiry = MonotonicTime::max();
      for (BatchPtr& batch : request->batches) {
        if (batch && batch->deadline > look.now)
          request->first_expiry = std::min(request->first_expiry, batch->deadline);
        if (batch && batch->deadline <= look.now) fail_late(std::move(batch));
      }
    }
    look.next = std::min(look.next, request->first_expiry);
  }
}

void Sender::fail_late(BatchPtr batch) {
  if (batch->sequence.is_assigned()) batch->queue->sequence.require_reset();
  Failure why = explain_timeout(*batch);
  fail(std::move(batch), std::move(why));
}

/// Whether the next batch of the partition may be numbered, or already is.
bool Sender::is_sequence_ready(PartitionQueue& queue) {
  if (queue.sequence.is_reset_required()) {
    if (queue.in_flight > 0) return false;
    if (must_keep_number(queue)) return identity_.is_known();
    restart_sequence(queue);
  }
  if (!identity_.is_known()) return false;
  return queue.in_flight == 0 || (queue.sequence.is_known_to_broker() && !queue.sequence.is_stale(identity_));
}

/// A topic that was deleted and made again has logs that know nothing of what was numbered before.
void Sender::follow_topic(PartitionQueue& queue, const Uuid& id) {
  if (id == queue.topic_id || id == Uuid()) return;
  if (queue.topic_id != Uuid()) queue.sequence.require_reset();
  queue.topic_id = id;
}

/// A batch that may be stored goes again under its old number first, for the broker to recognize it.
bool Sender::must_keep_number(PartitionQueue& queue) {
  const std::lock_guard lock(queue.mutex);
  return !queue.batches.empty() && queue.batches.front()->may_be_stored &&
         queue.batches.front()->sequence.is_assigned();
}

/// KIP-360: under a new epoch the broker takes number 0 again. Kafka's producer renumbers all that waits, and stores
/// twice what had been stored without its knowing; here a batch whose fate cannot be learnt any more has failed.
void Sender::restart_sequence(PartitionQueue& queue) {
  if (!queue.sequence.is_stale(identity_)) {
    identity_ = next_epoch(identity_);
    router_->logger().info("{}: the epoch is raised to {}, and the batches are numbered from 0 again", queue.name,
                           identity_.epoch);
  }
  queue.sequence.reset(identity_);
  std::vector<BatchPtr> lost;
  {
    const std::lock_guard lock(queue.mutex);
    for (BatchPtr& batch : queue.batches) {
      batch->sequence = BatchSequence{};
      if (batch->may_be_stored) lost.push_back(std::move(batch));
    }
    queue.batches.erase(std::remove(queue.batches.begin(), queue.batches.end(), nullptr), queue.batches.end());
    queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
  }
  for (BatchPtr& batch : lost) {
    Failure why = batch->last_failure;
    why.subject += kInDoubt;
    fail(std::move(batch), std::move(why));
  }
}

void Sender::seal_on_worker(ProducerBatch& batch) {
  asio::post(workers_->executor(), [self = shared_from_this(), &batch]() mutable {
    self->accumulator_.seal(batch);
    // The reference goes to the reactor: the last one must not end on the worker, which it would have to join.
    const asio::any_io_executor executor = self->runtime_->executor();
    asio::post(executor, [back = std::move(self)] { back->run(); });
  });
}

/// The lengths of a topic's queues, for the sticky choice; partitions of brokers that take nothing are left out.
void Sender::update_loads(const ClusterSnapshot& cluster, MonotonicTime now) {
  constexpr std::chrono::milliseconds kPause{1};
  constexpr std::chrono::microseconds kPauseByQueue{1};  // a part of the CPU, however many there are
  if (!config_.adaptive_partitioning || config_.partitioner != PartitionerKind::sticky) return;
  collect_queues();
  std::size_t seen = queues_.size();
  for (TopicState* known : topics_) {
    TopicState& topic = *known;
    if (topic.sticky_queue.load(std::memory_order_relaxed) == nullptr) continue;  // nobody asks for the choice
    const TopicMetadata* metadata = cluster.topic(topic.name);
    if (metadata == nullptr) continue;
    load_partitions_.clear();
    load_lengths_.clear();
    const std::lock_guard lock(topic.mutex);
    for (const PartitionMetadata& partition : metadata->partitions) {
      if (partition.leader < 0) continue;
      const auto broker = brokers_.find(partition.leader);
      const bool stuck = config_.partition_availability_timeout.count() > 0 && broker != brokers_.end() &&
                         broker->second.ready_at - broker->second.drained_at > config_.partition_availability_timeout;
      if (stuck) continue;
      // One that got no record yet may have no queue. It has to be among them all the same, or it would never get one.
      const auto index = static_cast<std::size_t>(partition.partition);
      const bool has_queue = index < topic.queues.size();
      load_partitions_.push_back(partition.partition);
      load_lengths_.push_back(has_queue ? topic.queues[index]->length.load(std::memory_order_relaxed) : 0);
    }
    seen += metadata->partitions.size() - std::min(metadata->partitions.size(), topic.queues.size());
    topic.sticky.update_load(load_partitions_, load_lengths_, metadata->partition_count());
  }
  next_load_update_ = now + kPause + kPauseByQueue * seen;
}

/// A timer that goes off too early costs one look in vain, which is less than setting it anew after each look.
void Sender::arm(MonotonicTime next) {
  const bool is_early_enough = timer_.number != 0 && timer_.deadline <= next;
  if (!is_early_enough) {
    runtime_->timers()->cancel(timer_);
    timer_ = {};
    if (next == MonotonicTime::max()) return;
    timer_ = runtime_->timers()->add(next, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->timer_ = {};
      self->run();
    });
  }
  if (timer_.number != 0) next_look_.store(timer_.deadline, std::memory_order_seq_cst);
}

void Sender::finish_flushes() {
  std::vector<Flush> done;
  {
    const std::lock_guard lock(flushes_mutex_);
    const auto pending = std::stable_partition(flushes_.begin(), flushes_.end(), [this](const Flush& flush) {
      return !accumulator_.is_complete_below(flush.below);
    });
    std::move(pending, flushes_.end(), std::back_inserter(done));
    flushes_.erase(pending, flushes_.end());
  }
  flushing_.fetch_sub(static_cast<int>(done.size()), std::memory_order_acq_rel);
  for (Flush& flush : done) flush.done();
}

void Sender::abort(Failure why) {
  aborted_ = why;
  waits_for_answers_.store(false, std::memory_order_seq_cst);
  next_look_.store(MonotonicTime::max(), std::memory_order_seq_cst);
  fail_queued(why);
  runtime_->timers()->cancel(timer_);
  timer_ = {};
  finish_flushes();
}

void Sender::collect_queues() {
  const std::size_t known = queues_.size();
  accumulator_.collect(queues_);
  // Every topic has a queue for partition 0, for they are made in order: it stands for the topic.
  for (std::size_t i = known; i < queues_.size(); ++i) {
    if (queues_[i]->partition == 0) topics_.push_back(queues_[i]->topic);
  }
}

void Sender::fail_queued(const Failure& why) {
  collect_queues();
  for (PartitionQueue* queue : queues_) {
    while (BatchPtr batch = take_any(*queue)) fail(std::move(batch), why);
  }
}

/// The oldest batch, ready or not. One that is being compressed stays: its sealer wakes us.
BatchPtr Sender::take_any(PartitionQueue& queue) {
  const std::lock_guard lock(queue.mutex);
  if (queue.batches.empty() || queue.batches.front()->state == BatchState::sealing) return nullptr;
  BatchPtr batch = std::move(queue.batches.front());
  queue.batches.pop_front();
  queue.close(*batch);
  queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
  return batch;
}

std::uint64_t Sender::buffered_records() const {
  const std::uint64_t taken = accumulator_.totals().records;
  const std::uint64_t ended = counters_.records_delivered.load() + counters_.records_failed.load();
  return taken > ended ? taken - ended : 0;
}

}  // namespace barnabas::client
