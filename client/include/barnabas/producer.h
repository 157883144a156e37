#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/delivery.h"
#include "barnabas/error.h"
#include "barnabas/export.h"
#include "barnabas/interceptor.h"
#include "barnabas/logging.h"
#include "barnabas/metrics.h"
#include "barnabas/partitioner.h"
#include "barnabas/record.h"
#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
namespace client {
class ProducerImpl;
}
inline namespace v0 {

/// What a producer takes beside its settings.
struct ProducerOptions {
  Runtime runtime{};                  ///< Default: a thread of its own.
  LogSink log{};                      ///< Default: warnings to standard error.
  PartitionerFunction partitioner{};  ///< Default: as `partitioner.class` says.
  std::vector<std::shared_ptr<ProducerInterceptor>> interceptors{};
  MetricsSink<ProducerMetrics> metrics{};  ///< Default: only metrics() tells.
};

/// Sends records to topics. One producer serves a whole program: it batches per partition and keeps their order.
/// Threads: all functions may be called from any thread, several at a time. Blocking ones (send when the buffer is
/// full, send_sync, flush, close, partitions_for) fail with Errc::would_deadlock on the client's own reactor thread.
/// Errors: synchronous functions throw barnabas::Error.
class BARNABAS_API Producer {
 public:
  /// Checks the settings and starts; connects in the background.
  /// Errors: Errc::invalid_config names the setting, and the nearest known name.
  explicit Producer(Config config, ProducerOptions options = {});
  /// Fails what is unsent, runs its callbacks and logs how many; never hangs. Call flush() or close() first to deliver
  /// all.
  ~Producer();
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;

  /// The fast path: copies the record into its partition's batch and returns; `callback` gets what became of it.
  /// Blocks up to max.block.ms while the topic's metadata is unknown or buffer.memory is used up. Allocates nothing per
  /// record. Errors: thrown, and then the callback is not called: invalid topic or partition, record above
  /// max.request.size, Errc::timed_out after max.block.ms, Errc::closed.
  void send(const Record& record, DeliveryCallback callback = {});

  /// The fastest path, for who has several records at hand: takes them in order, as send() would one by one, for a
  /// third of its CPU where many of them go to the same partition. Those without a time stamp get that of the call.
  /// `callback` gets what became of them, for many at a time. Blocks as send() does.
  /// Allocates once, for a callback. Errors: thrown, for the first record that cannot be taken; see SendBatchError.
  void send_batch(std::span<const Record> records, BatchDeliveryCallback callback = {});

  /// Sends and waits for the broker's answer (at most max.block.ms + delivery.timeout.ms). Throws when the record was
  /// not stored.
  Delivery send_sync(const Record& record);

  /// Sends, suspending where send() would block; completes with void(std::error_code, Delivery). Any Asio completion
  /// token. Defined in producer_async.h. With a lazy token (use_awaitable) the record is read when the operation is
  /// started.
  template <typename CompletionToken>
  auto async_send(const Record& record, CompletionToken&& token);

  /// Sends all batches now and waits until every record taken so far has been delivered or has failed.
  /// Errors: Errc::timed_out when that took longer; the records stay under way.
  void flush();
  void flush(std::chrono::milliseconds timeout);
  /// void(std::error_code). Defined in producer_async.h.
  template <typename CompletionToken>
  auto async_flush(CompletionToken&& token);

  /// The partitions of a topic, by number; waits for metadata up to max.block.ms.
  std::vector<PartitionInfo> partitions_for(const std::string& topic);

  /// Takes no more records, delivers what is there within `timeout`, fails the rest and ends. May be called twice.
  void close(std::chrono::milliseconds timeout = std::chrono::seconds(30));

  /// What records wait for, in words: per partition the cause, since when, and the last error; and what sends wait
  /// for. Threads: any. Returns within a second, also where the user's executor does not run.
  std::string explain() const;

  ProducerMetrics metrics() const;

  /// For the library's own templates.
  client::ProducerImpl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<client::ProducerImpl> impl_;
};

}  // namespace v0
}  // namespace barnabas
