#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/record/batch_header.h"

namespace barnabas::protocol {
enum class ErrorCode : std::int16_t;
}

namespace barnabas::record {

/// Who appends: only what comes from a client is held to the client's rules.
enum class AppendOrigin { client, coordinator, raft_leader, replication };

/// What the topic and the moment ask of a batch.
struct ValidationRules {
  std::string_view topic_partition;  ///< "orders-3", for messages; borrowed for the call.
  std::int64_t now_ms = 0;
  TimestampType timestamp_type = TimestampType::create_time;  ///< message.timestamp.type
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3'600'000;
  bool compacted = false;  ///< cleanup.policy holds compact: every record needs a key.
  std::int32_t leader_epoch = kNoLeaderEpoch;
  AppendOrigin origin = AppendOrigin::client;
};

/// One record that was refused, as a Produce response (v8+) lists it.
struct RecordError {
  std::int32_t batch_index = 0;
  std::string message;
};

/// Kafka's error code for the partition, with its text, and the records at fault where single ones are.
struct ValidationFailure {
  protocol::ErrorCode code;
  std::string message;
  std::vector<RecordError> record_errors;
};

/// What the log needs to know of a batch that may be appended.
struct ValidatedBatch {
  std::int64_t next_offset = 0;
  std::int64_t max_timestamp_ms = kNoTimestamp;  ///< As the header now says.
  std::int32_t record_count = 0;
};

/// The checks of a Produce request before anything is appended: exactly one whole batch, of magic 2, and zstd only from
/// version 7 on. Gives the batch's bytes; an incomplete second batch behind it is left out.
/// Source: Kafka's ProduceRequest.validateRecords.
tl::expected<BytesView, ValidationFailure> check_produce_records(BytesView records, std::int16_t produce_version);

/// Checks one batch as Kafka's LogValidator does and, if all is well, stamps base offset, leader epoch and timestamps
/// in place (the checksum is put right only when a timestamp changed). Compressed records are streamed through a small
/// window. The checksum itself is not looked at: call BatchView::ensure_valid() first, as the broker does.
/// Errors: the batch is untouched.  Threads: any; blocks for the decompression.
tl::expected<ValidatedBatch, ValidationFailure> validate_and_stamp(MutableBytesView batch, std::int64_t base_offset,
                                                                   const ValidationRules& rules);

/// The same batch with its records under another codec: what a topic's compression.type may ask of the broker.
/// Errors: as validate_and_stamp for records that cannot be read; `limit_bytes` bounds the plain size.
tl::expected<Bytes, ValidationFailure> recompress(BytesView batch, CompressionType target, int level,
                                                  std::size_t limit_bytes);

/// The Kafka error that stands for a failure of this library: its own code, or unknown_server_error for local ones, as
/// Kafka answers for exceptions outside its table.
protocol::ErrorCode kafka_error_of(const Failure& why) noexcept;

}  // namespace barnabas::record
