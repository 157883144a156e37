#include <algorithm>
#include <iterator>

#include "broker/log/partition_log.h"

namespace barnabas::log {

std::size_t PartitionLog::expired_segments(const SegmentList& segments, std::int64_t now_ms) const {
  std::int64_t size = 0;
  for (const auto& segment : segments) size += static_cast<std::int64_t>(segment->size_bytes());
  std::size_t count = 0;
  for (; count < segments.size(); ++count) {
    const Segment& segment = *segments[count];
    const bool last = count + 1 == segments.size();
    const std::int64_t end = last ? log_end_offset() : segments[count + 1]->base_offset();
    const auto bytes = static_cast<std::int64_t>(segment.size_bytes());
    if (end > high_watermark() || (last && bytes == 0)) break;
    const std::int64_t newest = segment.max_timestamp_ms() >= 0 ? segment.max_timestamp_ms() : segment.created_ms();
    const bool old = config_.cleanup_delete && config_.retention_ms >= 0 && now_ms - newest > config_.retention_ms;
    const bool much = config_.cleanup_delete && config_.retention_bytes >= 0 && size - bytes >= config_.retention_bytes;
    const bool before_start = !last && end <= log_start_offset();
    if (!old && !much && !before_start) break;
    size -= bytes;
  }
  return count;
}

Result<std::size_t> PartitionLog::apply_retention() {
  SegmentList unwanted;
  const std::int64_t now = env_.clock().wall_ms();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return 0;
    if (auto ok = usable(); !ok) return failure(ok.error());
    producers_.remove_expired(now);
    const std::size_t count = expired_segments(*segments_, now);
    if (count == 0) return 0;
    if (count == segments_->size()) {
      if (auto rolled = roll_locked(log_end_offset()); !rolled) return failure(rolled.error());
    }
    const std::shared_ptr<const SegmentList> all = segments_;  // `middle` points into it
    const auto middle = all->begin() + static_cast<std::ptrdiff_t>(count);
    unwanted.assign(all->begin(), middle);
    const std::int64_t start = std::max(log_start_offset(), (*middle)->base_offset());
    log_start_.store(start, std::memory_order_release);
    segments_ = std::make_shared<const SegmentList>(middle, all->end());
    publish();
    if (auto cut = epochs_.truncate_from_start(start); !cut) return go_offline(cut.error());
    if (auto deleted = producers_.delete_snapshots_before((*middle)->base_offset()); !deleted) {
      return failure(deleted.error());
    }
  }
  if (auto dropped = drop_segments(unwanted, now); !dropped) return failure(dropped.error());
  return unwanted.size();
}

/// Renames the files at once; they go when file.delete.delay.ms is over, or at the next start.
Result<void> PartitionLog::drop_segments(const SegmentList& unwanted, std::int64_t now_ms) {
  for (const auto& segment : unwanted) {
    if (auto renamed = segment->rename_for_deletion(env_.files()); !renamed) return renamed;
    const std::lock_guard lock(mutex_);
    doomed_.push_back({segment, now_ms + config_.file_delete_delay_ms});
  }
  return remove_doomed(now_ms);
}

Result<void> PartitionLog::remove_doomed(std::int64_t now_ms) {
  std::vector<Doomed> due;
  {
    const std::lock_guard lock(mutex_);
    const auto is_due = [now_ms](const Doomed& one) { return one.due_ms <= now_ms; };
    std::copy_if(doomed_.begin(), doomed_.end(), std::back_inserter(due), is_due);
    std::erase_if(doomed_, is_due);
  }
  for (const Doomed& one : due) {
    if (auto removed = one.segment->remove_renamed(env_.files()); !removed) return removed;
  }
  return {};
}

Result<void> PartitionLog::truncate_segments(std::int64_t offset) {
  SegmentList kept;
  SegmentList unwanted;
  for (const auto& segment : *segments_) (segment->base_offset() < offset ? kept : unwanted).push_back(segment);
  // The later ones first: whatever ends this in the middle leaves no hole.
  for (auto segment = unwanted.rbegin(); segment != unwanted.rend(); ++segment) {
    if (auto removed = (*segment)->remove(env_.files()); !removed) return removed;
  }
  if (kept.empty()) return start_at(offset);
  if (!unwanted.empty()) {
    if (auto active = kept.back()->make_active(); !active) return active;
  }
  if (auto cut = kept.back()->truncate_to(offset); !cut) return failure(cut.error());
  segments_ = std::make_shared<const SegmentList>(std::move(kept));
  return {};
}

Result<void> PartitionLog::truncate_to(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (auto ok = usable(); !ok) return ok;
  if (offset >= log_end_offset()) return {};
  if (offset < log_start_offset()) {
    return failure(protocol::ErrorCode::offset_out_of_range,
                   options_.topic_partition + ": " + std::to_string(offset) + " is before the log start");
  }
  if (auto cut = truncate_segments(offset); !cut) return go_offline(cut.error());
  const auto end = segments_->back()->read_next_offset();
  if (!end) return go_offline(end.error());
  // A batch goes as a whole: the end may lie before the offset asked for.
  const std::int64_t new_end = std::max(*end, log_start_offset());
  log_end_.store(new_end, std::memory_order_release);
  if (high_watermark() > new_end) high_watermark_.store(new_end, std::memory_order_release);
  if (recovery_point() > new_end) recovery_point_.store(new_end, std::memory_order_release);
  if (auto cut = epochs_.truncate_from_end(new_end); !cut) return go_offline(cut.error());
  if (auto written = epochs_.write_if_changed(); !written) return go_offline(written.error());
  if (auto rebuilt = rebuild_producers(producers_, *segments_, new_end); !rebuilt) return go_offline(rebuilt.error());
  if (auto recalled = recall_batches(producers_, *segments_); !recalled) return go_offline(recalled.error());
  has_unreplicated_.store(producers_.has_unreplicated(), std::memory_order_release);
  update_first_unstable();
  publish();
  return {};
}

Result<void> PartitionLog::truncate_fully_and_start_at(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (auto ok = usable(); !ok) return ok;
  for (auto segment = segments_->rbegin(); segment != segments_->rend(); ++segment) {
    if (auto removed = (*segment)->remove(env_.files()); !removed) return go_offline(removed.error());
  }
  if (auto started = start_at(offset); !started) return go_offline(started.error());
  if (auto cleared = epochs_.clear(); !cleared) return go_offline(cleared.error());
  if (auto cleared = producers_.truncate_fully_and_start_at(offset); !cleared) return go_offline(cleared.error());
  log_start_.store(offset, std::memory_order_release);
  log_end_.store(offset, std::memory_order_release);
  high_watermark_.store(offset, std::memory_order_release);
  recovery_point_.store(offset, std::memory_order_release);
  has_unreplicated_.store(false, std::memory_order_release);
  update_first_unstable();
  publish();
  return {};
}

}  // namespace barnabas::log
