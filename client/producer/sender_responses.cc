#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/core/errors.h"
#include "client/producer/plain_answer.h"
#include "client/producer/sender_state.h"
#include "common/record/batch_view.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using std::chrono::milliseconds;

constexpr std::size_t kMostSplitBytes = 256UL * 1024 * 1024;

std::vector<Node> nodes_of(const protocol::ProduceResponse& response) {
  std::vector<Node> nodes;
  for (const auto& endpoint : response.node_endpoints) {
    nodes.push_back(Node{endpoint.node_id, endpoint.host, static_cast<std::uint16_t>(endpoint.port), endpoint.rack});
  }
  return nodes;
}

/// Errors after which the batch may be stored all the same.
bool leaves_doubt(ErrorCode error) {
  return error == ErrorCode::request_timed_out || error == ErrorCode::not_enough_replicas_after_append ||
         error == ErrorCode::kafka_storage_error || error == ErrorCode::unknown_server_error;
}

/// The broker's own words, and those about single records.
std::string words_of(const protocol::ProduceResponse::PartitionProduceResponse& answer) {
  std::string words = answer.error_message.value_or("");
  for (const auto& error : answer.record_errors) {
    words += fmt::format("{}record {}: {}", words.empty() ? "" : "; ", error.batch_index,
                         error.batch_index_error_message.value_or(""));
    if (words.size() > 500) break;
  }
  return words;
}

/// Those of the first `half` records go to `first`, the rest to `second`; one that reaches over is cut.
void split_runs(std::vector<PendingRun>& runs, std::int32_t half, std::vector<PendingRun>& first,
                std::vector<PendingRun>& second) {
  for (PendingRun& run : runs) {
    const std::int32_t in_first = std::clamp(half - run.index, 0, run.count);
    if (in_first > 0) first.push_back({run.index, in_first, run.position, run.timestamp_ms, run.callback});
    if (in_first == run.count) continue;
    run.index = std::max(run.index - half, 0);
    run.count -= in_first;
    run.position += static_cast<std::size_t>(in_first);
    second.push_back(std::move(run));
  }
  runs.clear();
}

}  // namespace

void Sender::take_answer(InFlight& request, BrokerConnection& connection, RawReply reply) {
  const BytesView body = reply.frame.view();
  if (PlainAnswer::is_plain(body, reply.version)) {
    PlainAnswer answer(body, reply.version);
    for (StoredBatch stored; answer.next(stored);) {
      BatchPtr batch = request.take_batch(stored.topic, stored.topic_id, stored.partition);
      if (batch) on_stored(std::move(batch), stored.base_offset, stored.log_append_time_ms);
    }
  } else {
    const auto decoded = connection.decoded<protocol::ProduceResponse>(reply);
    if (!decoded) return on_request_failed(request, decoded.error());
    const milliseconds throttle(decoded->body.throttle_time_ms);
    if (throttle.count() > 0) brokers_[request.broker_id].throttled_until = runtime_->now() + throttle;
    on_response(request, decoded->body);
  }
  const bool is_complete =
      std::all_of(request.batches.begin(), request.batches.end(), [](const auto& b) { return b == nullptr; });
  if (!is_complete) {
    on_request_failed(
        request, {make_error_code(Errc::corrupt_data), *request.broker + " left partitions out of its Produce answer"});
  }
  connection.reuse(std::move(reply));
}

void Sender::on_response(InFlight& request, const protocol::ProduceResponse& response) {
  for (const auto& topic : response.responses) {
    for (const auto& answer : topic.partition_responses) {
      BatchPtr batch = request.take_batch(topic.name, topic.topic_id, answer.index);
      if (batch) on_partition(std::move(batch), request.broker_id, answer, response);
    }
  }
}

/// Null where it is not of the request, or expired meanwhile. `name` is empty where the version names topics by id.
BatchPtr Sender::InFlight::take_batch(std::string_view name, const Uuid& id, std::int32_t partition) {
  if (name.empty()) {
    if (id == Uuid()) return nullptr;
    const auto& sent = request.topic_data;
    const auto found = std::find_if(sent.begin(), sent.end(), [&id](const auto& data) { return data.topic_id == id; });
    if (found == sent.end()) return nullptr;
    name = found->name;
  }
  const auto found = std::find_if(batches.begin(), batches.end(), [name, partition](const BatchPtr& batch) {
    return batch && batch->queue->partition == partition && batch->queue->topic->name == name;
  });
  return found == batches.end() ? nullptr : std::move(*found);
}

