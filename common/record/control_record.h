#pragma once

#include <cstdint>
#include <optional>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/record/batch_builder.h"

namespace barnabas::record {

/// What a record of a control batch says; its key holds version and type.
/// Source: Kafka's ControlRecordType.
enum class ControlRecordType : std::int16_t {
  abort = 0,
  commit = 1,
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  kraft_voters = 6,
  unknown = -1,
};

/// Type from a control record's key. A type that we do not know is `unknown`, as in Kafka.
/// Errors: invalid_record when the key is shorter than four bytes or its version negative.
Result<ControlRecordType> control_type_of(BytesView key);

/// The four bytes of a control record's key: version 0 and the type.
Bytes control_key(ControlRecordType type);

/// Value of a COMMIT or ABORT marker.
struct EndTxnMarker {
  std::int16_t version = 0;
  std::int32_t coordinator_epoch = 0;
};
/// Errors: invalid_record when cut short or the version is negative; what a later version adds is ignored.
Result<EndTxnMarker> read_end_txn_marker(BytesView value);

/// A whole control batch of one end-of-transaction marker.
Result<Bytes> end_txn_marker_batch(ControlRecordType type, std::int64_t timestamp_ms, std::int64_t producer_id,
                                   std::int16_t producer_epoch, std::int32_t coordinator_epoch,
                                   std::int64_t base_offset = 0, std::int32_t leader_epoch = kNoLeaderEpoch);

/// A whole control batch of one record whose value the caller has encoded (leader change, snapshot header and footer,
/// KRaft version and voters: the schemas of common/protocol).
Result<Bytes> control_batch(ControlRecordType type, BytesView value, std::int64_t timestamp_ms,
                            std::int64_t base_offset, std::int32_t leader_epoch);

}  // namespace barnabas::record
