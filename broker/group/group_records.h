#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/protocol/messages/group_metadata_value.h"
#include "common/protocol/messages/offset_commit_value.h"

namespace barnabas::group {

/// What one record of __consumer_offsets says. Nothing in `value` is a tombstone.
struct OffsetRecord {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  std::optional<protocol::OffsetCommitValue> value;
};
struct ClassicGroupRecord {
  std::string group;
  std::optional<protocol::GroupMetadataValue> value;
};
/// What is written here.
using CoordinatorRecord = std::variant<OffsetRecord, ClassicGroupRecord>;

/// Of a kind that is not served here: the consumer, share and streams groups' records, and kinds to come.
struct ForeignRecord {
  std::int16_t kind = 0;
  std::string group;  ///< Empty where the key does not begin with one.
  std::string key;    ///< All of it.
  bool is_tombstone = false;
};
/// What may be read.
using ParsedRecord = std::variant<OffsetRecord, ClassicGroupRecord, ForeignRecord>;

/// Errors: corrupt_data for a key without a kind, and for a known key or value that does not read.
/// Source: Kafka's GroupCoordinatorRecordSerde.  Format: docs/formats/consumer_offsets.md.
Result<ParsedRecord> parse_record(BytesView key, std::optional<BytesView> value);

/// Makes bytes of records, each in the memory of the one before. The versions are those that Kafka 4.3 writes, so that
/// any Kafka since 2.1 reads them.
class RecordEncoder {
 public:
  void encode(const CoordinatorRecord& record);

  /// Of the last one, until the next.
  BytesView key() const noexcept { return key_.view(); }
  std::optional<BytesView> value() const noexcept {
    return is_tombstone_ ? std::nullopt : std::optional<BytesView>(value_.view());
  }
  std::size_t capacity_bytes() const noexcept { return key_.capacity() + value_.capacity(); }

 private:
  void put(const OffsetRecord& record);
  void put(const ClassicGroupRecord& record);

  Writer key_;
  Writer value_;
  bool is_tombstone_ = true;
};

}  // namespace barnabas::group
