#include "broker/log/producer_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "broker/log/segment.h"

namespace barnabas::log {
namespace {

using protocol::ErrorCode;
using record::AppendOrigin;

std::int32_t sequence_before(std::int32_t sequence, std::int32_t steps) {
  const std::int64_t first = std::int64_t{sequence} - steps;
  return static_cast<std::int32_t>(first >= 0 ? first : first + std::numeric_limits<std::int32_t>::max() + 1);
}

bool is_next(std::int32_t last, std::int32_t next) {
  return std::int64_t{next} == std::int64_t{last} + 1 ||
         (next == 0 && last == std::numeric_limits<std::int32_t>::max());
}

tl::unexpected<record::ValidationFailure> refuse(ErrorCode code, std::string message) {
  return tl::unexpected<record::ValidationFailure>(record::ValidationFailure{code, std::move(message), {}});
}

}  // namespace

std::int32_t ProducerBatch::first_sequence() const noexcept {
  return sequence_before(last_sequence, offset_delta);
}

ProducerStateManager::ProducerStateManager(runtime::Files& files, std::string directory, std::string topic_partition,
                                           std::int64_t expiration_ms)
    : files_(&files),
      directory_(std::move(directory)),
      topic_partition_(std::move(topic_partition)),
      expiration_ms_(expiration_ms) {}

std::optional<ProducerBatch> ProducerStateManager::duplicate_of(const record::BatchHeader& batch) const {
  const auto found = producers_.find(batch.producer_id);
  if (found == producers_.end() || found->second.epoch != batch.producer_epoch) return std::nullopt;
  const auto same = [&](const ProducerBatch& kept) {
    return kept.first_sequence() == batch.base_sequence && kept.last_sequence == batch.last_sequence();
  };
  const auto& batches = found->second.batches;
  const auto kept = std::find_if(batches.begin(), batches.end(), same);
  return kept == batches.end() ? std::nullopt : std::optional(*kept);
}

tl::expected<void, record::ValidationFailure> ProducerStateManager::check(const record::BatchHeader& batch,
                                                                          AppendOrigin origin) const {
  if (origin == AppendOrigin::replication) return {};
  const auto found = producers_.find(batch.producer_id);
  if (found == producers_.end()) return {};
  const ProducerEntry& entry = found->second;
  if (batch.producer_epoch < entry.epoch) {
    return refuse(ErrorCode::invalid_producer_epoch,
                  fmt::format("Epoch of producer {} in {} is {}, which is smaller than the last seen epoch {}",
                              batch.producer_id, topic_partition_, batch.producer_epoch, entry.epoch));
  }
  if (origin != AppendOrigin::client) return {};
  if (entry.transaction_first_offset && !batch.is_transactional() && batch.producer_epoch == entry.epoch) {
    return refuse(ErrorCode::invalid_txn_state, fmt::format("Expected transactional write from producer {} in {}",
                                                            batch.producer_id, topic_partition_));
  }
  const bool new_epoch = batch.producer_epoch != entry.epoch;
  if (new_epoch ? batch.base_sequence == 0 : is_next(entry.last_sequence(), batch.base_sequence)) return {};
  return refuse(ErrorCode::out_of_order_sequence_number,
                new_epoch
                    ? fmt::format("Invalid sequence number for new epoch {} of producer {} in {}: {}, not 0",
                                  batch.producer_epoch, batch.producer_id, topic_partition_, batch.base_sequence)
                    : fmt::format("Out of order sequence number of producer {} in {}: {} (incoming), {} (last)",
                                  batch.producer_id, topic_partition_, batch.base_sequence, entry.last_sequence()));
}

tl::expected<void, record::ValidationFailure> ProducerStateManager::check_marker(const ProducerAppend& marker,
                                                                                 AppendOrigin origin) const {
  const auto found = producers_.find(marker.producer_id);
  if (found == producers_.end() || origin == AppendOrigin::replication) return {};
  if (marker.epoch < found->second.epoch) {
    return refuse(ErrorCode::invalid_producer_epoch, fmt::format("Epoch {} of the marker of producer {} in {} is old",
                                                                 marker.epoch, marker.producer_id, topic_partition_));
  }
  if (marker.coordinator_epoch < found->second.coordinator_epoch) {
    return refuse(ErrorCode::transaction_coordinator_fenced,
                  fmt::format("Coordinator epoch {} of the marker of producer {} in {} is old",
                              marker.coordinator_epoch, marker.producer_id, topic_partition_));
  }
  return {};
}

std::optional<CompletedTransaction> ProducerStateManager::apply(const ProducerAppend& append) {
  end_offset_ = append.last_offset + 1;
  ProducerEntry& entry = producers_[append.producer_id];
  entry.producer_id = append.producer_id;
  if (entry.epoch != append.epoch) entry.batches.clear();
  entry.epoch = append.epoch;
  entry.last_timestamp_ms = append.timestamp_ms;
  if (append.marker) {
    entry.coordinator_epoch = append.coordinator_epoch;
    if (!entry.transaction_first_offset) return std::nullopt;
    CompletedTransaction done{append.producer_id, *entry.transaction_first_offset, append.last_offset, append.abort};
    entry.transaction_first_offset.reset();
    return done;
  }
  const auto delta = static_cast<std::int32_t>(append.last_offset - append.first_offset);
  if (entry.batches.size() == ProducerEntry::kBatchesKept) entry.batches.pop_front();
  entry.batches.push_back({append.last_sequence, append.last_offset, delta, append.timestamp_ms});
  if (append.transactional && !entry.transaction_first_offset) {
    entry.transaction_first_offset = append.first_offset;
    open_[append.first_offset] = append.producer_id;
  }
  return std::nullopt;
}

void ProducerStateManager::recall(const std::map<std::int64_t, ProducerEntry>& recent) {
  for (auto& [id, entry] : producers_) {
    const auto found = recent.find(id);
    if (found == recent.end() || found->second.epoch != entry.epoch || entry.batches.empty()) continue;
    const auto& batches = found->second.batches;
    if (batches.size() > entry.batches.size() && batches.back().last_offset == entry.batches.back().last_offset) {
      entry.batches = batches;
    }
  }
}

std::int64_t ProducerStateManager::last_stable_offset_after(const CompletedTransaction& transaction) const {
  for (const auto& [first_offset, producer_id] : open_) {
    if (producer_id != transaction.producer_id) return first_offset;
  }
  return transaction.last_offset + 1;
}

void ProducerStateManager::complete(const CompletedTransaction& transaction) {
  open_.erase(transaction.first_offset);
  unreplicated_[transaction.first_offset] = transaction;
}

void ProducerStateManager::on_high_watermark(std::int64_t high_watermark) {
  std::erase_if(unreplicated_, [=](const auto& entry) { return entry.second.last_offset < high_watermark; });
}

std::optional<std::int64_t> ProducerStateManager::first_unstable_offset() const {
  std::optional<std::int64_t> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!unreplicated_.empty())
    first = std::min(first.value_or(unreplicated_.begin()->first), unreplicated_.begin()->first);
  return first;
}

