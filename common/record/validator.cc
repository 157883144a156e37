#include "common/record/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>

#include "common/protocol/errors.h"
#include "common/record/batch_view.h"
#include "common/record/record_scanner.h"

namespace barnabas::record {
namespace {

using protocol::ErrorCode;
using Unexpected = tl::unexpected<ValidationFailure>;

constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr std::size_t kErrorsShown = 3;

Unexpected refuse(ErrorCode code, std::string message) {
  return Unexpected(ValidationFailure{code, std::move(message), {}});
}
Unexpected refuse(const Failure& why) {
  return refuse(kafka_error_of(why), why.message());
}

std::int64_t wrapping_minus(std::int64_t left, std::int64_t right) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}
std::int64_t wrapping_plus(std::int64_t left, std::int64_t right) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}

/// Collects what single records do wrong, as LogValidator.validateRecord and processRecordErrors.
class RecordChecks {
 public:
  RecordChecks(const BatchHeader& header, const ValidationRules& rules) : header_(header), rules_(rules) {}

  void check(std::int64_t offset, std::int64_t timestamp_ms, bool has_key) {
    if (rules_.compacted && !has_key) {
      add(fmt::format("Compacted topic cannot accept message without key in topic partition {}",
                      rules_.topic_partition));
    } else {
      check_timestamp(offset, timestamp_ms);
    }
    max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
    ++index_;
  }

  /// Takes the records that the reader can walk over, unless one of them breaks a rule: check() then says which.
  /// Whether it did.
  bool check_walked(RecordReader reader, RecordReader& behind) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::int64_t most = std::numeric_limits<std::int64_t>::min();
    std::int32_t least_key_bytes = 0;  // negative where a key is missing
    std::int32_t count = 0;
    for (WalkedRecord record; reader.walk(record); ++count) {
      least = std::min(least, record.timestamp_delta);
      most = std::max(most, record.timestamp_delta);
      least_key_bytes = std::min(least_key_bytes, record.key_bytes);
    }
    if (count == 0 || header_.timestamp_type() != TimestampType::create_time) return false;
    if ((rules_.compacted && least_key_bytes < 0) || !are_timely(least, most)) return false;
    max_timestamp_ms_ = std::max(max_timestamp_ms_, header_.base_timestamp_ms + most);
    index_ += count;
    behind = reader;
    return true;
  }

  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_; }
  std::int32_t count() const noexcept { return index_; }
  bool ok() const noexcept { return errors_.empty(); }

  Unexpected failure() {
    if (bad_timestamp_) {
      return Unexpected(ValidationFailure{ErrorCode::invalid_timestamp,
                                          "One or more records have been rejected due to invalid timestamp",
                                          std::move(errors_)});
    }
    std::string shown;
    for (std::size_t i = 0; i < std::min(errors_.size(), kErrorsShown); ++i) {
      if (i > 0) shown += ", ";
      shown += fmt::format("record {}: {}", errors_[i].batch_index, errors_[i].message);
    }
    std::string message =
        fmt::format("One or more records have been rejected due to {} record errors: {}", errors_.size(), shown);
    return Unexpected(ValidationFailure{ErrorCode::invalid_record, std::move(message), std::move(errors_)});
  }

 private:
  /// Whether all times between two deltas are within the rules, and so far from the ends of time that nothing wraps.
  bool are_timely(std::int64_t least_delta, std::int64_t most_delta) const {
    constexpr std::int64_t kFarFuture = std::int64_t{1} << 60;
    const std::int64_t base = header_.base_timestamp_ms;
    const bool is_plain = base >= 0 && base < kFarFuture && least_delta > -kFarFuture && most_delta < kFarFuture &&
                          base + least_delta >= 0 && rules_.now_ms >= 0 && rules_.now_ms < kFarFuture;
    if (!is_plain || rules_.timestamp_type != TimestampType::create_time) return is_plain;
    return rules_.now_ms - (base + least_delta) <= rules_.timestamp_before_max_ms &&
           base + most_delta - rules_.now_ms <= rules_.timestamp_after_max_ms;
  }

  void add(std::string message) { errors_.push_back(RecordError{index_, std::move(message)}); }

  void check_timestamp(std::int64_t offset, std::int64_t timestamp_ms) {
    if (rules_.timestamp_type == TimestampType::create_time && timestamp_ms != kNoTimestamp) {
      const std::int64_t age = wrapping_minus(rules_.now_ms, timestamp_ms);
      if (age <= rules_.timestamp_before_max_ms && wrapping_minus(0, age) <= rules_.timestamp_after_max_ms) return;
      bad_timestamp_ = true;
      add(fmt::format("Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                      timestamp_ms, offset, wrapping_minus(rules_.now_ms, rules_.timestamp_before_max_ms),
                      wrapping_plus(rules_.now_ms, rules_.timestamp_after_max_ms)));
    } else if (header_.timestamp_type() == TimestampType::log_append_time) {
      bad_timestamp_ = true;
      add(
          fmt::format("Invalid timestamp type in message with offset {}. Producer should not set timestamp type to "
                      "LogAppendTime.",
                      offset));
    }
  }

  const BatchHeader& header_;
  const ValidationRules& rules_;
  std::vector<RecordError> errors_;
  bool bad_timestamp_ = false;
  std::int64_t max_timestamp_ms_ = kNoTimestamp;
  std::int32_t index_ = 0;
};

