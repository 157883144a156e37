#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/protocol/messages/group_metadata_value.h"
#include "common/protocol/messages/offset_commit_value.h"

namespace barnabas::group {

/// One record of __consumer_offsets; without a value it is a tombstone.
struct CoordinatorRecord {
  Bytes key;
  std::optional<Bytes> value;
};

/// What one record says. Nothing in `value` is a tombstone.
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
/// Of a kind that is not served here: the consumer, share and streams groups' records, and kinds to come.
struct ForeignRecord {
  std::int16_t kind = 0;
  std::string group;  ///< Empty where the key does not begin with one.
  std::string key;    ///< All of it.
  bool is_tombstone = false;
};
using ParsedRecord = std::variant<OffsetRecord, ClassicGroupRecord, ForeignRecord>;

/// Errors: corrupt_data for a key without a kind, and for a known key or value that does not read.
/// Source: Kafka's GroupCoordinatorRecordSerde.  Format: docs/formats/consumer_offsets.md.
Result<ParsedRecord> parse_record(BytesView key, std::optional<BytesView> value);

/// The versions are those that Kafka 4.3 writes, so that any Kafka since 2.1 reads them.
CoordinatorRecord group_metadata_record(std::string_view group, const protocol::GroupMetadataValue& value);
CoordinatorRecord group_tombstone(std::string_view group);
CoordinatorRecord offset_commit_record(std::string_view group, std::string_view topic, std::int32_t partition,
                                       const protocol::OffsetCommitValue& value);
CoordinatorRecord offset_tombstone(std::string_view group, std::string_view topic, std::int32_t partition);

/// Where a group's records are: the absolute value of Java's hash of its id, modulo. Source: Kafka's partitionFor.
std::int32_t partition_of(std::string_view group, std::int32_t partition_count) noexcept;

}  // namespace barnabas::group
