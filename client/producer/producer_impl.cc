#include "client/producer/producer_impl.h"

#include <fmt/format.h>

#include "client/core/errors.h"
#include "client/producer/partition_hash.h"

namespace barnabas::client {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kExecutorGrace{5};  // what a call gives an executor to notice its deadline

std::uint64_t next_producer_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

RequestRouter::Options router_options(const ProducerConfig& config, const std::shared_ptr<Sender>& sender) {
  RequestRouter::Options options;
  options.config = config.client;
  options.metadata.max_age = config.client.metadata_max_age;
  options.metadata.max_idle = config.metadata_max_idle;
  options.metadata.allow_auto_topic_creation = true;
  options.on_metadata_change = [weak = std::weak_ptr<Sender>(sender)] {
    if (const auto alive = weak.lock()) alive->wake();
  };
  return options;
}

struct LastTopic {
  std::uint64_t producer = 0;
  TopicState* topic = nullptr;
};
thread_local LastTopic last_topic;

}  // namespace

Result<std::shared_ptr<ProducerImpl>> ProducerImpl::make(const Config& config, ProducerOptions options) {
  const auto parsed = producer_config_table().parse(config.properties());
  if (!parsed) return failure(parsed.error());
  auto typed = producer_config_of(*parsed);
  if (!typed) return failure(typed.error());
  if (typed->client.client_id.empty()) {
    static std::atomic<int> last{0};
    typed->client.client_id = fmt::format("producer-{}", ++last);
  }
  const runtime::Logger logger = make_logger(options.log, typed->client.client_id);
  log_settings_without_effect(logger, *parsed);
  auto runtime = options.runtime ? options.runtime.internals() : ClientRuntime::make(typed->client.client_id);
  const bool reports = static_cast<bool>(options.metrics.write);
  auto made = std::make_shared<ProducerImpl>(std::move(*typed), std::move(options), std::move(runtime), logger);
  if (reports) made->runtime_->spawn(report(made));
  return made;
}

ProducerImpl::ProducerImpl(ProducerConfig config, ProducerOptions options, std::shared_ptr<ClientRuntime> runtime,
                           runtime::Logger logger)
    : number_(next_producer_number()),
      runtime_(std::move(runtime)),
      clock_(runtime_->clock()),
      logger_(std::move(logger)),
      partitioner_(std::move(options.partitioner)),
      interceptors_(options.interceptors),
      metrics_sink_(std::move(options.metrics)),
      sender_(std::make_shared<Sender>(std::move(config), runtime_, options.interceptors)),
      most_record_bytes_(std::min(sender_->config().max_request_bytes, sender_->accumulator().budget().limit_bytes())),
      waits_(std::make_shared<OpenWaits>(runtime_)) {
  sender_->start(RequestRouter::make(runtime_, router_options(sender_->config(), sender_), logger_));
}

/// The last topic that this thread sent to is found without a lock.
TopicState& ProducerImpl::topic_of(std::string_view name) {
  if (TopicState* const known = known_topic(name)) return *known;
  last_topic = {number_, &sender_->accumulator().topic(name)};
  return *last_topic.topic;
}

/// nullptr: this thread sent elsewhere last.
TopicState* ProducerImpl::known_topic(std::string_view name) const noexcept {
  return last_topic.producer == number_ && last_topic.topic->name == name ? last_topic.topic : nullptr;
}

Result<void> ProducerImpl::check(const Record& record) const {
  constexpr std::size_t kMostTopicName = 249;
  if (closed_.load(std::memory_order_acquire)) return failure(Errc::closed, "the producer is closed");
  if (record.topic.empty() || record.topic.size() > kMostTopicName) {
    return failure(
        protocol::ErrorCode::invalid_topic_exception,
        fmt::format("topic name '{}' must have 1 to 249 characters", record.topic.substr(0, kMostTopicName)));
  }
  if (record.timestamp && record.timestamp->time_since_epoch().count() < 0) {
    return failure(Errc::invalid_argument, fmt::format("a record for topic {} is dated before 1970", record.topic));
  }
  if (record.partition && *record.partition < 0) {
    return failure(Errc::invalid_argument, fmt::format("partition {} of topic {}", *record.partition, record.topic));
  }
  return {};
}

