#include <algorithm>
#include <limits>

#include "client/core/errors.h"
#include "client/producer/sender_state.h"
#include "common/protocol/messages/init_producer_id.h"

namespace barnabas::client {
namespace {

constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr std::int16_t kLastVersionWithNames = 12;

}  // namespace

void Sender::send_ready(std::int32_t broker_id, BrokerState& broker, Look& look) {
  const runtime::MonotonicTime now = runtime_->now();
  broker.ready_at = now;
  if (broker.in_flight >= config_.max_in_flight) return;  // an answer brings us back
  if (broker.throttled_until > now) {
    look.next = std::min(look.next, broker.throttled_until);
    return;
  }
  const ConnectionPtr connection = router_->open_connection(broker_id, Channel::main);
  if (!connection) {
    if (broker.connecting) return;
    broker.connecting = true;
    runtime_->spawn(connect(shared_from_this(), broker_id));
    return;
  }
  const auto request = next_request(broker_id, broker, look);
  if (!request) return;
  broker.drained_at = now;
  ++broker.in_flight;
  in_flight_.push_back(request);
  if (!broker.name || *broker.name != connection->name()) {
    broker.name = std::make_shared<const std::string>(connection->name());
  }
  request->broker = broker.name;
  request->broker_id = broker_id;
  start_exchange(connection, request);
  run_again_ = true;  // there may be more than fitted
}

std::shared_ptr<Sender::InFlight> Sender::next_request(std::int32_t broker_id, BrokerState& broker, Look& look) {
  auto request = make_request();
  std::size_t size = 0;
  while (!broker.ready.empty()) {
    PartitionQueue& queue = broker.ready.front();
    if (leader_for(queue, look) == broker_id) {
      const std::size_t room = config_.max_request_bytes > size ? config_.max_request_bytes - size : 0;
      BatchPtr batch = take_head(queue, request->batches.empty() ? SIZE_MAX : room);
      if (!batch) break;  // it is the next request's first
      size += add_batch(*request, std::move(batch));
    }
    broker.ready.pop();
    look_later(queue);  // not before the next look, for one request has one batch of a partition at most
  }
  if (request->batches.empty()) {
    keep(std::move(request));
    return nullptr;
  }
  build(*request);
  return request;
}

/// Its bytes; 0 where it failed.
std::size_t Sender::add_batch(InFlight& request, BatchPtr batch) {
  PartitionQueue& queue = *batch->queue;
  if (!prepare(*batch)) {
    Failure why = batch->seal_failure;
    fail(std::move(batch), std::move(why));
    return 0;
  }
  const std::size_t size = batch->bytes->size();
  ++queue.in_flight;
  mention(queue);
  request.queues.push_back(&queue);
  request.batches.push_back(std::move(batch));
  return size;
}

std::shared_ptr<Sender::InFlight> Sender::make_request() {
  std::shared_ptr<InFlight> request;
  if (spare_requests_.empty()) {
    request = std::make_shared<InFlight>();
  } else {
    request = std::move(spare_requests_.back());
    spare_requests_.pop_back();
  }
  if (!request->bytes) request->bytes = std::make_shared<RequestBytes>();
  return request;
}

/// Nobody else may hold the request any more.
void Sender::keep(std::shared_ptr<InFlight> request) {
  constexpr std::size_t kMostSpare = 16;
  if (spare_requests_.size() >= kMostSpare) return;
  request->batches.clear();
  request->queues.clear();
  request->broker = nullptr;
  spare_requests_.push_back(std::move(request));
}

/// Keeps the topic from being forgotten after metadata.max.idle.ms.
void Sender::mention(PartitionQueue& queue) {
  constexpr std::chrono::seconds kPause{1};
  const runtime::MonotonicTime now = runtime_->now();
  if (queue.mentioned_at != runtime::MonotonicTime{} && now - queue.mentioned_at < kPause) return;
  queue.mentioned_at = now;
  router_->metadata().want_topic(queue.topic->name, now);
}

/// The oldest batch, when it is ready and has room.
BatchPtr Sender::take_head(PartitionQueue& queue, std::size_t room_bytes) {
  const std::lock_guard lock(queue.mutex);
  if (queue.batches.empty()) return nullptr;
  ProducerBatch& head = *queue.batches.front();
  if (head.state == BatchState::sealing || (head.state == BatchState::open && workers_)) return nullptr;
  const std::size_t size = head.bytes ? head.bytes->size() : head.builder.plain_bytes();
  if (size > room_bytes) return nullptr;
  BatchPtr batch = std::move(queue.batches.front());
  queue.batches.pop_front();
  queue.length.store(static_cast<std::int32_t>(queue.batches.size()), std::memory_order_release);
  queue.close(*batch);
  return batch;
}

/// Numbers the batch and makes its bytes say so.
bool Sender::prepare(ProducerBatch& batch) {
  if (config_.idempotent && !batch.sequence.is_assigned()) {
    batch.sequence = batch.queue->sequence.assign(identity_, batch.record_count);
  }
  const BatchSequence& sequence = batch.sequence;
  if (!batch.bytes && batch.state != BatchState::sealed) {
    batch.builder.set_producer_state(sequence.identity.id, sequence.identity.epoch, sequence.base);
    accumulator_.finish(batch);
    batch.state = BatchState::sealed;
    batch.stamped = sequence;
  }
  if (!batch.bytes) return false;
  if (!(batch.stamped.identity == sequence.identity) || batch.stamped.base != sequence.base) {
    record::stamp_producer_state(*batch.bytes, sequence.identity.id, sequence.identity.epoch, sequence.base);
    batch.stamped = sequence;
  }
  return true;
}

void Sender::build(InFlight& request) const {
  const auto cluster = router_->metadata().snapshot();
  std::sort(request.batches.begin(), request.batches.end(), [](const BatchPtr& a, const BatchPtr& b) {
    return a->queue->topic != b->queue->topic && a->queue->topic->name < b->queue->topic->name;
  });
  protocol::ProduceRequest& body = request.request;
  body.acks = config_.acks;
  body.timeout_ms = static_cast<std::int32_t>(config_.client.request_timeout.count());
  std::size_t topics = 0;
  for (const BatchPtr& batch : request.batches) {
    add_to_body(body, *batch, *cluster, topics);
    request.bytes->owners.push_back(batch->bytes);
    request.bytes->parts.push_back(BytesView(*batch->bytes));
  }
  body.topic_data.resize(topics);
  const bool all_have_ids = std::none_of(body.topic_data.begin(), body.topic_data.end(),
                                         [](const auto& topic) { return topic.topic_id == Uuid(); });
  request.versions = {protocol::ProduceRequest::kMinVersion, protocol::ProduceRequest::kMaxVersion};
  if (!all_have_ids) request.versions.max = kLastVersionWithNames;
  if (config_.compression == record::CompressionType::zstd) request.versions.min = kFirstVersionWithZstd;
  request.deadline = runtime_->now() + config_.client.request_timeout;
  request.first_expiry = runtime::MonotonicTime::max();
  for (const BatchPtr& batch : request.batches) {
    request.first_expiry = std::min(request.first_expiry, batch->deadline);
  }
}

/// Behind the first `topics` topics of the body, which are this request's; what an earlier one left is overwritten.
void Sender::add_to_body(protocol::ProduceRequest& body, const ProducerBatch& batch, const ClusterSnapshot& cluster,
                         std::size_t& topics) {
  const std::string& topic = batch.queue->topic->name;
  if (topics == 0 || body.topic_data[topics - 1].name != topic) {
    if (topics == body.topic_data.size()) body.topic_data.emplace_back();
    protocol::ProduceRequest::TopicProduceData& data = body.topic_data[topics++];
    const TopicMetadata* metadata = cluster.topic(topic);
    data.name = topic;
    data.topic_id = metadata == nullptr ? Uuid() : metadata->id;
    data.partition_data.clear();
  }
  protocol::ProduceRequest::PartitionProduceData data;
  data.index = batch.queue->partition;
  data.records = protocol::RecordsRef{.bytes = {}, .external_bytes = batch.bytes->size()};
  body.topic_data[topics - 1].partition_data.push_back(std::move(data));
}

asio::awaitable<void> Sender::connect(std::shared_ptr<Sender> self, std::int32_t broker_id) {
  const auto deadline = self->runtime_->now() + self->config_.client.request_timeout;
  const auto router = self->router_;
  const auto connection = co_await router->connection_to(broker_id, Channel::main, deadline);
  if (!connection && !router->is_shut_down()) {
    router->logger().debug("{}", connection.error().message());
    router->request_metadata_update();
    // Where the attempt ended at once, the next one waits as a retry does.
    const auto pause = self->config_.client.retry_backoff;
    co_await router->sleep_until(self->runtime_->now() + pause);
  }
  self->brokers_[broker_id].connecting = false;
  self->run();
}

void Sender::start_exchange(const ConnectionPtr& connection, const std::shared_ptr<InFlight>& request) {
  for (const BatchPtr& batch : request->batches) {
    ++batch->attempts;
    batch->last_broker = request->broker;
    auto& counter = batch->attempts == 1 ? counters_.batches_sent : counters_.retries;
    counter.fetch_add(1, std::memory_order_relaxed);
    counters_.batch_bytes.fetch_add(batch->bytes->size(), std::memory_order_relaxed);
  }
  CallOptions options{.versions = request->versions,
                      .external = {request->bytes->parts, request->bytes},
                      .expects_answer = config_.acks != 0};
  auto done = [self = shared_from_this(), connection, request](Result<RawReply> reply) {
    self->end_exchange(request, *connection, std::move(reply));
  };
  connection->start(request->request, request->deadline, std::move(options), {std::move(done), runtime_->executor()});
}

void Sender::end_exchange(const std::shared_ptr<InFlight>& request, BrokerConnection& connection,
                          Result<RawReply> reply) {
  end_request(request, brokers_[request->broker_id]);
  if (!reply) {
    on_request_failed(*request, reply.error());
  } else if (config_.acks == 0) {
    for (BatchPtr& batch : request->batches) {
      if (batch) deliver(std::move(batch), -1, -1);
    }
  } else {
    take_answer(*request, connection, std::move(*reply));
  }
  keep(request);
  run();
}

void Sender::end_request(const std::shared_ptr<InFlight>& request, BrokerState& broker) {
  --broker.in_flight;
  for (PartitionQueue* queue : request->queues) --queue->in_flight;
  in_flight_.erase(std::find(in_flight_.begin(), in_flight_.end(), request));
  // Where the answer overtook the end of the write, the connection keeps the batches' bytes, and the next request gets
  // a list of its own.
  if (request->bytes.use_count() > 1) {
    request->bytes = nullptr;
  } else {
    request->bytes->owners.clear();
    request->bytes->parts.clear();
  }
}

/// Asks until it has an id, the answer is final, or nobody needs one any more.
asio::awaitable<void> Sender::init_producer_id(std::shared_ptr<Sender> self) {
  Backoff backoff(self->config_.client.retry_backoff, self->config_.client.retry_backoff_max, self->runtime_->random());
  const auto router = self->router_;
  while (!self->aborted_ && self->accumulator_.incomplete() > 0) {
    protocol::InitProducerIdRequest body;
    body.transactional_id = std::nullopt;
    body.transaction_timeout_ms = std::numeric_limits<std::int32_t>::max();
    const auto deadline = self->runtime_->now() + self->config_.client.request_timeout;
    const auto reply = co_await router->call_any<protocol::InitProducerIdResponse>(std::move(body), deadline);
    self->id_failure_ = {};
    if (!reply) {
      self->id_failure_ = reply.error();
    } else if (reply->body.error_code != 0) {
      self->id_failure_ = broker_failure(reply->body.error_code, "InitProducerId");
    } else {
      self->identity_ = {reply->body.producer_id, reply->body.producer_epoch};
      break;
    }
    if (!is_retriable(self->id_failure_)) {
      self->fail_queued(self->id_failure_);
      break;
    }
    const auto pause = self->runtime_->now() + backoff.next();
    co_await router->sleep_until(pause);
  }
  self->asking_for_id_ = false;
  self->run();
}

}  // namespace barnabas::client