bool ProducerStateManager::is_expired(const ProducerEntry& entry, std::int64_t now_ms) const noexcept {
  return !entry.transaction_first_offset && now_ms - entry.last_timestamp_ms >= expiration_ms_;
}

void ProducerStateManager::remove_expired(std::int64_t now_ms) {
  std::erase_if(producers_, [&](const auto& item) { return is_expired(item.second, now_ms); });
}

std::string ProducerStateManager::path_of(std::int64_t offset) const {
  return directory_ + '/' + offset_file_name(offset) + kSnapshotSuffix;
}

Result<bool> ProducerStateManager::take_snapshot(bool sync) {
  if (end_offset_ <= last_snapshot_offset_) return false;
  std::vector<ProducerSnapshotEntry> entries;
  entries.reserve(producers_.size());
  for (const auto& [id, entry] : producers_) {
    ProducerSnapshotEntry out{id,
                              entry.epoch,
                              -1,
                              -1,
                              0,
                              entry.last_timestamp_ms,
                              entry.coordinator_epoch,
                              entry.transaction_first_offset.value_or(-1)};
    if (!entry.batches.empty()) {
      out.last_sequence = entry.batches.back().last_sequence;
      out.last_offset = entry.batches.back().last_offset;
      out.offset_delta = entry.batches.back().offset_delta;
    }
    entries.push_back(out);
  }
  const Bytes bytes = encode_producer_snapshot(entries);
  const std::string path = path_of(end_offset_);
  auto file = files_->open(path, runtime::OpenMode::create_truncated);
  if (!file) return failure(file.error());
  auto written = (*file)->write_at(bytes, 0);
  if (written && sync) written = (*file)->sync();
  if (!written) {
    const auto removed = files_->remove(path);  // what could not be written is of no use
    static_cast<void>(removed);
    return failure(written.error());
  }
  last_snapshot_offset_ = end_offset_;
  return true;
}

