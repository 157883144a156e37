#include "broker/metadata/metadata_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "common/bytes/writer.h"
#include "common/protocol/messages/kraft_version_record.h"
#include "common/protocol/messages/leader_change_message.h"
#include "common/protocol/messages/snapshot_footer_record.h"
#include "common/protocol/messages/snapshot_header_record.h"
#include "common/protocol/messages/voters_record.h"
#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"

namespace barnabas::metadata {
namespace {

constexpr std::size_t kMaxDecompressedBytes = 256 * 1024 * 1024;
constexpr std::int16_t kSupportedKRaftVersion = 1;
constexpr std::size_t kSnapshotBatchBytes = 1024 * 1024;

template <typename Message>
Bytes encoded(const Message& message) {
  Writer out;
  // Version 0 of our own message always encodes.
  if (!message.encode(out, 0)) std::abort();
  return out.take();
}

Result<void> visit_batch(BytesView bytes, Bytes& scratch,
                         const std::function<Result<void>(const VisitedRecord&)>& visit) {
  const auto batch = record::BatchView::read(bytes);
  if (!batch) return failure(batch.error());
  if (auto valid = batch->ensure_valid(); !valid) return valid;
  const auto plain = batch->plain_records(scratch, kMaxDecompressedBytes);
  if (!plain) return failure(plain.error());
  record::RecordReader reader = batch->reader(*plain);
  record::RecordView record;
  for (;;) {
    const auto more = reader.next(record);
    if (!more) return failure(more.error());
    if (!*more) return {};
    VisitedRecord visited{.offset = record.offset,
                          .epoch = batch->header().partition_leader_epoch,
                          .timestamp_ms = record.timestamp_ms,
                          .control = std::nullopt,
                          .value = record.value.value_or(BytesView{})};
    if (batch->header().is_control()) {
      const auto type = record::control_type_of(record.key.value_or(BytesView{}));
      if (!type) return failure(type.error());
      visited.control = *type;
    }
    if (auto done = visit(visited); !done) return done;
  }
}

record::BatchOptions options_of(std::int64_t base_offset, std::int32_t epoch, bool control) {
  record::BatchOptions options;
  options.base_offset = base_offset;
  options.partition_leader_epoch = epoch;
  options.control = control;
  return options;
}

ControlValue snapshot_header_value(std::int64_t last_contained_timestamp_ms) {
  protocol::SnapshotHeaderRecord header;
  header.last_contained_log_timestamp = last_contained_timestamp_ms;
  return {record::ControlRecordType::snapshot_header, encoded(header)};
}

/// Appends batches of about kSnapshotBatchBytes; returns the next offset.
Result<std::int64_t> append_records(Bytes& file, std::span<const Bytes> records, std::int64_t offset,
                                    std::int32_t epoch, std::int64_t now_ms) {
  while (!records.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < records.size() && (count == 0 || bytes + records[count].size() < kSnapshotBatchBytes)) {
      bytes += records[count++].size();
    }
    const auto batch = metadata_batch(records.first(count), offset, epoch, now_ms);
    if (!batch) return failure(batch.error());
    file.insert(file.end(), batch->begin(), batch->end());
    offset += static_cast<std::int64_t>(count);
    records = records.subspan(count);
  }
  return offset;
}

template <typename Number>
bool parse_digits(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text.front() != '-';
}

}  // namespace

Result<std::size_t> visit_batches(BytesView batches, const std::function<Result<void>(const VisitedRecord&)>& visit) {
  record::BatchCursor cursor(batches);
  Bytes scratch;
  for (;;) {
    const auto bytes = cursor.next();
    if (!bytes) return failure(bytes.error());
    if (!*bytes) return batches.size() - cursor.rest().size();
    if (auto done = visit_batch(**bytes, scratch, visit); !done) return failure(done.error());
  }
}