Result<void> ProducerImpl::check_size(const Attempt& attempt, const record::RecordInput& input) const {
  const std::size_t limit = most_record_bytes_;
  if (attempt.payload_bytes + kMostOverheadBytes + 10 * input.headers.size() <= limit) return {};
  const std::size_t size = record::single_batch_bytes_bound(input);
  if (size <= limit) return {};
  const bool by_request = limit == sender_->config().max_request_bytes;
  return failure(protocol::ErrorCode::message_too_large,
                 fmt::format("{}: a record of {} bytes is larger than {}={}", attempt.record.topic, size,
                             by_request ? "max.request.size" : "buffer.memory, less what compressing takes,", limit));
}

/// What an append leaves to do, outside all locks.
void ProducerImpl::after_append(const Appended& appended) {
  if (appended.to_seal != nullptr) sender_->accumulator().seal(*appended.to_seal);
  if (appended.is_ready || appended.is_new) sender_->nudge(appended.is_ready);
}

/// To an open batch. A full one ends the turn of its partition: the record moves on to another's.
Appended ProducerImpl::append(Attempt& attempt, const SizedRecord& record) {
  Accumulator& accumulator = sender_->accumulator();
  Appended appended = accumulator.append(*attempt.queue, record, attempt.listener);
  after_append(appended);
  if (appended.done || !appended.is_ready || !attempt.is_sticky) return appended;
  end_sticky_turn(*attempt.topic, *attempt.queue);
  const auto queue = choose_queue(attempt);
  if (!queue || *queue == nullptr || *queue == attempt.queue) return appended;
  attempt.queue = *queue;
  appended = accumulator.append(*attempt.queue, record, attempt.listener);
  after_append(appended);
  return appended;
}

Result<ProducerImpl::Step> ProducerImpl::advance(Attempt& attempt) {
  const SizedRecord record{.input = input_of(attempt.record, attempt.timestamp_ms),
                           .payload_bytes = payload_bytes(attempt.record)};
  Accumulator& accumulator = sender_->accumulator();
  if (attempt.topic == nullptr) {
    attempt.topic = &topic_of(attempt.record.topic);
    attempt.payload_bytes = record.payload_bytes;
    attempt.is_sticky = is_sticky(attempt.record);
    if (auto checked = check_size(attempt, record.input); !checked) return failure(checked.error());
  }
  if (attempt.queue == nullptr) {
    const auto queue = choose_queue(attempt);
    if (!queue) return failure(queue.error());
    if (*queue == nullptr) return Step::needs_metadata;
    attempt.queue = *queue;
  }
  if (attempt.reservation.bytes == 0) {
    if (append(attempt, record).done) return Step::done;
    attempt.wanted_bytes = accumulator.new_batch_bytes(*attempt.topic, record.input);
    auto taken = accumulator.budget().try_take(attempt.wanted_bytes);
    if (!taken) return Step::needs_room;
    attempt.reservation = std::move(*taken);
  }
  Reservation reservation = std::exchange(attempt.reservation, {});
  after_append(accumulator.append_to_new(*attempt.queue, record, attempt.listener, std::move(reservation)));
  return Step::done;
}

void ProducerImpl::give_up(Attempt& attempt) {
  Reservation unused = std::exchange(attempt.reservation, {});
  if (unused.bytes > 0) sender_->accumulator().budget().give_back(unused.bytes, std::move(unused.buffer));
}