/// LogValidator.validateBatch.
tl::expected<void, ValidationFailure> check_header(const BatchHeader& header, const ValidationRules& rules) {
  if (rules.origin != AppendOrigin::client) return {};
  const std::int64_t count = std::int64_t{header.last_offset_delta} + 1;
  const std::string range = fmt::format("[{}, {}]", header.base_offset, header.last_offset());
  if (count <= 0) {
    return refuse(ErrorCode::invalid_record, fmt::format("Batch has an invalid offset range: {} in topic partition {}",
                                                         range, rules.topic_partition));
  }
  if (header.record_count <= 0) {
    return refuse(ErrorCode::invalid_record,
                  fmt::format("Invalid reported count for record batch: {} in topic partition {}", header.record_count,
                              rules.topic_partition));
  }
  if (count != header.record_count) {
    return refuse(ErrorCode::invalid_record,
                  fmt::format("Inconsistent batch offset range {} and count of records {} in topic partition {}", range,
                              header.record_count, rules.topic_partition));
  }
  if (header.is_control()) {
    return refuse(
        ErrorCode::invalid_record,
        fmt::format("Clients are not allowed to write control records in topic partition {}", rules.topic_partition));
  }
  if (header.has_producer_id() && header.base_sequence < 0) {
    return refuse(ErrorCode::invalid_record,
                  fmt::format("Invalid sequence number {} in record batch with producerId {} in topic partition {}",
                              header.base_sequence, header.producer_id, rules.topic_partition));
  }
  return {};
}

tl::expected<void, ValidationFailure> check_plain(const BatchView& batch, RecordChecks& checks) {
  RecordReader reader = batch.reader(batch.records());
  checks.check_walked(reader, reader);
  RecordView record;
  for (;;) {
    const auto more = reader.next(record);
    if (!more) return refuse(more.error());
    if (!*more) return {};
    checks.check(record.offset, record.timestamp_ms, record.key.has_value());
  }
}

/// Kafka keeps a compressed batch as it is only when its offsets count from 0; with others it fails with an error that
/// clients see as UNKNOWN_SERVER_ERROR, and so do we.
tl::expected<void, ValidationFailure> check_compressed(const BatchView& batch, RecordChecks& checks) {
  const BatchHeader& header = batch.header();
  if (!header.is_known_compression()) {
    return refuse(ErrorCode::unknown_server_error,
                  fmt::format("Unknown compression type id: {}", header.compression_id()));
  }
  auto source = make_decompressor(header.compression(), batch.records());
  if (!source) return refuse(source.error());
  const auto scanner = std::make_unique<RecordScanner>(header, std::move(*source));
  const bool append_time = header.timestamp_type() == TimestampType::log_append_time;
  bool consecutive = true;
  ScannedRecord record;
  for (;;) {
    const auto more = scanner->next(record);
    if (!more) return refuse(more.error());
    if (!*more) break;
    const std::int64_t offset = header.offset_at(record.offset_delta);
    consecutive = consecutive && offset == checks.count();
    const std::int64_t timestamp_ms =
        append_time ? header.max_timestamp_ms : wrapping_plus(header.base_timestamp_ms, record.timestamp_delta);
    checks.check(offset, timestamp_ms, record.has_key);
  }
  if (consecutive || !checks.ok()) return {};
  return refuse(ErrorCode::unknown_server_error, "offsets inside a compressed batch must count up from 0");
}

}  // namespace

