#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/bytes/bytes.h"
#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"

namespace barnabas::metadata {

/// The value of one record of __cluster_metadata: an unsigned varint each of frame version, record type and record
/// version, then the record's body. Format: docs/formats/cluster_metadata.md.
constexpr std::uint32_t kFrameVersion = 1;

struct RecordFrame {
  std::int16_t type = 0;
  std::int16_t version = 0;
  BytesView body;  ///< Borrowed from the framed bytes.
};

/// Errors: corrupt_data when cut short; unsupported_version for another frame version.
Result<RecordFrame> read_record_frame(BytesView framed);

/// The framed bytes of a generated metadata record.
template <typename Record>
Bytes frame_record(const Record& record, std::int16_t version) {
  Writer out;
  out.unsigned_varint(kFrameVersion);
  out.unsigned_varint(static_cast<std::uint32_t>(Record::kRecordType));
  out.unsigned_varint(static_cast<std::uint32_t>(version));
  // Fails only for a version that the record does not have: our own mistake.
  if (!record.encode(out, version)) std::abort();
  return out.take();
}

/// The generated record in a frame.
/// Errors: what the decoder finds; corrupt_data for bytes left over.
template <typename Record>
Result<Record> decode_record(const RecordFrame& frame) {
  Reader in(frame.body);
  Result<Record> record = Record::decode(in, frame.version);
  if (!record) return record;
  if (in.remaining() != 0) {
    return failure(Errc::corrupt_data, "metadata record of type " + std::to_string(frame.type) + ": bytes left over");
  }
  return record;
}

/// Record types as the log numbers them; the names are Kafka's without "Record".
enum class RecordType : std::int16_t {
  register_broker = 0,
  unregister_broker = 1,
  topic = 2,
  partition = 3,
  config = 4,
  partition_change = 5,
  fence_broker = 7,
  unfence_broker = 8,
  remove_topic = 9,
  delegation_token = 10,
  user_scram_credential = 11,
  feature_level = 12,
  client_quota = 14,
  producer_ids = 15,
  broker_registration_change = 17,
  access_control_entry = 18,
  remove_access_control_entry = 19,
  no_op = 20,
  zk_migration_state = 21,
  remove_user_scram_credential = 22,
  begin_transaction = 23,
  end_transaction = 24,
  abort_transaction = 25,
  remove_delegation_token = 26,
  register_controller = 27,
  clear_elr = 28,
};

/// Versions written under metadata.version 4.3-IV0, the one that a fresh directory gets.
namespace record_version {
constexpr std::int16_t kRegisterBroker = 4;
constexpr std::int16_t kBrokerRegistrationChange = 3;
constexpr std::int16_t kPartition = 2;
constexpr std::int16_t kPartitionChange = 2;
constexpr std::int16_t kOthers = 0;
}  // namespace record_version

}  // namespace barnabas::metadata
