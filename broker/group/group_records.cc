#include "broker/group/group_records.h"

#include <utility>

#include "common/bytes/reader.h"
#include "common/protocol/messages/group_metadata_key.h"
#include "common/protocol/messages/offset_commit_key.h"

namespace barnabas::group {
namespace {

constexpr std::int16_t kLegacyOffsetKind = 0;
constexpr std::int16_t kOffsetKind = 1;
constexpr std::int16_t kGroupKind = 2;
constexpr std::int16_t kKeyVersion = 0;
constexpr std::int16_t kOffsetValueVersion = 3;
constexpr std::int16_t kExpiringOffsetValueVersion = 1;  // the only one that has an expiry time
constexpr std::int16_t kGroupValueVersion = 3;

/// A value begins with its version. What the encoder could refuse (a text above 32767 bytes) came in through the same
/// fields of a request.
template <typename Message>
void put_value(Writer& out, const Message& message, std::int16_t version) {
  out.int16(version);
  [[maybe_unused]] const auto done = message.encode(out, version);
}

template <typename Value>
Result<std::optional<Value>> read_value(std::optional<BytesView> bytes) {
  if (!bytes) return std::optional<Value>();
  Reader in(*bytes);
  const std::int16_t version = in.int16();
  if (in.failed() || version < Value::kMinVersion || version > Value::kMaxVersion) {
    return failure(Errc::corrupt_data, std::string(Value::kName) + " of version " + std::to_string(version));
  }
  Result<Value> value = Value::decode(in, version);
  if (!value) return failure(std::move(value.error()));
  return std::optional<Value>(std::move(*value));
}

Result<ParsedRecord> parse_offset(Reader& in, std::optional<BytesView> value) {
  auto key = protocol::OffsetCommitKey::decode(in, kKeyVersion);
  if (!key) return failure(std::move(key.error()));
  auto read = read_value<protocol::OffsetCommitValue>(value);
  if (!read) return failure(std::move(read.error()));
  return OffsetRecord{std::move(key->group), std::move(key->topic), key->partition, std::move(*read)};
}

Result<ParsedRecord> parse_group(Reader& in, std::optional<BytesView> value) {
  auto key = protocol::GroupMetadataKey::decode(in, kKeyVersion);
  if (!key) return failure(std::move(key.error()));
  auto read = read_value<protocol::GroupMetadataValue>(value);
  if (!read) return failure(std::move(read.error()));
  return ClassicGroupRecord{std::move(key->group), std::move(*read)};
}

}  // namespace

Result<ParsedRecord> parse_record(BytesView key, std::optional<BytesView> value) {
  Reader in(key);
  const std::int16_t kind = in.int16();
  if (in.failed()) return failure(Errc::corrupt_data, "a key of " + std::to_string(key.size()) + " bytes");
  if (kind == kLegacyOffsetKind || kind == kOffsetKind) return parse_offset(in, value);
  if (kind == kGroupKind) return parse_group(in, value);
  ForeignRecord foreign;
  foreign.kind = kind;
  foreign.key = as_text(key);
  foreign.is_tombstone = !value;
  std::string group = in.string();  // every kind so far begins with it
  if (!in.failed()) foreign.group = std::move(group);
  return foreign;
}

void RecordEncoder::encode(const CoordinatorRecord& record) {
  key_.clear();
  value_.clear();
  std::visit([this](const auto& one) { put(one); }, record);
}

/// The keys field by field: as messages they would copy the names.
void RecordEncoder::put(const OffsetRecord& record) {
  key_.int16(kOffsetKind);
  key_.string(record.group);
  key_.string(record.topic);
  key_.int32(record.partition);
  is_tombstone_ = !record.value;
  if (is_tombstone_) return;
  const bool expires = record.value->expire_timestamp != -1;
  put_value(value_, *record.value, expires ? kExpiringOffsetValueVersion : kOffsetValueVersion);
}

void RecordEncoder::put(const ClassicGroupRecord& record) {
  key_.int16(kGroupKind);
  key_.string(record.group);
  is_tombstone_ = !record.value;
  if (!is_tombstone_) put_value(value_, *record.value, kGroupValueVersion);
}

}  // namespace barnabas::group