void Sender::on_stored(BatchPtr batch, std::int64_t base_offset, std::int64_t log_append_time_ms) {
  batch->queue->sequence.on_delivered(batch->sequence, batch->record_count, base_offset + batch->record_count - 1);
  deliver(std::move(batch), base_offset, log_append_time_ms);
}

void Sender::on_partition(BatchPtr batch, std::int32_t broker_id,
                          const protocol::ProduceResponse::PartitionProduceResponse& answer,
                          const protocol::ProduceResponse& response) {
  if (answer.error_code == 0) return on_stored(std::move(batch), answer.base_offset, answer.log_append_time_ms);
  const auto& leader = answer.current_leader;
  if (leader.leader_id >= 0) {
    const std::string& topic = batch->queue->topic->name;
    const std::int32_t number = batch->queue->partition;
    router_->metadata().update_leader(topic, number, leader.leader_id, leader.leader_epoch, nodes_of(response));
    const auto cluster = router_->metadata().snapshot();
    const PartitionMetadata* known = cluster->partition(topic, number);
    // KIP-951. A broker that does not know yet that it leads names an older leader than the one known: that waits.
    batch->retries_at_once = leader.leader_id != broker_id && known != nullptr && known->leader == leader.leader_id &&
                             known->leader_epoch == leader.leader_epoch;
  }
  on_broker_error(std::move(batch), answer);
}

void Sender::on_broker_error(BatchPtr batch, const protocol::ProduceResponse::PartitionProduceResponse& answer) {
  const auto error = static_cast<ErrorCode>(answer.error_code);
  const std::string words = words_of(answer);
  Failure why = broker_failure(answer.error_code, fmt::format("{}: {}{}{}", batch->queue->name, *batch->last_broker,
                                                              words.empty() ? "" : " says: ", words));
  if (needs_metadata_update(why)) router_->request_metadata_update();
  if (error == ErrorCode::message_too_large && split(batch)) return;
  if (!batch->sequence.is_assigned()) {
    const bool can_retry = is_retriable(why);
    retry_or_fail(std::move(batch), std::move(why), can_retry);
    return;
  }
  batch->may_be_stored |= leaves_doubt(error);
  PartitionSequence& sequence = batch->queue->sequence;
  switch (sequence.on_error(error, batch->sequence, answer.log_start_offset, batch->may_be_stored)) {
    case SequenceVerdict::delivered:
      sequence.on_delivered(batch->sequence, batch->record_count, -1);
      deliver(std::move(batch), -1, -1);
      return;
    case SequenceVerdict::reset_retry:
      sequence.require_reset();
      retry_or_fail(std::move(batch), std::move(why), true);
      return;
    case SequenceVerdict::retry:
      retry_or_fail(std::move(batch), std::move(why), true);
      return;
    case SequenceVerdict::fail:
      if (error == ErrorCode::out_of_order_sequence_number) why.subject += kInDoubt;
      retry_or_fail(std::move(batch), std::move(why), false);
      return;
  }
}

void Sender::on_request_failed(InFlight& request, const Failure& why) {
  const bool any =
      std::any_of(request.batches.begin(), request.batches.end(), [](const auto& b) { return b != nullptr; });
  if (!any) return;
  const bool can_retry = is_retriable(why) || why.code == Errc::corrupt_data;
  router_->request_metadata_update();
  for (BatchPtr& batch : request.batches) {
    if (!batch) continue;
    batch->may_be_stored = true;
    Failure named{why.code, batch->queue->name + ": " + why.subject};
    retry_or_fail(std::move(batch), std::move(named), can_retry);
  }
}

void Sender::retry_or_fail(BatchPtr batch, Failure why, bool can_retry) {
  if (aborted_) {
    fail(std::move(batch), *aborted_);
    return;
  }
  if (can_retry && batch->attempts <= config_.retries) {
    requeue(std::move(batch), std::move(why));
    return;
  }
  if (batch->sequence.is_assigned()) batch->queue->sequence.require_reset();
  if (can_retry)
    why.subject += fmt::format(" (gave up after {} attempts, retries={})", batch->attempts, config_.retries);
  fail(std::move(batch), std::move(why));
}

