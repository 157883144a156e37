#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/delivery.h"
#include "client/producer/pending_callbacks.h"
#include "client/producer/sequence_numbers.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/record/batch_builder.h"
#include "common/runtime/clock.h"

namespace barnabas::client {

struct PartitionQueue;

/// The callback of one send_batch(), shared by the batches that its records are in.
using SharedBatchCallback = std::shared_ptr<BatchDeliveryCallback>;

/// Records of one send_batch() that lie next to each other, in the call and in their batch.
struct PendingRun {
  std::int32_t index = 0;  ///< Of the first in its batch.
  std::int32_t count = 0;
  std::size_t position = 0;       ///< Of the first in the call.
  std::int64_t timestamp_ms = 0;  ///< Of those without one of their own.
  SharedBatchCallback callback;
};

/// Who hears of a record, or of several that are taken one behind the other.
struct Listener {
  DeliveryCallback* callback = nullptr;                 ///< Of send(); moved from when the record is taken.
  const SharedBatchCallback* batch_callback = nullptr;  ///< Of send_batch(), which has no `callback`.
  std::size_t position = 0;                             ///< In the call of send_batch().
  std::int64_t call_ms = 0;                             ///< Time stamp of the call's records without one.
  bool notes_each = false;                              ///< Interceptors hear of each record, with or without callback.

  /// Whether the record, which is the only one of its kind, has a place among the batch's callbacks.
  bool is_single() const noexcept {
    return callback != nullptr ? notes_each || *callback : notes_each && !*batch_callback;
  }
};

enum class BatchState : std::uint8_t {
  open,     ///< Takes records.
  sealing,  ///< Full, or about to be sent; somebody compresses it outside the lock.
  sealed    ///< Its bytes are ready.
};

/// Records of one partition on their way: filled by application threads, sent by the reactor.
/// Threads: under its queue's mutex while it is queued; the reactor's once it was taken out; the sealer's while
/// sealing.
struct ProducerBatch {
  PartitionQueue* queue = nullptr;
  std::uint64_t number =
      0;  ///< Grows with creation, over all partitions: what keeps order on retry, and what flush waits for.
  BatchState state = BatchState::open;
  bool is_full = false;
  record::BatchBuilder builder;
  std::shared_ptr<Bytes> bytes;        ///< Set when sealed; shared with a write that is still under way.
  std::shared_ptr<Bytes> spare_bytes;  ///< Of an earlier life, empty: to become `bytes` without an allocation.
  Failure seal_failure;                ///< Why it could not be compressed; an empty code where it could.
  PendingCallbacks callbacks;          ///< Of send().
  std::vector<PendingRun> runs;        ///< As `callbacks` by index; a record is in one of the two at most.
  std::int32_t record_count = 0;
  std::size_t reserved_bytes = 0;  ///< Of the byte budget.

  runtime::MonotonicTime created_at{};
  runtime::MonotonicTime deadline{};  ///< delivery.timeout.ms after creation.
  runtime::MonotonicTime retry_at{};
  int attempts = 0;
  bool retries_at_once = false;  ///< The last answer named another leader.
  /// An attempt ended without an answer that says what became of it: under another number it might be stored twice.
  bool may_be_stored = false;
  BatchSequence sequence;                          ///< Assigned when it is first sent.
  BatchSequence stamped;                           ///< What its bytes say.
  Failure last_failure;                            ///< Of the last attempt.
  std::shared_ptr<const std::string> last_broker;  ///< To whom it went.

  /// `count` records were appended to the builder, and are to be counted and noted.
  void note(const Listener& listener, std::int64_t timestamp_ms, std::int32_t count);
};

using BatchPtr = std::unique_ptr<ProducerBatch>;

}  // namespace barnabas::client
