#include "broker/metadata/metadata_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/metadata/features.h"
#include "broker/metadata/snapshot_records.h"
#include "common/protocol/messages/feature_level_record.h"

namespace barnabas::metadata {
namespace {

constexpr const char* kLogName = "/__cluster_metadata-0";
constexpr const char* kBootstrapName = "/bootstrap.checkpoint";
constexpr const char* kQuorumStateName = "/quorum-state";
constexpr std::uint64_t kReadBytes = 4 * 1024 * 1024;
constexpr std::int32_t kMaxBatchBytes = 256 * 1024 * 1024;

/// A snapshot file is whole batches and nothing else.
Result<void> visit_file(BytesView file, const std::function<Result<void>(const VisitedRecord&)>& visit) {
  const auto whole = visit_batches(file, visit);
  if (!whole) return failure(whole.error());
  if (*whole != file.size()) return failure(Errc::corrupt_data, "the last batch is cut short");
  return {};
}

Result<void> append_batch_records(BytesView file, std::vector<Bytes>& records) {
  return visit_file(file, [&records](const VisitedRecord& record) -> Result<void> {
    if (!record.control) records.emplace_back(record.value.begin(), record.value.end());
    return {};
  });
}

/// Names the file that a failure came from.
tl::unexpected<Failure> in_file(const std::string& path, const Failure& why) {
  return failure(why.code, why.subject.find(path) == std::string::npos ? path + ": " + why.subject : why.subject);
}

log::LogConfig metadata_log_config(const MetadataLogOptions& options) {
  log::LogConfig config;
  config.segment_bytes = options.segment_bytes;
  config.segment_ms = options.segment_ms;
  config.file_delete_delay_ms = 0;
  config.retention_ms = -1;
  config.retention_bytes = -1;
  config.cleanup_delete = false;
  config.max_message_bytes = kMaxBatchBytes;
  config.timestamp_after_max_ms = std::numeric_limits<std::int64_t>::max();
  return config;
}

std::vector<Bytes> default_bootstrap_records() {
  std::vector<Bytes> records;
  for (const auto& [name, level] : bootstrap_features()) {
    protocol::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    records.push_back(frame_record(record, record_version::kOthers));
  }
  return records;
}

}  // namespace

MetadataLog::MetadataLog(runtime::Env& env, MetadataLogOptions options)
    : env_(env),
      options_(std::move(options)),
      log_directory_(options_.directory + kLogName),
      unsynced_files_(options_.unsynced_files) {}

Result<std::unique_ptr<MetadataLog>> MetadataLog::open(runtime::Env& env, MetadataLogOptions options) {
  std::unique_ptr<MetadataLog> log(new MetadataLog(env, std::move(options)));
  if (auto done = log->prepare_directory(); !done) return failure(done.error());
  if (auto done = log->open_log(); !done) return failure(done.error());
  if (auto done = log->find_snapshots(); !done) return failure(done.error());
  if (auto done = log->write_first_files(); !done) return failure(done.error());
  if (auto done = log->align_with_snapshot(); !done) return failure(done.error());
  if (auto done = log->read_quorum_state(); !done) return failure(done.error());
  return log;
}

Result<void> MetadataLog::prepare_directory() {
  if (!env_.files().exists(log_directory_)) {
    if (auto made = env_.files().make_directories(log_directory_); !made) return made;
    directory_is_new_ = true;
  }
  return write_partition_metadata();
}

Result<void> MetadataLog::write_partition_metadata() {
  const std::string path = log_directory_ + "/partition.metadata";
  const std::string text = "version: 0\ntopic_id: " + Uuid::one().to_string();
  if (env_.files().exists(path)) {
    const auto found = env_.files().read(path);
    if (found && as_text(*found) == text) return {};
  }
  return write_file(path, as_bytes(text));
}

/// What Kafka's formatter writes, where it is missing or torn and the log says nothing yet.
Result<void> MetadataLog::write_first_files() {
  if (log_->log_end_offset() > 0 || (!snapshots_.empty() && snapshots_.back().end_offset > 0)) return {};
  const std::int64_t now_ms = env_.clock().wall_ms();
  if (snapshots_.empty() && !options_.has_static_quorum) {
    const std::vector<ControlValue> quorum = {
        kraft_version_value(),
        kraft_voters_value(options_.node_id, options_.directory_id, options_.controller_endpoint)};
    const auto first = snapshot_file({}, quorum, 0, now_ms, now_ms);
    if (!first) return failure(first.error());
    snapshots_.push_back({0, 0});
    if (auto done = write_file(log_directory_ + "/" + SnapshotId{0, 0}.file_name(), *first); !done) return done;
  }
  const std::string bootstrap = options_.directory + kBootstrapName;
  if (is_whole(bootstrap)) return {};
  const auto file = snapshot_file(default_bootstrap_records(), {}, 0, 0, now_ms);
  if (!file) return failure(file.error());
  return write_file(bootstrap, *file);
}

bool MetadataLog::is_whole(const std::string& snapshot_path) const {
  if (!env_.files().exists(snapshot_path)) return false;
  const auto bytes = env_.files().read(snapshot_path);
  if (!bytes) return false;
  bool has_footer = false;
  const auto read = visit_file(*bytes, [&has_footer](const VisitedRecord& record) -> Result<void> {
    has_footer = record.control == record::ControlRecordType::snapshot_footer;
    return {};
  });
  return read && has_footer;
}

/// Not synced: where one of these files is lost or torn, the log says the same, or it is written again.
Result<void> MetadataLog::write_file(const std::string& path, BytesView bytes) {
  auto file = env_.files().open(path, runtime::OpenMode::create_truncated);
  if (!file) return failure(file.error());
  return (*file)->write_at(bytes, 0);
}

Result<void> MetadataLog::sync_owed_files() {
  if (!directory_is_new_ && unsynced_files_.empty()) return {};
  std::set<std::string> directories = {options_.directory};  // which the log's own was made in
  for (const std::string& path : unsynced_files_) {
    auto file = env_.files().open(path, runtime::OpenMode::read_write);
    if (!file) return failure(file.error());
    if (auto done = (*file)->sync(); !done) return done;
    directories.insert(path.substr(0, path.rfind('/')));
  }
  for (const std::string& directory : directories) {
    if (auto done = env_.files().sync_directory(directory); !done) return done;
  }
  unsynced_files_.clear();
  directory_is_new_ = false;
  return {};
}

Result<void> MetadataLog::find_snapshots() {
  const auto entries = env_.files().list(log_directory_);
  if (!entries) return failure(entries.error());
  for (const auto& entry : *entries) {
    const auto id = SnapshotId::parse(entry.name);
    if (!id) continue;
    // The formatter's snapshot says nothing that the log does not say again, so a torn one is no loss.
    if (id->end_offset > 0 || is_whole(log_directory_ + "/" + entry.name)) snapshots_.push_back(*id);
  }
  std::sort(snapshots_.begin(), snapshots_.end());
  return {};
}

Result<void> MetadataLog::open_log() {
  log::OpenOptions options;
  options.directory = log_directory_;
  options.topic_partition = kLogName + 1;
  options.config = metadata_log_config(options_);
  auto opened = log::PartitionLog::open(env_, std::move(options));
  if (!opened) return in_file(log_directory_, opened.error());
  log_ = std::move(*opened);
  return {};
}

Result<void> MetadataLog::align_with_snapshot() {
  const std::int64_t snapshot_end = snapshots_.empty() ? 0 : snapshots_.back().end_offset;
  if (log_->log_end_offset() < snapshot_end) {
    // A crash took log records that a snapshot already holds.
    if (auto done = log_->truncate_fully_and_start_at(snapshot_end); !done) return done;
  }
  if (log_->log_start_offset() > snapshot_end) {
    return failure(Errc::corrupt_data, fmt::format("{}: the log starts at offset {}, and no snapshot goes up to there",
                                                   log_directory_, log_->log_start_offset()));
  }
  return {};
}

Result<void> MetadataLog::read_quorum_state() {
  leader_epoch_ = std::max(0, log_->latest_epoch().value_or(0));
  if (!snapshots_.empty()) leader_epoch_ = std::max(leader_epoch_, snapshots_.back().epoch);
  const std::string path = log_directory_ + kQuorumStateName;
  if (!env_.files().exists(path)) return {};
  const auto bytes = env_.files().read(path);
  if (!bytes) return failure(bytes.error());
  const auto state = nlohmann::json::parse(as_text(*bytes), nullptr, false);
  // Without it the log's own epoch is enough: nobody else can have been voted for.
  if (!state.is_object() || !state.contains("leaderEpoch") || !state["leaderEpoch"].is_number_integer()) return {};
  leader_epoch_ = std::max(leader_epoch_, state["leaderEpoch"].get<std::int32_t>());
  return {};
}

Result<void> MetadataLog::write_quorum_state() {
  const std::string text =
      fmt::format(R"({{"leaderId":{},"leaderEpoch":{},"votedId":-1,"votedDirectoryId":"{}","data_version":1}})",
                  options_.node_id, leader_epoch_, Uuid::zero().to_string());
  return write_file(log_directory_ + kQuorumStateName, as_bytes(text));
}

void MetadataLog::note_control(const VisitedRecord& record) {
  Bytes value(record.value.begin(), record.value.end());
  if (record.control == record::ControlRecordType::kraft_version)
    kraft_version_ = std::move(value);
  else if (record.control == record::ControlRecordType::kraft_voters)
    kraft_voters_ = std::move(value);
}

Result<void> MetadataLog::replay_one(ImageBuilder& builder, const VisitedRecord& record) {
  last_timestamp_ms_ = record.timestamp_ms;
  if (record.control) {
    note_control(record);
    builder.skip(record.offset, record.epoch);
    return {};
  }
  auto done = builder.replay(record.value, record.offset, record.epoch);
  if (!done) return failure(done.error().code, fmt::format("offset {}: {}", record.offset, done.error().subject));
  return {};
}

Result<void> MetadataLog::replay(ImageBuilder& builder) {
  if (auto done = replay_snapshot(builder); !done) return done;
  const std::int64_t from = snapshots_.empty() ? 0 : snapshots_.back().end_offset;
  if (auto done = replay_log(builder, from); !done) return in_file(log_directory_, done.error());
  return {};
}

Result<void> MetadataLog::replay_snapshot(ImageBuilder& builder) {
  if (snapshots_.empty()) return {};
  const SnapshotId id = snapshots_.back();
  const std::string path = log_directory_ + "/" + id.file_name();
  const auto bytes = env_.files().read(path);
  if (!bytes) return failure(bytes.error());
  bool complete = false;
  auto done = visit_file(*bytes, [&](const VisitedRecord& record) -> Result<void> {
    complete = record.control == record::ControlRecordType::snapshot_footer;
    VisitedRecord at_end = record;
    at_end.offset = id.end_offset - 1;
    at_end.epoch = id.epoch;
    return replay_one(builder, at_end);
  });
  if (!done) return in_file(path, done.error());
  if (!complete) return failure(Errc::corrupt_data, path + ": the snapshot has no footer");
  return {};
}

Result<void> MetadataLog::replay_log(ImageBuilder& builder, std::int64_t from) {
  const std::int64_t end = log_->log_end_offset();
  log_->set_high_watermark(end);
  std::int64_t next = from;
  while (next < end) {
    const auto slice = log_->read(next, kReadBytes, true, log::ReadBound::log_end);
    if (!slice) return failure(slice.error());
    const auto bytes = slice->bytes();
    if (!bytes) return failure(bytes.error());
    const std::int64_t before = next;
    auto whole = visit_batches(*bytes, [&](const VisitedRecord& record) -> Result<void> {
      if (record.offset < next) return {};
      next = record.offset + 1;
      return replay_one(builder, record);
    });
    if (!whole) return failure(whole.error());
    if (next == before) return failure(Errc::corrupt_data, fmt::format("nothing can be read at offset {}", next));
    bytes_since_snapshot_ += static_cast<std::int64_t>(*whole);
  }
  return {};
}

Result<std::vector<Bytes>> MetadataLog::bootstrap_records() const {
  const std::string path = options_.directory + kBootstrapName;
  if (!env_.files().exists(path)) return default_bootstrap_records();
  const auto bytes = env_.files().read(path);
  if (!bytes) return failure(bytes.error());
  std::vector<Bytes> records;
  if (auto done = append_batch_records(*bytes, records); !done) return in_file(path, done.error());
  return records;
}

Result<void> MetadataLog::become_leader() {
  ++leader_epoch_;
  if (auto done = write_quorum_state(); !done) return done;
  std::vector<ControlValue> values = {leader_change_value(options_.node_id)};
  // The first leader repeats in the log what the formatter's snapshot says of the quorum.
  if (log_->log_end_offset() == 0) {
    for (ControlValue& value : quorum_values()) values.push_back(std::move(value));
  }
  const auto batch = control_records_batch(values, log_->log_end_offset(), leader_epoch_, env_.clock().wall_ms());
  if (!batch) return failure(batch.error());
  return append_batch(*batch);
}

std::vector<ControlValue> MetadataLog::quorum_values() const {
  if (kraft_version_.empty() || kraft_voters_.empty()) return {};
  return {{record::ControlRecordType::kraft_version, kraft_version_},
          {record::ControlRecordType::kraft_voters, kraft_voters_}};
}

Result<void> MetadataLog::append_batch(const Bytes& batch) {
  const auto appended = log_->append_as_follower(batch);
  if (!appended) return in_file(log_directory_, {appended.error().code, appended.error().message});
  log_->set_high_watermark(log_->log_end_offset());
  bytes_since_snapshot_ += static_cast<std::int64_t>(batch.size());
  return {};
}

Result<std::int64_t> MetadataLog::append(std::span<const Bytes> records) {
  const std::int64_t base_offset = log_->log_end_offset();
  last_timestamp_ms_ = env_.clock().wall_ms();
  const auto batch = metadata_batch(records, base_offset, leader_epoch_, last_timestamp_ms_);
  if (!batch) return failure(batch.error());
  if (auto done = append_batch(*batch); !done) return failure(done.error());
  return base_offset;
}

Result<void> MetadataLog::sync() {
  if (auto done = sync_owed_files(); !done) return done;
  return log_->flush();
}

Result<void> MetadataLog::write_snapshot(const MetadataImage& image) {
  const SnapshotId id{image.offset() + 1, image.epoch()};
  const auto records = SnapshotRecords::of(image);
  const auto file = snapshot_file(records, quorum_values(), id.epoch, last_timestamp_ms_, env_.clock().wall_ms());
  if (!file) return failure(file.error());
  if (auto done = env_.files().write_atomically(log_directory_ + "/" + id.file_name(), *file); !done) return done;
  if (snapshots_.empty() || snapshots_.back() < id) snapshots_.push_back(id);
  bytes_since_snapshot_ = 0;
  return drop_old_snapshots();
}

/// Source: Kafka's KafkaMetadataLog.maybeClean.
Result<void> MetadataLog::drop_old_snapshots() {
  while (snapshots_.size() > 1) {
    const SnapshotId oldest = snapshots_.front();
    const auto expendable = is_expendable(oldest);
    if (!expendable) return failure(expendable.error());
    if (!*expendable) break;
    // The log first: what a snapshot is missing for must not be needed any more.
    if (auto moved = log_->set_log_start_offset(snapshots_[1].end_offset); !moved) return moved;
    const auto dropped = log_->apply_retention();
    if (!dropped) return failure(dropped.error());
    if (auto removed = env_.files().remove(log_directory_ + "/" + oldest.file_name()); !removed) return removed;
    snapshots_.erase(snapshots_.begin());
  }
  return {};
}

Result<bool> MetadataLog::is_expendable(const SnapshotId& oldest) const {
  if (options_.max_retention_bytes >= 0) {
    const auto total = total_bytes();
    if (!total) return failure(total.error());
    if (*total > options_.max_retention_bytes) return true;
  }
  if (options_.max_retention_ms < 0) return false;
  const auto bytes = env_.files().read(log_directory_ + "/" + oldest.file_name());
  if (!bytes) return failure(bytes.error());
  std::int64_t written_ms = 0;
  const auto read = visit_file(*bytes, [&written_ms](const VisitedRecord& record) -> Result<void> {
    written_ms = record.timestamp_ms;
    return {};
  });
  return !read || env_.clock().wall_ms() - written_ms > options_.max_retention_ms;
}

/// Of the log and its snapshots.
Result<std::int64_t> MetadataLog::total_bytes() const {
  auto total = static_cast<std::int64_t>(log_->size_bytes());
  for (const SnapshotId& id : snapshots_) {
    const auto file = env_.files().open(log_directory_ + "/" + id.file_name(), runtime::OpenMode::read);
    if (!file) return failure(file.error());
    const auto size = (*file)->size();
    if (!size) return failure(size.error());
    total += static_cast<std::int64_t>(*size);
  }
  return total;
}

Result<void> MetadataLog::close() {
  if (auto done = sync_owed_files(); !done) return done;
  return log_->close();
}

}  // namespace barnabas::metadata
