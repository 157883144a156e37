#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "client/producer/producer_impl.h"

/// From the public calls to the open batch: the short way for records that go where the last one went, and the way to
/// the long one (producer_impl.cc) for the rest.
namespace barnabas::client {
namespace {

constexpr std::size_t kMostPerRun = 32;  // the sender waits that long for the queue's lock

}  // namespace

Result<void> ProducerImpl::send(const Record& record, DeliveryCallback&& callback) {
  const std::int64_t now_ms = record.timestamp ? 0 : clock_.wall_ms();
  const Listener listener{.callback = &callback, .notes_each = !interceptors_.empty()};
  Route route;
  if (interceptors_.empty() && take_run({&record, 1}, now_ms, listener, route) == 1) return {};
  return take_one(record, now_ms, listener);
}

Result<void> ProducerImpl::send_batch(std::span<const Record> records, BatchDeliveryCallback&& callback,
                                      std::size_t& taken) {
  const std::int64_t now_ms = clock_.wall_ms();
  const auto shared = callback ? std::make_shared<BatchDeliveryCallback>(std::move(callback)) : nullptr;
  Listener listener{.batch_callback = &shared, .call_ms = now_ms, .notes_each = !interceptors_.empty()};
  Route route;
  for (taken = 0; taken < records.size();) {
    listener.position = taken;
    const std::size_t run = interceptors_.empty() ? take_run(records.subspan(taken), now_ms, listener, route) : 0;
    taken += run;
    if (run > 0) continue;
    if (const auto one = take_one(records[taken], now_ms, listener); !one) {
      return failure(one.error().code, fmt::format("record {} of {}: {}", taken, records.size(), one.error().subject));
    }
    ++taken;
  }
  return {};
}

Result<void> ProducerImpl::take_one(const Record& given, std::int64_t now_ms, const Listener& listener) {
  if (interceptors_.empty()) return take(given, now_ms, listener);
  Record record = given;
  for (const auto& interceptor : interceptors_) interceptor->on_send(record);
  const Result<void> taken = take(record, now_ms, listener);
  if (!taken) tell_interceptors(record, taken.error());
  return taken;
}

/// Takes records, from the first on, as long as there is nothing to find out, to make or to wait for: they go to the
/// open batch of one partition, where the topic's last record went or which is given, by the record or its key. How
/// many; 0 where the first one must go the long way.
std::size_t ProducerImpl::take_run(std::span<const Record> records, std::int64_t now_ms, const Listener& listener,
                                   Route& route) {
  if (closed_.load(std::memory_order_acquire)) return 0;
  TopicState* const topic = known_topic(records.front().topic);
  if (topic == nullptr) return 0;
  return is_sticky(records.front()) ? take_sticky_run(*topic, records, now_ms, listener)
                                    : take_routed_run(*topic, records, now_ms, listener, route);
}

std::size_t ProducerImpl::take_sticky_run(TopicState& topic, std::span<const Record> records, std::int64_t now_ms,
                                          const Listener& listener) {
  PartitionQueue* const queue = sticky_queue(topic);
  if (queue == nullptr) return 0;
  const std::int64_t left = topic.sticky_left.load(std::memory_order_relaxed);
  const std::size_t length = run_length(records, left, [this](const Record& record) { return is_sticky(record); });
  if (length == 0) return 0;
  const AppendedRun run = sender_->accumulator().append_run(*queue, records.first(length), now_ms, listener);
  if (run.count == 0) return 0;
  // Not a subtraction in one: it would cost as much as the lock, and where two threads meet, a turn is a bit longer.
  topic.sticky_left.store(left - static_cast<std::int64_t>(run.payload_bytes + run.count * kRecordOverheadBytes),
                          std::memory_order_relaxed);
  if (run.is_ready) sender_->nudge(true);
  return run.count;
}

std::size_t ProducerImpl::take_routed_run(TopicState& topic, std::span<const Record> records, std::int64_t now_ms,
                                          const Listener& listener, Route& route) {
  const TopicState::Routes* const routes = routes_of(topic);
  if (routes == nullptr) return 0;
  const auto count = static_cast<std::int32_t>(routes->size());
  const Record& first = records.front();
  const std::int32_t partition = route.record == &first ? route.partition : fixed_partition(first, count);
  if (partition < 0 || partition >= count) return 0;
  const std::size_t length = run_length(records, INT64_MAX, [this, partition, count, &route](const Record& record) {
    route = {&record, fixed_partition(record, count)};
    return route.partition == partition;
  });
  if (length == 0) return 0;
  PartitionQueue& queue = *(*routes)[static_cast<std::size_t>(partition)];
  const AppendedRun run = sender_->accumulator().append_run(queue, records.first(length), now_ms, listener);
  if (run.is_ready) sender_->nudge(true);
  return run.count;
}

/// How many records may go the way of the first one, before so many bytes are used up. `goes_there`: of a record of the
/// same topic.
template <typename GoesThere>
std::size_t ProducerImpl::run_length(std::span<const Record> records, std::int64_t bytes_left,
                                     GoesThere goes_there) const {
  const std::size_t most = std::min(records.size(), kMostPerRun);
  const std::string_view topic = records.front().topic;
  for (std::size_t i = 0; i < most; ++i) {
    const Record& record = records[i];
    const bool same_topic =
        record.topic.size() == topic.size() && (record.topic.data() == topic.data() || record.topic == topic);
    if (i > 0 && !(same_topic && goes_there(record))) return i;
    const std::size_t payload = payload_bytes(record);
    const bool is_odd = payload + kMostOverheadBytes + 10 * record.headers.size() > most_record_bytes_ ||
                        (record.timestamp && record.timestamp->time_since_epoch().count() < 0);
    bytes_left -= static_cast<std::int64_t>(payload + kRecordOverheadBytes);
    if (is_odd || bytes_left < 0) return i;
  }
  return most;
}

}  // namespace barnabas::client