Result<Bytes> metadata_batch(std::span<const Bytes> records, std::int64_t base_offset, std::int32_t epoch,
                             std::int64_t timestamp_ms) {
  record::BatchBuilder builder(options_of(base_offset, epoch, false));
  for (const Bytes& value : records) {
    builder.append({.timestamp_ms = timestamp_ms, .key = std::nullopt, .value = BytesView(value), .headers = {}});
  }
  return builder.finish();
}

Result<Bytes> control_records_batch(std::span<const ControlValue> records, std::int64_t base_offset, std::int32_t epoch,
                                    std::int64_t timestamp_ms) {
  record::BatchBuilder builder(options_of(base_offset, epoch, true));
  for (const ControlValue& one : records) {
    const Bytes key = record::control_key(one.type);
    builder.append({.timestamp_ms = timestamp_ms, .key = BytesView(key), .value = BytesView(one.value), .headers = {}});
  }
  return builder.finish();
}

ControlValue leader_change_value(std::int32_t leader_id) {
  protocol::LeaderChangeMessage message;
  message.leader_id = leader_id;
  protocol::LeaderChangeMessage::Voter voter;
  voter.voter_id = leader_id;
  message.voters.push_back(voter);
  message.granting_voters.push_back(voter);
  return {record::ControlRecordType::leader_change, encoded(message)};
}

ControlValue kraft_version_value() {
  protocol::KRaftVersionRecord message;
  message.k_raft_version = kSupportedKRaftVersion;
  return {record::ControlRecordType::kraft_version, encoded(message)};
}

ControlValue kraft_voters_value(std::int32_t voter_id, const Uuid& directory_id, const Endpoint& controller) {
  protocol::VotersRecord::Voter voter;
  voter.voter_id = voter_id;
  voter.voter_directory_id = directory_id;
  protocol::VotersRecord::Endpoint endpoint;
  endpoint.name = controller.name;
  endpoint.host = controller.host;
  endpoint.port = controller.port;
  voter.endpoints.push_back(std::move(endpoint));
  voter.k_raft_version_feature.max_supported_version = kSupportedKRaftVersion;
  protocol::VotersRecord message;
  message.voters.push_back(std::move(voter));
  return {record::ControlRecordType::kraft_voters, encoded(message)};
}

Result<Bytes> snapshot_file(std::span<const Bytes> records, std::span<const ControlValue> quorum, std::int32_t epoch,
                            std::int64_t last_contained_timestamp_ms, std::int64_t now_ms) {
  std::vector<ControlValue> header = {snapshot_header_value(last_contained_timestamp_ms)};
  header.insert(header.end(), quorum.begin(), quorum.end());
  auto file = control_records_batch(header, 0, epoch, now_ms);
  if (!file) return file;
  const auto offset = append_records(*file, records, static_cast<std::int64_t>(header.size()), epoch, now_ms);
  if (!offset) return failure(offset.error());
  const ControlValue footer{record::ControlRecordType::snapshot_footer, encoded(protocol::SnapshotFooterRecord{})};
  const auto last = control_records_batch(std::span(&footer, 1), *offset, epoch, now_ms);
  if (!last) return last;
  file->insert(file->end(), last->begin(), last->end());
  return file;
}

std::string SnapshotId::file_name() const {
  return fmt::format("{:020}-{:010}.checkpoint", end_offset, epoch);
}

std::optional<SnapshotId> SnapshotId::parse(const std::string& file_name) {
  constexpr std::size_t offset_digits = 20;
  constexpr std::size_t epoch_digits = 10;
  constexpr std::string_view suffix = ".checkpoint";
  const std::string_view name = file_name;
  if (name.size() != offset_digits + 1 + epoch_digits + suffix.size() || name[offset_digits] != '-')
    return std::nullopt;
  if (name.substr(offset_digits + 1 + epoch_digits) != suffix) return std::nullopt;
  SnapshotId id;
  if (!parse_digits(name.substr(0, offset_digits), id.end_offset)) return std::nullopt;
  if (!parse_digits(name.substr(offset_digits + 1, epoch_digits), id.epoch)) return std::nullopt;
  return id;
}

}  // namespace barnabas::metadata