void ProducerImpl::tell_interceptors(const Record& record, const Failure& why) const {
  if (interceptors_.empty()) return;
  Delivery delivery;
  delivery.error = why.code;
  delivery.context = why.subject;
  delivery.topic = record.topic;
  delivery.partition = record.partition.value_or(-1);
  for (const auto& interceptor : interceptors_) interceptor->on_delivery(delivery);
}

Result<void> ProducerImpl::take(const Record& record, std::int64_t now_ms, const Listener& listener) {
  if (auto checked = check(record); !checked) return checked;
  Attempt attempt{.record = record, .listener = listener};
  attempt.timestamp_ms = timestamp_of(record, now_ms);
  std::optional<MonotonicTime> started;
  Result<void> result;
  while (result) {
    const auto step = advance(attempt);
    if (!step) result = failure(step.error());
    if (!step || *step == Step::done) break;
    if (!started) {
      started = runtime_->now();
      sender_->counters().blocked_sends.fetch_add(1, std::memory_order_relaxed);
    }
    const MonotonicTime deadline = *started + sender_->config().max_block;
    result = *step == Step::needs_metadata ? wait_for_metadata(attempt, deadline) : wait_for_room(attempt, deadline);
    if (result && closed_.load(std::memory_order_acquire)) result = failure(Errc::closed, "the producer was closed");
  }
  if (started) {
    const auto blocked = std::chrono::duration_cast<std::chrono::microseconds>(runtime_->now() - *started);
    sender_->counters().blocked_us.fetch_add(static_cast<std::uint64_t>(blocked.count()), std::memory_order_relaxed);
  }
  if (!result) give_up(attempt);
  return result;
}

Result<void> ProducerImpl::wait_for_metadata(const Attempt& attempt, MonotonicTime deadline) {
  return runtime_->wait(await_topic(attempt.record, deadline), deadline + kExecutorGrace);
}

Result<void> ProducerImpl::wait_for_room(Attempt& attempt, MonotonicTime deadline) {
  if (runtime_->is_current_thread()) {
    return failure(Errc::would_deadlock, "send on the client's own reactor thread while buffer.memory is used up");
  }
  sender_->begin_wait_for_room();
  auto taken = sender_->accumulator().budget().take(attempt.wanted_bytes, deadline);
  sender_->end_wait_for_room();
  if (!taken) return failure(taken.error().code, attempt.queue->name + ": " + taken.error().subject);
  attempt.reservation = std::move(*taken);
  return {};
}

asio::awaitable<Result<void>> ProducerImpl::await_topic(const Record& record, MonotonicTime deadline) {
  auto work = await_partition(sender_->shared_router(), std::string(record.topic), record.partition.value_or(0),
                              deadline, sender_->config().max_block.count());
  return OpenWaits::run(waits_, {std::string(record.topic), record.partition.value_or(0)}, std::move(work));
}

asio::awaitable<Result<void>> ProducerImpl::await_partition(std::shared_ptr<RequestRouter> router, std::string topic,
                                                            std::int32_t partition, MonotonicTime deadline,
                                                            std::int64_t max_block_ms) {
  for (;;) {
    const auto found = co_await router->topic(topic, deadline);
    if (!found) co_return failure(found.error());
    const std::int32_t count = (*found)->partition_count();
    if (partition < count) co_return Result<void>{};
    const auto refreshed = co_await router->refresh_metadata(deadline);
    if (refreshed) continue;
    if (refreshed.error().code != Errc::timed_out) co_return failure(refreshed.error());
    co_return failure(Errc::timed_out,
                      fmt::format("topic {} has {} partitions and no partition {} (waited max.block.ms={})", topic,
                                  count, partition, max_block_ms));
  }
}

Duration ProducerImpl::longest_delivery() const {
  return sender_->config().delivery_timeout + sender_->config().client.request_timeout + kExecutorGrace;
}

