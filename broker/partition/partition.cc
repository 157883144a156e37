#include "broker/partition/partition.h"

#include <fmt/core.h>

namespace barnabas::partition {

using protocol::ErrorCode;

Partition::Partition(PartitionId id, std::shared_ptr<log::PartitionLog> log, MoveListener on_move)
    : id_(std::move(id)), log_(std::move(log)), on_move_(std::move(on_move)) {}

void Partition::moved() const {
  if (on_move_) on_move_(id_.topic_id, id_.index);
}

Result<void> Partition::become_leader(std::int32_t leader_epoch, std::int32_t in_sync_replicas) {
  {
    const std::lock_guard lock(leadership_mutex_);
    in_sync_replicas_.store(in_sync_replicas, std::memory_order_release);
    if (leader_epoch != this->leader_epoch()) {
      log_->assign_leader_epoch(leader_epoch);
      leader_epoch_.store(leader_epoch, std::memory_order_release);
    }
    // Alone in the ISR, what is in the log is committed.
    if (in_sync_replicas <= 1) log_->set_high_watermark(log_->log_end_offset());
    is_leader_.store(true, std::memory_order_release);
  }
  moved();
  return {};
}

void Partition::become_follower(std::int32_t leader_epoch) {
  {
    const std::lock_guard lock(leadership_mutex_);
    is_leader_.store(false, std::memory_order_release);
    leader_epoch_.store(leader_epoch, std::memory_order_release);
  }
  moved();
}

void Partition::retire(ErrorCode why) {
  retired_.store(why, std::memory_order_release);
  is_leader_.store(false, std::memory_order_release);
  moved();
}

ErrorCode Partition::check_leader(std::int32_t current_leader_epoch) const noexcept {
  const ErrorCode retired = retired_.load(std::memory_order_acquire);
  if (retired != ErrorCode::none) return retired;
  const std::int32_t ours = leader_epoch();
  if (current_leader_epoch >= 0 && current_leader_epoch < ours) return ErrorCode::fenced_leader_epoch;
  if (current_leader_epoch > ours) return ErrorCode::unknown_leader_epoch;
  return is_leader() ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

log::AppendResult Partition::append(MutableBytesView batch, std::int16_t required_acks, record::AppendOrigin origin) {
  const auto refuse = [](ErrorCode code, std::string message) {
    return tl::unexpected<log::AppendFailure>(log::AppendFailure{code, std::move(message), {}});
  };
  if (const ErrorCode why = check_leader(record::kNoLeaderEpoch); why != ErrorCode::none) {
    return refuse(why, fmt::format("{} is not led by this broker", id_.to_string()));
  }
  const std::int32_t needed = log_->min_insync_replicas();
  if (required_acks == -1 && in_sync_replicas() < needed) {
    return refuse(ErrorCode::not_enough_replicas, fmt::format("{} has {} in-sync replicas, min.insync.replicas is {}",
                                                              id_.to_string(), in_sync_replicas(), needed));
  }
  auto appended = log_->append_as_leader(batch, leader_epoch(), origin);
  if (!appended || appended->duplicate) return appended;
  if (in_sync_replicas() <= 1) log_->set_high_watermark(appended->last_offset + 1);
  moved();
  return appended;
}

Result<log::FetchSlice> Partition::read(std::int64_t offset, std::size_t max_bytes, bool min_one_batch,
                                        log::ReadBound bound) const {
  return log_->read(offset, max_bytes, min_one_batch, bound);
}

Result<log::TimestampedOffset> Partition::list_offset(std::int64_t timestamp_ms, log::ReadBound latest_bound) const {
  log::TimestampedOffset answer;
  switch (timestamp_ms) {
    case list_offsets::kEarliest:
    case list_offsets::kEarliestLocal:
      answer.offset = log_->log_start_offset();
      answer.leader_epoch = log_->epoch_of(answer.offset);
      return answer;
    case list_offsets::kLatest:
      answer.offset = latest_bound == log::ReadBound::last_stable_offset ? log_->last_stable_offset()
                      : latest_bound == log::ReadBound::high_watermark   ? log_->high_watermark()
                                                                         : log_->log_end_offset();
      answer.leader_epoch = leader_epoch();
      return answer;
    case list_offsets::kLatestTiered:
    case list_offsets::kEarliestPendingUpload:
      return answer;  // there is no tiered storage
    default:
      break;
  }
  const auto found = timestamp_ms == list_offsets::kMaxTimestamp ? log_->offset_of_max_timestamp()
                                                                 : log_->offset_for_timestamp(timestamp_ms);
  if (!found) return failure(found.error());
  const std::int64_t bound = latest_bound == log::ReadBound::last_stable_offset ? log_->last_stable_offset()
                             : latest_bound == log::ReadBound::high_watermark   ? log_->high_watermark()
                                                                                : log_->log_end_offset();
  if (*found && ((*found)->offset < bound || timestamp_ms == list_offsets::kMaxTimestamp)) answer = **found;
  return answer;
}

log::EpochEndOffset Partition::end_offset_for_epoch(std::int32_t leader_epoch) const {
  return log_->end_offset_for_epoch(leader_epoch);
}

Result<std::int64_t> Partition::delete_records_before(std::int64_t offset) {
  const std::int64_t target = offset == -1 ? log_->high_watermark() : offset;
  if (target < 0) return failure(ErrorCode::offset_out_of_range, id_.to_string() + ": " + std::to_string(offset));
  if (auto set = log_->set_log_start_offset(target); !set) return failure(set.error());
  moved();
  return log_->log_start_offset();
}

}  // namespace barnabas::partition
