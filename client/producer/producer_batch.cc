#include "client/producer/producer_batch.h"

namespace barnabas::client {
namespace {

/// Whether the records behind the run may be counted to it.
bool goes_on(const PendingRun& run, const Listener& listener, std::int32_t index) {
  return !listener.notes_each && run.callback == *listener.batch_callback && run.index + run.count == index &&
         run.position + static_cast<std::size_t>(run.count) == listener.position;
}

}  // namespace

void ProducerBatch::note(const Listener& listener, std::int64_t timestamp_ms, std::int32_t count) {
  const std::int32_t index = std::exchange(record_count, record_count + count);
  if (listener.callback != nullptr && *listener.callback) {
    callbacks.add(index, timestamp_ms, std::move(*listener.callback));
  } else if (listener.is_single()) {
    callbacks.add(index, timestamp_ms, [](const Delivery&) {});
  } else if (listener.batch_callback == nullptr) {
    return;
  } else if (!runs.empty() && goes_on(runs.back(), listener, index)) {
    runs.back().count += count;
  } else if (*listener.batch_callback) {
    const std::int64_t told_ms = listener.notes_each ? timestamp_ms : listener.call_ms;
    runs.push_back({index, count, listener.position, told_ms, *listener.batch_callback});
  }
}

}  // namespace barnabas::client