/// Back to its place: before all that was made later.
void Sender::requeue(BatchPtr batch, Failure why) {
  PartitionQueue& queue = *batch->queue;
  const bool at_once = std::exchange(batch->retries_at_once, false);
  batch->retry_at = runtime_->now();
  if (!at_once) batch->retry_at += backoff_.after(batch->attempts - 1);
  batch->last_failure = std::move(why);
  router_->logger().debug("{}: sent again after attempt {}: {}", queue.name, batch->attempts,
                          batch->last_failure.message());
  look_later(queue);
  const std::lock_guard lock(queue.mutex);
  const auto later = std::find_if(queue.batches.begin(), queue.batches.end(),
                                  [&batch](const BatchPtr& other) { return other->number > batch->number; });
  queue.batches.insert(later, std::move(batch));
  queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
}

/// A batch that the broker finds too large goes again in halves. False, and untouched, where it cannot be halved.
bool Sender::split(BatchPtr& batch) {
  if (batch->record_count < 2 || aborted_) return false;
  const auto view = record::BatchView::read(*batch->bytes);
  Bytes scratch;
  const auto plain = view ? view->plain_records(scratch, kMostSplitBytes) : Result<BytesView>(failure(view.error()));
  if (!plain) return false;
  PartitionQueue& queue = *batch->queue;
  const std::int32_t half = batch->record_count / 2;
  BatchPtr second = accumulator_.make_batch(queue, {}, plain->size());
  BatchPtr first = accumulator_.make_batch(queue, {}, plain->size());
  record::RecordReader reader = view->reader(*plain);
  record::RecordView record;
  std::vector<record::HeaderView> headers;
  for (std::int32_t i = 0; i < batch->record_count; ++i) {
    if (!reader.next(record).value_or(false)) return false;
    headers.clear();
    for (const record::HeaderView& header : record.headers) headers.push_back(header);
    ProducerBatch& target = i < half ? *first : *second;
    target.builder.append(
        {.timestamp_ms = record.timestamp_ms, .key = record.key, .value = record.value, .headers = headers});
    ++target.record_count;
  }
  accumulator_.split_callbacks(*batch, half, *first, *second);
  split_runs(batch->runs, half, first->runs, second->runs);
  if (batch->sequence.is_assigned()) queue.sequence.require_reset();
  accumulator_.note_incomplete(batch->number);  // a second one under this number: flush waits for both halves
  second->reserved_bytes = batch->reserved_bytes;
  look_later(queue);
  const std::lock_guard lock(queue.mutex);
  auto place = std::find_if(queue.batches.begin(), queue.batches.end(),
                            [&batch](const BatchPtr& other) { return other->number > batch->number; });
  for (BatchPtr* part : {&second, &first}) {
    (*part)->number = batch->number;
    (*part)->is_full = true;
    (*part)->created_at = batch->created_at;
    (*part)->deadline = batch->deadline;
    place = queue.batches.insert(place, std::move(*part));
  }
  queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
  batch.reset();
  return true;
}

Failure Sender::explain_timeout(const ProducerBatch& batch) const {
  std::string cause = batch.last_failure.message();
  if (!batch.last_failure.code && batch.attempts > 0) {
    cause = *batch.last_broker + " did not answer in time";
  } else if (!batch.last_failure.code) {
    const auto cluster = router_->metadata().snapshot();
    const PartitionMetadata* partition = cluster->partition(batch.queue->topic->name, batch.queue->partition);
    if (partition == nullptr || partition->leader < 0) {
      cause = "the partition has no leader";
    } else if (id_failure_.code) {
      cause = id_failure_.message();
    } else {
      cause = router_->last_failure(partition->leader);
      if (cause.empty()) cause = fmt::format("broker {} did not take it in time", partition->leader);
    }
  }
  return Failure{
      make_error_code(Errc::timed_out),
      fmt::format("{}: {} records not delivered within delivery.timeout.ms={} after {} attempts; last cause: {}",
                  batch.queue->name, batch.record_count, config_.delivery_timeout.count(), batch.attempts, cause)};
}

}  // namespace barnabas::client