Result<Delivery> ProducerImpl::send_sync(const Record& record) {
  if (runtime_->is_current_thread()) {
    return failure(Errc::would_deadlock, "send_sync on the client's own reactor thread");
  }
  struct Outcome {
    std::unique_ptr<runtime::Signal> signal;
    std::optional<Delivery> delivery;
  };
  const auto outcome = std::make_shared<Outcome>();
  outcome->signal = runtime_->env().make_signal();
  const auto on_delivery = [outcome](const Delivery& delivery) {
    outcome->signal->notify([&] { outcome->delivery = delivery; });
  };
  if (auto sent = send(record, on_delivery); !sent) return failure(sent.error());
  sender_->flush_below(sender_->accumulator().next_number(), [] {});  // nobody else needs to come first
  const MonotonicTime deadline = runtime_->now() + longest_delivery();
  outcome->signal->wait_until(deadline, [&outcome] { return outcome->delivery.has_value(); });
  if (!outcome->delivery) return failure(Errc::timed_out, "the client's executor does not run");
  if (outcome->delivery->error) return failure(outcome->delivery->error, outcome->delivery->context);
  return std::move(*outcome->delivery);
}

Result<void> ProducerImpl::flush(Duration timeout) {
  if (runtime_->is_current_thread()) {
    return failure(Errc::would_deadlock, "flush on the client's own reactor thread");
  }
  struct Outcome {
    std::unique_ptr<runtime::Signal> signal;
    bool done = false;
  };
  const auto outcome = std::make_shared<Outcome>();
  outcome->signal = runtime_->env().make_signal();
  sender_->flush_below(sender_->accumulator().next_number(),
                       [outcome] { outcome->signal->notify([&outcome] { outcome->done = true; }); });
  const MonotonicTime now = runtime_->now();
  const MonotonicTime deadline = timeout >= MonotonicTime::max() - now ? MonotonicTime::max() : now + timeout;
  if (outcome->signal->wait_until(deadline, [&outcome] { return outcome->done; })) return {};
  return failure(Errc::timed_out,
                 fmt::format("flush: {} records are still under way after {} ms", sender_->buffered_records(),
                             std::chrono::duration_cast<milliseconds>(timeout).count()));
}

Result<std::vector<PartitionInfo>> ProducerImpl::partitions_for(const std::string& topic) {
  if (closed_.load(std::memory_order_acquire)) return failure(Errc::closed, "the producer is closed");
  const MonotonicTime deadline = runtime_->now() + sender_->config().max_block;
  const auto waited = runtime_->wait(await_topic({.topic = topic}, deadline), deadline + kExecutorGrace);
  if (!waited) return failure(waited.error());
  const auto cluster = sender_->router().metadata().snapshot();
  const TopicMetadata* found = cluster->topic(topic);
  if (found == nullptr) return failure(Errc::not_found, fmt::format("topic {} has just been deleted", topic));
  return partition_infos(*found);
}

ProducerMetrics ProducerImpl::metrics() const {
  ProducerMetrics metrics;
  const ProducerCounters& counters = sender_->counters();
  const Accumulator::Totals totals = sender_->accumulator().totals();
  metrics.connections = sender_->router().metrics();
  metrics.records_sent = totals.records;
  metrics.records_delivered = counters.records_delivered;
  metrics.records_failed = counters.records_failed;
  metrics.record_bytes = totals.bytes;
  metrics.batches_sent = counters.batches_sent;
  metrics.batch_bytes = counters.batch_bytes;
  metrics.retries = counters.retries;
  metrics.buffered_records = sender_->buffered_records();
  metrics.buffer_bytes = sender_->accumulator().budget().used_bytes();
  metrics.buffer_limit_bytes = sender_->accumulator().budget().limit_bytes();
  metrics.blocked_sends = counters.blocked_sends;
  metrics.blocked_time = std::chrono::microseconds(static_cast<std::int64_t>(counters.blocked_us.load()));
  metrics.slow_callbacks = counters.slow_callbacks;
  return metrics;
}

}  // namespace barnabas::client