std::vector<std::int64_t> ProducerStateManager::snapshot_offsets() const {
  std::vector<std::int64_t> offsets;
  const auto entries = files_->list(directory_);
  if (!entries) return offsets;
  for (const auto& entry : *entries) {
    if (const auto offset = offset_of_file_name(entry.name, kSnapshotSuffix)) offsets.push_back(*offset);
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

Result<bool> ProducerStateManager::load(std::int64_t offset, std::int64_t now_ms) {
  const auto bytes = files_->read(path_of(offset));
  if (!bytes) return failure(bytes.error());
  const auto entries = decode_producer_snapshot(*bytes);
  if (!entries) return false;
  for (const ProducerSnapshotEntry& from : *entries) {
    ProducerEntry entry;
    entry.producer_id = from.producer_id;
    entry.epoch = from.epoch;
    entry.coordinator_epoch = from.coordinator_epoch;
    entry.last_timestamp_ms = from.timestamp_ms;
    if (from.transaction_first_offset >= 0) entry.transaction_first_offset = from.transaction_first_offset;
    if (from.last_offset >= 0)
      entry.batches.push_back({from.last_sequence, from.last_offset, from.offset_delta, from.timestamp_ms});
    if (is_expired(entry, now_ms)) continue;
    if (entry.transaction_first_offset) open_[*entry.transaction_first_offset] = entry.producer_id;
    producers_[entry.producer_id] = std::move(entry);
  }
  end_offset_ = offset;
  last_snapshot_offset_ = offset;
  return true;
}

Result<void> ProducerStateManager::truncate_and_reload(std::int64_t log_start, std::int64_t log_end,
                                                       std::int64_t now_ms) {
  std::vector<std::int64_t> usable;
  for (const std::int64_t offset : snapshot_offsets()) {
    if (offset > log_start && offset <= log_end) {
      usable.push_back(offset);
    } else if (auto removed = files_->remove(path_of(offset)); !removed) {
      return removed;
    }
  }
  if (log_end == end_offset_) return {};
  producers_.clear();
  open_.clear();
  unreplicated_.clear();
  for (; !usable.empty(); usable.pop_back()) {
    const auto loaded = load(usable.back(), now_ms);
    if (!loaded) return failure(loaded.error());
    if (*loaded) return {};
    if (auto removed = files_->remove(path_of(usable.back())); !removed) return removed;
  }
  end_offset_ = log_start;
  last_snapshot_offset_ = log_start;
  return {};
}

Result<void> ProducerStateManager::truncate_fully_and_start_at(std::int64_t offset) {
  producers_.clear();
  open_.clear();
  unreplicated_.clear();
  for (const std::int64_t snapshot : snapshot_offsets()) {
    if (auto removed = files_->remove(path_of(snapshot)); !removed) return removed;
  }
  end_offset_ = offset;
  last_snapshot_offset_ = 0;
  return {};
}

Result<void> ProducerStateManager::remove_stray_snapshots(const std::vector<std::int64_t>& segment_offsets) {
  std::optional<std::int64_t> stray;
  std::vector<std::int64_t> unwanted;
  for (const std::int64_t offset : snapshot_offsets()) {
    if (std::find(segment_offsets.begin(), segment_offsets.end(), offset) != segment_offsets.end()) continue;
    if (stray) unwanted.push_back(*stray);
    stray = offset;
  }
  if (stray && !segment_offsets.empty() && *stray < segment_offsets.back()) unwanted.push_back(*stray);
  for (const std::int64_t offset : unwanted) {
    if (auto removed = files_->remove(path_of(offset)); !removed) return removed;
  }
  return {};
}

Result<void> ProducerStateManager::delete_snapshots_before(std::int64_t offset) {
  for (const std::int64_t snapshot : snapshot_offsets()) {
    if (snapshot >= offset) break;
    if (auto removed = files_->remove(path_of(snapshot)); !removed) return removed;
  }
  return {};
}

}  // namespace barnabas::log
