#include "common/record/control_record.h"

#include "common/bytes/big_endian.h"
#include "common/protocol/errors.h"

namespace barnabas::record {
namespace {

constexpr std::size_t kKeyBytes = 4;
constexpr std::size_t kEndTxnBytes = 6;

tl::unexpected<Failure> invalid(std::string why) {
  return failure(protocol::ErrorCode::invalid_record, std::move(why));
}

Result<Bytes> one_record(BatchOptions options, ControlRecordType type, BytesView value, std::int64_t timestamp_ms) {
  options.control = true;
  BatchBuilder builder(options);
  const Bytes key = control_key(type);
  builder.append({.timestamp_ms = timestamp_ms, .key = BytesView(key), .value = value, .headers = {}});
  return builder.finish();
}

}  // namespace

Result<ControlRecordType> control_type_of(BytesView key) {
  if (key.size() < kKeyBytes) return invalid("control record key of " + std::to_string(key.size()) + " bytes");
  const auto version = big_endian::load<std::int16_t>(key.data());
  if (version < 0) return invalid("control record key version " + std::to_string(version));
  const auto type = big_endian::load<std::int16_t>(key.data() + 2);
  const bool known = type >= 0 && type <= static_cast<std::int16_t>(ControlRecordType::kraft_voters);
  return known ? static_cast<ControlRecordType>(type) : ControlRecordType::unknown;
}

Bytes control_key(ControlRecordType type) {
  Bytes key(kKeyBytes);
  big_endian::store<std::int16_t>(key.data(), 0);
  big_endian::store(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

Result<EndTxnMarker> read_end_txn_marker(BytesView value) {
  if (value.size() < kEndTxnBytes) return invalid("end-of-transaction marker cut short");
  EndTxnMarker marker;
  marker.version = big_endian::load<std::int16_t>(value.data());
  if (marker.version < 0) return invalid("end-of-transaction marker version " + std::to_string(marker.version));
  marker.coordinator_epoch = big_endian::load<std::int32_t>(value.data() + 2);
  return marker;
}

Result<Bytes> end_txn_marker_batch(ControlRecordType type, std::int64_t timestamp_ms, std::int64_t producer_id,
                                   std::int16_t producer_epoch, std::int32_t coordinator_epoch,
                                   std::int64_t base_offset, std::int32_t leader_epoch) {
  Bytes value(kEndTxnBytes);
  big_endian::store<std::int16_t>(value.data(), 0);
  big_endian::store(value.data() + 2, coordinator_epoch);
  BatchOptions options;
  options.base_offset = base_offset;
  options.partition_leader_epoch = leader_epoch;
  options.producer_id = producer_id;
  options.producer_epoch = producer_epoch;
  options.transactional = true;
  return one_record(options, type, value, timestamp_ms);
}

Result<Bytes> control_batch(ControlRecordType type, BytesView value, std::int64_t timestamp_ms,
                            std::int64_t base_offset, std::int32_t leader_epoch) {
  BatchOptions options;
  options.base_offset = base_offset;
  options.partition_leader_epoch = leader_epoch;
  return one_record(options, type, value, timestamp_ms);
}

}  // namespace barnabas::record
