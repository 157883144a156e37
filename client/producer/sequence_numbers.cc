#include "client/producer/sequence_numbers.h"

#include <limits>

namespace barnabas::client {

using protocol::ErrorCode;

BatchSequence PartitionSequence::assign(const ProducerIdentity& identity, std::int32_t record_count) {
  if (!(identity_ == identity)) reset(identity);
  const BatchSequence batch{identity_, next_};
  next_ = record::increment_sequence(next_, record_count);
  return batch;
}

void PartitionSequence::reset(const ProducerIdentity& identity) {
  identity_ = identity;
  next_ = 0;
  last_acked_ = record::kNoSequence;
  reset_required_ = false;
}

void PartitionSequence::on_delivered(const BatchSequence& batch, std::int32_t record_count, std::int64_t last_offset) {
  if (!batch.is_assigned() || !(batch.identity == identity_)) return;
  last_acked_ = record::increment_sequence(batch.base, record_count - 1);
  if (last_offset > last_acked_offset_) last_acked_offset_ = last_offset;
}

bool PartitionSequence::is_next(const BatchSequence& batch) const noexcept {
  if (last_acked_ == record::kNoSequence) return batch.base == 0;
  return batch.base == record::increment_sequence(last_acked_, 1);
}

bool PartitionSequence::is_past(const BatchSequence& batch) const noexcept {
  // Numbers wrap at 2^31: what lies less than half the circle behind is the past.
  const auto behind = static_cast<std::uint32_t>(last_acked_) - static_cast<std::uint32_t>(batch.base);
  return last_acked_ != record::kNoSequence && (behind & 0x7fffffffU) < 0x40000000U;
}

SequenceVerdict PartitionSequence::on_error(ErrorCode error, const BatchSequence& batch, std::int64_t log_start_offset,
                                            bool may_be_stored) const {
  if (error == ErrorCode::duplicate_sequence_number) return SequenceVerdict::delivered;
  if (error == ErrorCode::unknown_producer_id) {
    // Without a log start offset we cannot tell whether the broker lost us or retention did: asking again tells.
    if (log_start_offset == -1 || !(batch.identity == identity_)) return SequenceVerdict::retry;
    return SequenceVerdict::reset_retry;
  }
  if (error == ErrorCode::out_of_order_sequence_number) {
    // An earlier batch is being sent again: this one's turn comes after it. If it is itself the next, there is a gap.
    // If later ones have been stored already (a broker that did not know us yet took them first), its turn never comes.
    if (!(batch.identity == identity_)) return SequenceVerdict::retry;
    if (is_next(batch)) return SequenceVerdict::reset_retry;
    // Its predecessor failed, or the broker has forgotten so far back: whether an attempt was stored nobody can tell.
    if (may_be_stored && (reset_required_ || is_past(batch))) return SequenceVerdict::fail;
    return is_past(batch) ? SequenceVerdict::reset_retry : SequenceVerdict::retry;
  }
  if (error == ErrorCode::invalid_producer_epoch) {
    return may_be_stored ? SequenceVerdict::fail : SequenceVerdict::reset_retry;
  }
  return protocol::is_retriable(error) ? SequenceVerdict::retry : SequenceVerdict::fail;
}

ProducerIdentity next_epoch(const ProducerIdentity& identity) noexcept {
  if (!identity.is_known() || identity.epoch == std::numeric_limits<std::int16_t>::max()) return {};
  return {identity.id, static_cast<std::int16_t>(identity.epoch + 1)};
}

}  // namespace barnabas::client
