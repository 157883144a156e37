#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/log/partition_log.h"
#include "broker/metadata/image.h"
#include "broker/metadata/image_builder.h"
#include "broker/metadata/metadata_batches.h"
#include "common/bytes/result.h"
#include "common/runtime/env.h"

namespace barnabas::metadata {

struct MetadataLogOptions {
  std::string directory;  ///< Data directory; the log is in its __cluster_metadata-0.
  std::int32_t node_id = 1;
  Uuid directory_id;
  Endpoint controller_endpoint;
  std::vector<std::string> unsynced_files;  ///< Of others; the first sync() makes them durable as well.
  /// controller.quorum.voters is set: the quorum is not written down in the log (kraft.version 0).
  bool has_static_quorum = false;
  std::int64_t segment_bytes = std::int64_t{1} << 30;            ///< metadata.log.segment.bytes
  std::int64_t segment_ms = std::int64_t{7} * 24 * 3600 * 1000;  ///< metadata.log.segment.ms
  std::int64_t max_retention_bytes = 100 * 1024 * 1024;          ///< metadata.max.retention.bytes; below 0: any size.
  std::int64_t max_retention_ms =
      std::int64_t{7} * 24 * 3600 * 1000;  ///< metadata.max.retention.ms; below 0: for ever.
};

/// The log of the cluster's metadata: __cluster_metadata-0 with its segments, snapshots and quorum-state, as KRaft
/// keeps it for a quorum of one voter. Threads: one at a time. Errors: those of the files; corrupt_data for what does
/// not read. All name the directory. Format: docs/formats/cluster_metadata.md.  Source: Kafka's KafkaMetadataLog,
/// KafkaRaftClient and Formatter.
class MetadataLog {
 public:
  /// Opens the log; a directory that has none gets bootstrap.checkpoint and the first snapshot, as Kafka's formatter
  /// writes them.
  static Result<std::unique_ptr<MetadataLog>> open(runtime::Env& env, MetadataLogOptions options);

  /// The newest snapshot and all that the log says after it.
  Result<void> replay(ImageBuilder& builder);
  /// The records of bootstrap.checkpoint: what a fresh log begins with.
  Result<std::vector<Bytes>> bootstrap_records() const;
  /// Takes the next leader epoch and says so in quorum-state and in the log (not synced).
  Result<void> become_leader();

  /// Appends one batch; returns its first offset. Not durable before sync().
  Result<std::int64_t> append(std::span<const Bytes> records);
  /// Once it has failed it fails for ever: what is on disk is not known any more.
  Result<void> sync();
  /// Writes a snapshot of `image`, whose records must all be synced. Older ones, and the log before them, go when
  /// they are too old or together too large.
  Result<void> write_snapshot(const MetadataImage& image);
  Result<void> close();

  std::int32_t leader_epoch() const noexcept { return leader_epoch_; }
  std::int64_t end_offset() const noexcept { return log_->log_end_offset(); }
  std::int64_t bytes_since_snapshot() const noexcept { return bytes_since_snapshot_; }

 private:
  MetadataLog(runtime::Env& env, MetadataLogOptions options);

  Result<void> prepare_directory();
  Result<void> write_first_files();
  Result<void> write_partition_metadata();
  Result<void> align_with_snapshot();
  bool is_whole(const std::string& snapshot_path) const;
  Result<void> write_file(const std::string& path, BytesView bytes);
  Result<void> sync_owed_files();
  Result<void> open_log();
  Result<void> find_snapshots();
  Result<void> read_quorum_state();
  Result<void> write_quorum_state();
  Result<void> replay_snapshot(ImageBuilder& builder);
  Result<void> replay_log(ImageBuilder& builder, std::int64_t from);
  Result<void> replay_one(ImageBuilder& builder, const VisitedRecord& record);
  void note_control(const VisitedRecord& record);
  Result<void> append_batch(const Bytes& batch);
  Result<void> drop_old_snapshots();
  Result<bool> is_expendable(const SnapshotId& oldest) const;
  Result<std::int64_t> total_bytes() const;
  std::vector<ControlValue> quorum_values() const;

  runtime::Env& env_;
  MetadataLogOptions options_;
  std::string log_directory_;
  std::unique_ptr<log::PartitionLog> log_;
  std::vector<SnapshotId> snapshots_;        ///< Sorted.
  std::vector<std::string> unsynced_files_;  ///< Owed to the first sync().
  bool directory_is_new_ = false;            ///< The same for the name of the log's directory.
  std::int32_t leader_epoch_ = 0;
  std::int64_t last_timestamp_ms_ = 0;
  std::int64_t bytes_since_snapshot_ = 0;
  Bytes kraft_version_;  ///< Values of the newest control records; empty in a log of kraft.version 0.
  Bytes kraft_voters_;
};

}  // namespace barnabas::metadata
