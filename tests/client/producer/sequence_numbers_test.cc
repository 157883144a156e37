#include "client/producer/sequence_numbers.h"

#include <gtest/gtest.h>

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
constexpr ProducerIdentity kFirst{1000, 0};

TEST(PartitionSequence, counts_records_and_wraps_after_the_largest) {
  PartitionSequence sequence;
  EXPECT_EQ(sequence.assign(kFirst, 3).base, 0);
  EXPECT_EQ(sequence.assign(kFirst, 2147483640).base, 3);
  EXPECT_EQ(sequence.assign(kFirst, 10).base, 2147483643);
  EXPECT_EQ(sequence.assign(kFirst, 1).base, 5);
}

TEST(PartitionSequence, starts_at_0_under_a_new_identity) {
  PartitionSequence sequence;
  sequence.assign(kFirst, 3);
  const ProducerIdentity raised = next_epoch(kFirst);
  EXPECT_TRUE(sequence.is_stale(raised));
  EXPECT_EQ(sequence.assign(raised, 1).base, 0);
  EXPECT_FALSE(sequence.is_stale(raised));
}

TEST(PartitionSequence, a_batch_out_of_order_waits_for_the_one_before_it_and_a_gap_is_a_reset) {
  PartitionSequence sequence;
  const BatchSequence first = sequence.assign(kFirst, 5);
  const BatchSequence second = sequence.assign(kFirst, 5);
  EXPECT_EQ(sequence.on_error(ErrorCode::out_of_order_sequence_number, second, 0), SequenceVerdict::retry);
  sequence.on_delivered(first, 5, 4);
  EXPECT_EQ(sequence.on_error(ErrorCode::out_of_order_sequence_number, second, 0), SequenceVerdict::reset_retry);
}

TEST(PartitionSequence, a_batch_that_later_ones_overtook_starts_over_instead_of_waiting_for_a_turn_that_never_comes) {
  PartitionSequence sequence;
  const BatchSequence first = sequence.assign(kFirst, 5);
  const BatchSequence second = sequence.assign(kFirst, 5);
  const BatchSequence third = sequence.assign(kFirst, 5);
  sequence.on_delivered(second, 5, 4);
  EXPECT_EQ(sequence.on_error(ErrorCode::out_of_order_sequence_number, first, 0), SequenceVerdict::reset_retry);
  EXPECT_EQ(sequence.on_error(ErrorCode::out_of_order_sequence_number, third, 0), SequenceVerdict::reset_retry);
  const BatchSequence fourth = sequence.assign(kFirst, 5);
  EXPECT_EQ(sequence.on_error(ErrorCode::out_of_order_sequence_number, fourth, 0), SequenceVerdict::retry);
}

TEST(PartitionSequence, a_batch_that_may_be_stored_is_not_numbered_anew) {
  PartitionSequence sequence;
  const BatchSequence first = sequence.assign(kFirst, 5);
  const BatchSequence second = sequence.assign(kFirst, 5);
  const auto error = ErrorCode::out_of_order_sequence_number;
  EXPECT_EQ(sequence.on_error(error, second, 0, true), SequenceVerdict::retry);
  sequence.require_reset();  // the first one has failed: the second one's turn will not come
  EXPECT_EQ(sequence.on_error(error, second, 0, true), SequenceVerdict::fail);
  EXPECT_EQ(sequence.on_error(error, second, 0, false), SequenceVerdict::retry) << "and then under a new number";
  sequence.on_delivered(second, 5, 9);
  EXPECT_EQ(sequence.on_error(error, first, 0, true), SequenceVerdict::fail);
}

TEST(PartitionSequence, judges_errors_as_kafka_does) {
  PartitionSequence sequence;
  const BatchSequence batch = sequence.assign(kFirst, 5);
  EXPECT_EQ(sequence.on_error(ErrorCode::duplicate_sequence_number, batch, 0), SequenceVerdict::delivered);
  EXPECT_EQ(sequence.on_error(ErrorCode::unknown_producer_id, batch, -1), SequenceVerdict::retry);
  EXPECT_EQ(sequence.on_error(ErrorCode::unknown_producer_id, batch, 100), SequenceVerdict::reset_retry);
  EXPECT_EQ(sequence.on_error(ErrorCode::invalid_producer_epoch, batch, 0), SequenceVerdict::reset_retry);
  EXPECT_EQ(sequence.on_error(ErrorCode::not_leader_or_follower, batch, 0), SequenceVerdict::retry);
  EXPECT_EQ(sequence.on_error(ErrorCode::message_too_large, batch, 0), SequenceVerdict::fail);
  EXPECT_EQ(sequence.on_error(ErrorCode::invalid_producer_epoch, batch, 0, true), SequenceVerdict::fail);
}

TEST(NextEpoch, asks_for_a_new_id_after_the_largest_epoch) {
  EXPECT_EQ(next_epoch({7, 3}), (ProducerIdentity{7, 4}));
  EXPECT_FALSE(next_epoch({7, 32767}).is_known());
  EXPECT_FALSE(next_epoch({}).is_known());
}

}  // namespace
}  // namespace barnabas::client
