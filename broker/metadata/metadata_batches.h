#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/metadata/image.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/record/control_record.h"

namespace barnabas::metadata {

/// A control record to write: leader change, snapshot header and footer, KRaft version and voters.
struct ControlValue {
  record::ControlRecordType type = record::ControlRecordType::unknown;
  Bytes value;
};

/// One record as it stands in the metadata log or in a snapshot.
struct VisitedRecord {
  std::int64_t offset = 0;
  std::int32_t epoch = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<record::ControlRecordType> control;  ///< Nothing: a metadata record, framed.
  BytesView value;                                   ///< Borrowed for the call.
};

/// Calls `visit` for every record of whole batches back to back; stops at its first failure. Returns how many bytes
/// were whole batches: fewer than all when the last one is cut short. Errors: those of the record room for a batch that
/// has a wrong checksum or does not read.
Result<std::size_t> visit_batches(BytesView batches, const std::function<Result<void>(const VisitedRecord&)>& visit);

/// One batch of framed metadata records.
Result<Bytes> metadata_batch(std::span<const Bytes> records, std::int64_t base_offset, std::int32_t epoch,
                             std::int64_t timestamp_ms);
Result<Bytes> control_records_batch(std::span<const ControlValue> records, std::int64_t base_offset, std::int32_t epoch,
                                    std::int64_t timestamp_ms);

/// The values of the control records of a quorum of one.
ControlValue leader_change_value(std::int32_t leader_id);
ControlValue kraft_version_value();
ControlValue kraft_voters_value(std::int32_t voter_id, const Uuid& directory_id, const Endpoint& controller);

/// A whole `.checkpoint` file: header (with KRaft version and voters where they are given), records, footer.
/// `last_contained_timestamp_ms` is that of the last log record in it, 0 where there was none.
Result<Bytes> snapshot_file(std::span<const Bytes> records, std::span<const ControlValue> quorum, std::int32_t epoch,
                            std::int64_t last_contained_timestamp_ms, std::int64_t now_ms);

/// "00000000000000000125-0000000001.checkpoint": all before this offset is in it, the last of it of this epoch.
struct SnapshotId {
  std::int64_t end_offset = 0;
  std::int32_t epoch = 0;

  std::string file_name() const;
  /// Nothing for the name of another file.
  static std::optional<SnapshotId> parse(const std::string& file_name);
  friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;
};

}  // namespace barnabas::metadata
