#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/protocol/errors.h"
#include "common/record/batch_header.h"

namespace barnabas::client {

/// Under which a broker knows an idempotent producer.
struct ProducerIdentity {
  std::int64_t id = record::kNoProducerId;
  std::int16_t epoch = record::kNoProducerEpoch;

  bool is_known() const noexcept { return id != record::kNoProducerId; }
  bool operator==(const ProducerIdentity&) const = default;
};

/// The place of one batch in its partition's sequence.
struct BatchSequence {
  ProducerIdentity identity;
  std::int32_t base = record::kNoSequence;
  bool is_assigned() const noexcept { return base != record::kNoSequence; }
};

/// What to do with a batch that a broker answered with an error.
enum class SequenceVerdict {
  retry,        ///< Send it again as it is.
  reset_retry,  ///< Raise the epoch, number this partition's batches anew from 0, and send it again.
  delivered,    ///< The broker has it already (DUPLICATE_SEQUENCE_NUMBER): delivered, offset unknown.
  fail,         ///< Not by retrying; a failed batch leaves a gap, so the epoch is raised for what follows.
};

/// Sequence numbers of one partition: a machine without I/O.
/// Threads: the reactor's.  Source: Kafka's TransactionManager and TxnPartitionMap, KIP-360.
class PartitionSequence {
 public:
  /// Numbers the next batch. `identity` is the producer's present one; a new one starts at 0 (call only while nothing
  /// of the old one is in flight: see needs_drain()).
  BatchSequence assign(const ProducerIdentity& identity, std::int32_t record_count);
  /// Numbers are given under another identity than the present one: what is in flight must be answered first.
  bool is_stale(const ProducerIdentity& identity) const noexcept {
    return identity_.is_known() && !(identity_ == identity);
  }
  /// The broker knows this producer and checks what follows. A log that does not takes any number, also a later one.
  bool is_known_to_broker() const noexcept { return last_acked_ != record::kNoSequence; }
  void on_delivered(const BatchSequence& batch, std::int32_t record_count, std::int64_t last_offset);
  /// `log_start_offset` -1: the answer did not say. `may_be_stored`: an earlier attempt may have reached the log; then
  /// the batch is numbered anew only where that is ruled out.
  SequenceVerdict on_error(protocol::ErrorCode error, const BatchSequence& batch, std::int64_t log_start_offset,
                           bool may_be_stored = false) const;

  /// A batch is gone whose numbers the broker may or may not have seen: before anything else is sent the epoch must be
  /// raised, once nothing is in flight.
  void require_reset() noexcept { reset_required_ = true; }
  bool is_reset_required() const noexcept { return reset_required_; }
  /// Starts again at 0 under this identity.
  void reset(const ProducerIdentity& identity);

 private:
  bool is_next(const BatchSequence& batch) const noexcept;
  /// Whether a batch with later numbers has been acknowledged.
  bool is_past(const BatchSequence& batch) const noexcept;

  ProducerIdentity identity_;
  std::int32_t next_ = 0;
  std::int32_t last_acked_ = record::kNoSequence;
  std::int64_t last_acked_offset_ = -1;
  bool reset_required_ = false;
};

/// Raises the epoch, or forgets the id where the epoch is the largest: a new id must be asked for then.
ProducerIdentity next_epoch(const ProducerIdentity& identity) noexcept;

}  // namespace barnabas::client
