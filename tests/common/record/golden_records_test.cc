#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <map>

#include "common/protocol/errors.h"
#include "common/record/batch_view.h"
#include "common/record/control_record.h"
#include "common/record/validator.h"
#include "tests/support/golden.h"

namespace barnabas::record {
namespace {

using nlohmann::json;
using protocol::ErrorCode;
using testing::from_base64;
using testing::to_base64;
using testing::to_hex;

constexpr std::size_t kPlentyBytes = 64 * 1024 * 1024;

const std::vector<json>& vectors() {
  static const std::vector<json> lines = testing::golden_lines("records.jsonl");
  return lines;
}

/// What a Java exception becomes on the wire: Kafka's Errors.forException.
ErrorCode code_of_exception(const std::string& text) {
  static const std::map<std::string, ErrorCode> codes{
      {"CorruptRecordException", ErrorCode::corrupt_message},
      {"InvalidRecordException", ErrorCode::invalid_record},
      {"InvalidTimestampException", ErrorCode::invalid_timestamp},
      {"UnsupportedCompressionTypeException", ErrorCode::unsupported_compression_type}};
  if (text == "ok") return ErrorCode::none;
  const std::string name = text.substr(0, text.find(':'));
  const auto found = codes.find(name.substr(name.rfind('.') + 1));
  return found == codes.end() ? ErrorCode::unknown_server_error : found->second;
}

std::string sha256_hex(BytesView bytes) {
  Bytes digest(SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

/// null, base64, or {length, sha256} for the long ones.
void expect_field(const std::optional<BytesView>& field, const json& expected, const char* what) {
  ASSERT_EQ(field.has_value(), !expected.is_null()) << what;
  if (!field) return;
  if (expected.is_object()) {
    EXPECT_EQ(field->size(), expected["length"].get<std::size_t>()) << what;
    EXPECT_EQ(sha256_hex(*field), expected["sha256"].get<std::string>()) << what;
  } else {
    EXPECT_EQ(to_base64(*field), expected.get<std::string>()) << what;
  }
}

void expect_header(const BatchHeader& header, const json& expected) {
  EXPECT_EQ(header.size_bytes(), expected["sizeInBytes"].get<std::size_t>());
  EXPECT_EQ(header.base_offset, expected["baseOffset"].get<std::int64_t>());
  EXPECT_EQ(header.last_offset(), expected["lastOffset"].get<std::int64_t>());
  EXPECT_EQ(header.next_offset(), expected["nextOffset"].get<std::int64_t>());
  EXPECT_EQ(header.batch_length, expected["lengthField"].get<std::int32_t>());
  EXPECT_EQ(header.partition_leader_epoch, expected["partitionLeaderEpoch"].get<std::int32_t>());
  EXPECT_EQ(static_cast<std::uint16_t>(header.attributes), expected["attributes"].get<std::int32_t>() & 0xffff);
  EXPECT_EQ(header.base_timestamp_ms, expected["baseTimestamp"].get<std::int64_t>());
  EXPECT_EQ(std::to_string(header.max_timestamp_ms), expected["maxTimestamp"].get<std::string>());
  EXPECT_EQ(header.crc, expected["crc"].get<std::uint32_t>());
  EXPECT_EQ(header.is_transactional(), expected["isTransactional"].get<bool>());
  EXPECT_EQ(header.is_control(), expected["isControl"].get<bool>());
  EXPECT_EQ(header.has_delete_horizon(), !expected["deleteHorizonMs"].is_null());
  EXPECT_EQ(header.producer_id, expected["producerId"].get<std::int64_t>());
  EXPECT_EQ(header.producer_epoch, expected["producerEpoch"].get<std::int16_t>());
  EXPECT_EQ(header.base_sequence, expected["baseSequence"].get<std::int32_t>());
  EXPECT_EQ(header.last_sequence(), expected["lastSequence"].get<std::int32_t>());
  EXPECT_EQ(header.record_count, expected["count"].get<std::int32_t>());
  if (header.is_known_compression()) {
    EXPECT_EQ(to_string(header.compression()), expected["compression"].get<std::string>());
  }
}

void expect_record(const BatchHeader& header, const RecordView& record, const json& expected) {
  EXPECT_EQ(record.offset, expected["offset"].get<std::int64_t>());
  EXPECT_EQ(record.timestamp_ms, expected["timestamp"].get<std::int64_t>());
  EXPECT_EQ(record.size_bytes, expected["sizeInBytes"].get<std::int32_t>());
  expect_field(record.key, expected["key"], "key");
  expect_field(record.value, expected["value"], "value");
  ASSERT_EQ(record.headers.size(), expected["headers"].size());
  std::size_t i = 0;
  for (const HeaderView& view : record.headers) {
    const json& wanted = expected["headers"][i++];
    // A header key that is no UTF-8 has become U+FFFD in the vector's JSON.
    if (wanted["key"] != "\xEF\xBF\xBD") {
      EXPECT_EQ(view.key, wanted["key"].get<std::string>());
    }
    expect_field(view.value, wanted["value"], "header value");
  }
  if (expected.contains("controlType") && header.is_control() && record.key) {
    static const std::array<std::string, 7> names{
        "ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"};
    const auto type = control_type_of(*record.key);
    ASSERT_TRUE(type);
    const std::string name =
        *type == ControlRecordType::unknown ? "UNKNOWN" : names.at(static_cast<std::size_t>(*type));
    EXPECT_EQ(name, expected["controlType"].get<std::string>());
  }
}

/// Reads the batch's records; gives the error that ended it.
ErrorCode expect_records(const BatchView& batch, const json& expected) {
  Bytes scratch;
  const auto plain = batch.plain_records(scratch, kPlentyBytes);
  if (!plain) return kafka_error_of(plain.error());
  RecordReader reader = batch.reader(*plain);
  std::size_t i = 0;
  for (RecordView record;;) {
    const auto more = reader.next(record);
    if (!more) return kafka_error_of(more.error());
    if (!*more) break;
    if (i >= expected["records"].size()) {
      ADD_FAILURE() << "more records than Kafka reads";
      break;
    }
    expect_record(batch.header(), record, expected["records"][i++]);
  }
  EXPECT_EQ(i, expected["records"].size());
  return ErrorCode::none;
}

void expect_batch(BytesView bytes, const json& expected) {
  const auto batch = BatchView::read(bytes);
  const ErrorCode valid = batch ? [&] {
    const auto checked = batch->ensure_valid();
    return checked ? ErrorCode::none : kafka_error_of(checked.error());
  }() : kafka_error_of(batch.error());
  EXPECT_EQ(valid, code_of_exception(expected["ensureValid"].get<std::string>()));
  if (!batch) return;
  EXPECT_EQ(batch->is_crc_valid(), expected["isValid"] == "true");
  expect_header(batch->header(), expected);
  const std::string wanted = expected.contains("recordsError") ? expected["recordsError"].get<std::string>() : "ok";
  EXPECT_EQ(expect_records(*batch, expected), code_of_exception(wanted));
}

TEST(GoldenRecords, batches_read_as_kafka_reads_them) {
  int batches = 0;
  for (const json& line : vectors()) {
    SCOPED_TRACE(line["name"].get<std::string>());
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    BatchCursor cursor(bytes);
    ErrorCode end = ErrorCode::none;
    std::size_t i = 0;
    for (;;) {
      const auto next = cursor.next();
      if (!next) end = kafka_error_of(next.error());
      if (!next || !*next) break;
      ASSERT_LT(i, line["batches"].size());
      const json& expected = line["batches"][i++];
      ++batches;
      if (magic_of(**next) == kMagicV2) {
        expect_batch(**next, expected);
      } else {
        EXPECT_EQ(magic_of(**next), expected["magic"].get<int>());
        EXPECT_EQ(kafka_error_of(read_batch_header(**next).error()), ErrorCode::unsupported_for_message_format);
      }
    }
    EXPECT_EQ(i, line["batches"].size());
    const std::string wanted = line.contains("batchesError") ? line["batchesError"].get<std::string>() : "ok";
    EXPECT_EQ(end, code_of_exception(wanted));
    if (line["group"] == "legacy") {
      EXPECT_EQ(cursor.legacy_batches(), static_cast<std::int64_t>(i));
    }
  }
  EXPECT_GT(batches, 140);
}

TEST(GoldenRecords, produce_requests_are_checked_as_kafka_checks_them) {
  for (const json& line : vectors()) {
    SCOPED_TRACE(line["name"].get<std::string>());
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    for (const std::int16_t version : {std::int16_t{3}, std::int16_t{9}}) {
      const auto checked = check_produce_records(bytes, version);
      const std::string wanted = line["produceRequestCheck"]["v" + std::to_string(version)].get<std::string>();
      EXPECT_EQ(checked ? ErrorCode::none : checked.error().code, code_of_exception(wanted)) << "version " << version;
    }
  }
}

ValidationRules rules_of(const std::string& kind) {
  ValidationRules rules;
  rules.topic_partition = "t-0";
  rules.now_ms = 1700000100000;
  rules.leader_epoch = 7;
  rules.compacted = kind == "brokerAppendCompacted";
  if (kind == "brokerAppendLogAppendTime") rules.timestamp_type = TimestampType::log_append_time;
  return rules;
}

void expect_append(Bytes bytes, const json& expected, const ValidationRules& rules) {
  const auto result = validate_and_stamp(bytes, 100, rules);
  const ErrorCode wanted = code_of_exception(expected["result"].get<std::string>());
  EXPECT_EQ(result ? ErrorCode::none : result.error().code, wanted) << (result ? "" : result.error().message);
  if (result && wanted == ErrorCode::none) {
    EXPECT_EQ(result->next_offset, expected["nextOffset"].get<std::int64_t>());
    EXPECT_EQ(result->max_timestamp_ms, expected["maxTimestampMs"].get<std::int64_t>());
    if (expected.contains("base64")) {
      // Kafka's validator keeps the torn second batch that its log trims before.
      Bytes wanted_bytes = from_base64(expected["base64"].get<std::string>());
      wanted_bytes.resize(std::min(wanted_bytes.size(), bytes.size()));
      EXPECT_EQ(to_base64(bytes), to_base64(wanted_bytes));
    } else {
      EXPECT_EQ(sha256_hex(bytes), expected["sha256"].get<std::string>());
    }
  }
  if (result || !expected.contains("recordErrors")) return;
  ASSERT_EQ(result.error().record_errors.size(), expected["recordErrors"].size());
  for (std::size_t i = 0; i < expected["recordErrors"].size(); ++i) {
    EXPECT_EQ(result.error().record_errors[i].batch_index, expected["recordErrors"][i]["batchIndex"].get<int>());
    const auto message = expected["recordErrors"][i]["message"].get<std::string>();
    if (message.rfind("Invalid timestamp type", 0) != 0) {
      EXPECT_EQ(result.error().record_errors[i].message, message);
    }
  }
}

/// What the produce path makes of the bytes: the first whole batch goes to the validator; what Kafka's validator says
/// of several batches or of none is said by check_produce_records here.
TEST(GoldenRecords, appends_are_validated_and_stamped_as_kafka_does) {
  int compared = 0;
  for (const json& line : vectors()) {
    SCOPED_TRACE(line["name"].get<std::string>());
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    for (const std::string kind : {"brokerAppend", "brokerAppendCompacted", "brokerAppendLogAppendTime"}) {
      if (line["group"] == "legacy" || !line.contains(kind) || line[kind].is_null()) continue;
      SCOPED_TRACE(kind);
      const auto checked = check_produce_records(bytes, 9);
      if (!checked) {
        EXPECT_EQ(checked.error().code, code_of_exception(line[kind]["result"].get<std::string>()));
      } else {
        expect_append(Bytes(checked->begin(), checked->end()), line[kind], rules_of(kind));
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(GoldenRecords, a_batch_cut_at_any_byte_or_with_a_flipped_one_is_refused_without_harm) {
  for (const json& line : vectors()) {
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    if (line["group"] == "legacy" || bytes.size() > 1500) continue;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const BytesView cut = BytesView(bytes).first(i);
      if (const auto batch = check_produce_records(cut, 9)) {
        EXPECT_LE(batch->size(), i);
      }
      Bytes flipped = bytes;
      flipped[i] ^= std::byte{0xff};
      const auto batch = BatchView::read(flipped);
      if (!batch) continue;
      Bytes scratch;
      if (const auto plain = batch->plain_records(scratch, kPlentyBytes)) {
        RecordReader reader = batch->reader(*plain);
        RecordView record;
        for (auto more = reader.next(record); more && *more; more = reader.next(record)) {
          EXPECT_LE(record.size_bytes, static_cast<std::int32_t>(plain->size()));
        }
      }
      validate_and_stamp(flipped, 0, rules_of("brokerAppend"));
    }
  }
}

}  // namespace
}  // namespace barnabas::record