ErrorCode kafka_error_of(const Failure& why) noexcept {
  const bool kafkas = why.code.category() == make_error_code(ErrorCode::none).category();
  return kafkas ? static_cast<ErrorCode>(why.code.value()) : ErrorCode::unknown_server_error;
}

tl::expected<BytesView, ValidationFailure> check_produce_records(BytesView records, std::int16_t produce_version) {
  BatchCursor cursor(records);
  const auto first = cursor.next();
  if (!first) return refuse(first.error());
  if (!*first) {
    return refuse(ErrorCode::invalid_record,
                  fmt::format("Produce requests with version {} must have at least one record "
                              "batch per partition",
                              produce_version));
  }
  if (magic_of(**first) != kMagicV2) {
    return refuse(ErrorCode::invalid_record, fmt::format("Produce requests with version {} are only allowed to contain "
                                                         "record batches with magic version 2",
                                                         produce_version));
  }
  if (produce_version < kFirstVersionWithZstd && (*first)->size() >= kBatchHeaderBytes) {
    const auto header = read_batch_header(**first);
    if (!header->is_known_compression()) {
      return refuse(ErrorCode::unknown_server_error,
                    fmt::format("Unknown compression type id: {}", header->compression_id()));
    }
    if (header->compression() == CompressionType::zstd) {
      return refuse(ErrorCode::unsupported_compression_type,
                    fmt::format("Produce requests with version {} are not allowed to use ZStandard compression",
                                produce_version));
    }
  }
  const auto second = cursor.next();
  if (!second) return refuse(second.error());
  if (*second) {
    return refuse(ErrorCode::invalid_record, fmt::format("Produce requests with version {} are only allowed to contain "
                                                         "exactly one record batch per partition",
                                                         produce_version));
  }
  return **first;
}

tl::expected<ValidatedBatch, ValidationFailure> validate_and_stamp(MutableBytesView bytes, std::int64_t base_offset,
                                                                   const ValidationRules& rules) {
  const auto batch = BatchView::read(bytes);
  if (!batch) return refuse(batch.error());
  const BatchHeader& header = batch->header();
  if (auto checked = check_header(header, rules); !checked) return Unexpected(std::move(checked.error()));
  RecordChecks checks(header, rules);
  auto checked = header.is_compressed() ? check_compressed(*batch, checks) : check_plain(*batch, checks);
  if (!checked) return Unexpected(std::move(checked.error()));
  if (!checks.ok()) return checks.failure();

  ValidatedBatch result;
  result.record_count = checks.count();
  result.next_offset = base_offset + header.last_offset_delta + 1;
  const bool append_time = rules.timestamp_type == TimestampType::log_append_time;
  result.max_timestamp_ms = append_time ? rules.now_ms : checks.max_timestamp_ms();
  stamp_offset_and_epoch(bytes, base_offset, rules.leader_epoch);
  stamp_max_timestamp(bytes, rules.timestamp_type, result.max_timestamp_ms);
  return result;
}

tl::expected<Bytes, ValidationFailure> recompress(BytesView bytes, CompressionType target, int level,
                                                  std::size_t limit_bytes) {
  const auto batch = BatchView::read(bytes);
  if (!batch) return refuse(batch.error());
  Bytes scratch;
  const auto plain = batch->plain_records(scratch, limit_bytes);
  if (!plain) return refuse(plain.error());
  Bytes out(bytes.begin(), bytes.begin() + kBatchHeaderBytes);
  if (auto done = compress(target, level, *plain, out); !done) return refuse(done.error());
  BatchHeader header = batch->header();
  header.batch_length = static_cast<std::int32_t>(out.size() - kLogOverheadBytes);
  header.attributes =
      static_cast<std::int16_t>((header.attributes & ~BatchHeader::kCompressionMask) | static_cast<int>(target));
  write_batch_header(out, header);
  header.crc = compute_batch_crc(out);
  write_batch_header(out, header);
  return out;
}

}  // namespace barnabas::record
