// Why records are still under way: what Producer::explain() says. Follows Sender::look_at(), question by question.
#include <fmt/format.h>

#include <algorithm>

#include "client/producer/producer_impl.h"
#include "client/producer/sender_state.h"

namespace barnabas::client {
namespace {

using runtime::MonotonicTime;

constexpr std::chrono::seconds kPatience{1};  // with an executor of the user's that does not run

std::int64_t ms_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

std::string name_of(std::int32_t broker_id, const ClusterSnapshot& cluster) {
  const Node* node = cluster.broker(broker_id);
  return node == nullptr ? fmt::format("broker {}", broker_id)
                         : fmt::format("broker {} ({}:{})", broker_id, node->host, node->port);
}

}  // namespace

/// The oldest request with a batch of the partition.
const Sender::InFlight* Sender::request_of(const PartitionQueue& queue) const {
  for (const auto& request : in_flight_) {
    const auto& queues = request->queues;
    if (std::find(queues.begin(), queues.end(), &queue) != queues.end()) return request.get();
  }
  return nullptr;
}

/// Why the oldest batch is not ready to be sent; empty where it is.
std::string Sender::explain_head(PartitionQueue& queue, const ProducerBatch& head, bool is_alone) const {
  const MonotonicTime now = runtime_->now();
  if (head.attempts > 0 && head.retry_at > now) {
    return fmt::format("waits {} ms before attempt {}", ms_between(now, head.retry_at), head.attempts + 1);
  }
  if (head.attempts > 0 && queue.in_flight > 0) return "is sent again alone, after the answers under way";
  if (head.state == BatchState::sealing) return "is being compressed";
  const bool is_urgent = flushing_.load() > 0 || closing_.load() || waiting_for_room_.load() > 0;
  const MonotonicTime lingers_until = head.created_at + config_.linger;
  if (head.attempts == 0 && is_alone && !head.is_full && !is_urgent && lingers_until > now) {
    return fmt::format("lingers for {} ms more (linger.ms={})", ms_between(now, lingers_until),
                       std::chrono::duration_cast<std::chrono::milliseconds>(config_.linger).count());
  }
  return {};
}

/// Why the partition's next batch may not be numbered; empty where it may.
std::string Sender::explain_numbers(const PartitionQueue& queue) const {
  if (!config_.idempotent) return {};
  const bool is_renumbered =
      queue.sequence.is_reset_required() || (identity_.is_known() && queue.sequence.is_stale(identity_));
  if (is_renumbered && queue.in_flight > 0) return "waits for what is under way before its numbers start again";
  if (identity_.is_known()) return {};
  std::string text = "waits for a producer id (enable.idempotence=true)";
  if (id_failure_.code) text += "; the last error: " + id_failure_.message();
  return text;
}

/// Why the leader gets nothing now; empty where it may.
std::string Sender::explain_broker(std::int32_t broker_id, const ClusterSnapshot& cluster) const {
  const std::string name = name_of(broker_id, cluster);
  const MonotonicTime now = runtime_->now();
  if (cluster.broker(broker_id) == nullptr) {  // forgotten by a rebootstrap
    return name + " could not be reached, and the bootstrap servers are asked again: " + router_->explain_metadata();
  }
  if (const std::string link = router_->explain_link(broker_id, Channel::main); !link.empty()) return name + ' ' + link;
  const auto known = brokers_.find(broker_id);
  if (known == brokers_.end()) return {};
  const BrokerState& broker = known->second;
  if (broker.in_flight >= config_.max_in_flight) {
    return fmt::format("{} has not answered {} requests (max.in.flight.requests.per.connection={})", name,
                       broker.in_flight, config_.max_in_flight);
  }
  if (broker.throttled_until <= now) return {};
  return fmt::format("{} throttles this client for {} ms more", name, ms_between(now, broker.throttled_until));
}

std::string Sender::explain_queue(PartitionQueue& queue, const ClusterSnapshot& cluster) const {
  const MonotonicTime now = runtime_->now();
  std::string cause;
  std::string last_error;
  std::string waiting;
  {
    const std::lock_guard lock(queue.mutex);
    if (!queue.batches.empty()) {
      const ProducerBatch& head = *queue.batches.front();
      cause = explain_head(queue, head, queue.batches.size() == 1);
      waiting = fmt::format("{} batches wait, the oldest for {:.1f} s", queue.batches.size(),
                            std::chrono::duration<double>(now - head.created_at).count());
      if (head.last_failure.code) {
        last_error = fmt::format("; the last error, of attempt {}: {}", head.attempts, head.last_failure.message());
      }
    }
  }
  const InFlight* request = request_of(queue);
  if (!waiting.empty()) {
    const PartitionMetadata* partition = cluster.partition(queue.topic->name, queue.partition);
    if (cause.empty()) cause = explain_numbers(queue);
    if (cause.empty()) cause = why_missing(cluster, queue.topic->name, queue.partition);
    if (cause.empty()) cause = explain_broker(partition->leader, cluster);
    if (cause.empty()) cause = "goes with the next request";
  }
  if (request != nullptr) {
    const MonotonicTime sent_at = request->deadline - config_.client.request_timeout;
    cause += fmt::format("{}{} has not answered a request sent {} ms ago", cause.empty() ? "" : "; ", *request->broker,
                         ms_between(sent_at, now));
  }
  return fmt::format("{}: {}{}{}{}\n", queue.name, waiting, waiting.empty() ? "" : ": ", cause, last_error);
}

std::string Sender::explain() {
  const auto cluster = router_->metadata().snapshot();
  collect_queues();
  std::string text;
  for (PartitionQueue* queue : queues_) {
    if (queue->length.load() > 0 || queue->in_flight > 0) text += explain_queue(*queue, *cluster);
  }
  return text;
}

std::string ProducerImpl::explain_here() const {
  std::string text = closed_.load(std::memory_order_acquire) ? "the producer is being closed\n" : "";
  text += sender_->explain();
  const MonotonicTime now = runtime_->now();
  const auto cluster = sender_->router().metadata().snapshot();
  for (const OpenWaits::Wait& wait : waits_->open()) {
    std::string cause = why_missing(*cluster, wait.what.topic, wait.what.partition);
    const std::string metadata = sender_->router().explain_metadata();
    if (!metadata.empty()) cause += "; " + metadata;
    text += fmt::format("a call waits {} ms for topic {}: {}\n", ms_between(wait.since, now), wait.what.topic,
                        cause.empty() ? "its metadata have just come" : cause);
  }
  if (const int waiting = sender_->waiting_for_room(); waiting > 0) {
    const ByteBudget& budget = sender_->accumulator().budget();
    text += fmt::format("{} sends wait for room: {} bytes of buffer.memory={} are in use\n", waiting,
                        budget.used_bytes(), budget.limit_bytes());
  }
  return text.empty() ? "no records are under way" : text;
}

asio::awaitable<Result<std::string>> ProducerImpl::explain_on_executor(std::shared_ptr<ProducerImpl> self) {
  co_return self->explain_here();
}

std::string ProducerImpl::explain() {
  if (ended_.load(std::memory_order_acquire)) return "the producer is closed";
  if (runtime_->is_current_thread()) return explain_here();
  const auto text = runtime_->wait(explain_on_executor(shared_from_this()), runtime_->now() + kPatience);
  return text ? *text : text.error().message();
}

}  // namespace barnabas::client
