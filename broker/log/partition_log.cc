#include "broker/log/partition_log.h"

#include <algorithm>
#include <limits>

#include "broker/log/partition_metadata.h"

namespace barnabas::log {
namespace {

constexpr const char* kEpochsFile = "/leader-epoch-checkpoint";  // EpochCache's
constexpr std::int64_t kIdleRoomMs = 60'000;
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

/// Raises an atomic to `value`; whether it was lower.
bool raise(std::atomic<std::int64_t>& target, std::int64_t value) {
  std::int64_t old = target.load(std::memory_order_acquire);
  while (old < value) {
    if (target.compare_exchange_weak(old, value, std::memory_order_acq_rel)) return true;
  }
  return false;
}

}  // namespace

PartitionLog::PartitionLog(runtime::Env& env, OpenOptions options)
    : env_(env),
      options_(std::move(options)),
      producers_(env.files(), options_.directory, options_.topic_partition,
                 options_.settings.producer_id_expiration_ms),
      config_(options_.config),
      first_unstable_(kNone),
      min_insync_replicas_(config_.min_insync_replicas) {}

PartitionLog::~PartitionLog() = default;

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(runtime::Env& env, OpenOptions options) {
  std::unique_ptr<PartitionLog> log(new PartitionLog(env, std::move(options)));
  if (auto loaded = log->load(); !loaded) return failure(loaded.error());
  return log;
}

std::uint64_t PartitionLog::View::limit_of(std::size_t segment) const {
  return segment + 1 == segments->size() ? active_size : (*segments)[segment]->size_bytes();
}

std::int64_t PartitionLog::View::end_of(std::size_t segment) const {
  return segment + 1 == segments->size() ? log_end : (*segments)[segment + 1]->base_offset();
}

PartitionLog::View PartitionLog::view() const {
  const std::lock_guard lock(view_mutex_);
  return view_;
}

void PartitionLog::publish() {
  const std::lock_guard lock(view_mutex_);
  if (view_.segments != segments_) view_.segments = segments_;
  view_.log_end = log_end_.load(std::memory_order_relaxed);
  view_.active_size = segments_->back()->size_bytes();
}

tl::unexpected<Failure> PartitionLog::go_offline(Failure why) {
  offline_.store(true, std::memory_order_release);
  return failure(protocol::ErrorCode::kafka_storage_error, options_.topic_partition + " is offline: " + why.message());
}

void PartitionLog::update_first_unstable() {
  const auto first = producers_.first_unstable_offset();
  first_unstable_.store(first.value_or(kNone), std::memory_order_release);
}

std::int64_t PartitionLog::last_stable_offset() const noexcept {
  return std::min(high_watermark(), first_unstable_.load(std::memory_order_acquire));
}

bool PartitionLog::set_high_watermark(std::int64_t offset) {
  if (!raise(high_watermark_, std::min(offset, log_end_offset()))) return false;
  if (has_unreplicated_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(mutex_);
    producers_.on_high_watermark(high_watermark());
    has_unreplicated_.store(producers_.has_unreplicated(), std::memory_order_release);
    update_first_unstable();
  }
  return true;
}

Result<void> PartitionLog::set_log_start_offset(std::int64_t offset) {
  if (offset > high_watermark()) {
    return failure(protocol::ErrorCode::offset_out_of_range,
                   options_.topic_partition + ": " + std::to_string(offset) + " is above the high watermark");
  }
  const std::lock_guard lock(mutex_);
  if (!raise(log_start_, offset)) return {};
  return epochs_.truncate_from_start(offset);
}

void PartitionLog::assign_leader_epoch(std::int32_t leader_epoch) {
  const std::lock_guard lock(mutex_);
  epochs_.assign(leader_epoch, log_end_offset());
}

std::optional<std::int32_t> PartitionLog::latest_epoch() const {
  const auto latest = epochs_.latest();
  return latest ? std::optional(latest->epoch) : std::nullopt;
}

std::int32_t PartitionLog::epoch_of(std::int64_t offset) const {
  return epochs_.epoch_of(offset);
}

EpochEndOffset PartitionLog::end_offset_for_epoch(std::int32_t leader_epoch) const {
  const auto [epoch, offset] = epochs_.end_offset_for(leader_epoch, log_end_offset());
  return {epoch, offset};
}

/// Recovery finds an epoch only behind the recovery point: where the disk is too full for the epochs' file, the point
/// stays.
Result<bool> PartitionLog::write_epochs() {
  const auto written = epochs_.write_if_changed();
  if (written) return true;
  if (written.error().code == make_error_code(Errc::storage_full)) return false;
  return go_offline(written.error());
}

/// Of a new log all waits until it holds something that must not be lost: a start makes anew what a crash took of an
/// empty one.
Result<void> PartitionLog::sync_names() {
  runtime::Files& files = env_.files();
  if (name_unsynced_.exchange(false, std::memory_order_acq_rel)) {
    directory_changed_.store(true, std::memory_order_release);
    if (auto synced = sync_partition_metadata(files, options_.directory); !synced) return synced;
    const std::size_t slash = options_.directory.rfind('/');
    if (auto synced = files.sync_directory(options_.directory.substr(0, slash)); !synced) return synced;
  }
  if (!directory_changed_.exchange(false, std::memory_order_acq_rel)) return {};
  return files.sync_directory(options_.directory);
}

Result<bool> PartitionLog::sync_sealed(const View& seen) {
  // A new segment's bytes are only as safe as its name; the epochs' file makes names durable too, so it comes later.
  if (auto synced = sync_names(); !synced) return go_offline(synced.error());
  const auto epochs_are_written = write_epochs();
  if (!epochs_are_written) return epochs_are_written;
  for (std::size_t i = 0; i + 1 < seen.segments->size(); ++i) {
    if (seen.end_of(i) <= recovery_point()) continue;
    if (auto synced = (*seen.segments)[i]->sync(); !synced) return go_offline(synced.error());
    if (*epochs_are_written) raise(recovery_point_, seen.end_of(i));
  }
  return epochs_are_written;
}

Result<void> PartitionLog::flush() {
  if (auto ok = usable(); !ok) return ok;
  const View seen = view();
  const auto may_rise = sync_sealed(seen);
  if (!may_rise) return failure(may_rise.error());
  if (seen.log_end > recovery_point()) {
    if (auto synced = seen.segments->back()->sync(); !synced) return go_offline(synced.error());
    if (*may_rise) raise(recovery_point_, seen.log_end);
  }
  last_flush_ms_.store(env_.clock().wall_ms(), std::memory_order_relaxed);
  return {};
}

PartitionLog::Chores PartitionLog::chores() const {
  const std::lock_guard lock(mutex_);
  Chores chores;
  chores.closed = closed_;
  chores.flush_ms = config_.flush_ms;
  chores.has_unsynced_sealed = segments_->size() > 1 && segments_->back()->base_offset() > recovery_point();
  chores.has_doomed = !doomed_.empty();
  chores.has_room_ahead = segments_->back()->has_room_ahead();
  return chores;
}

Result<void> PartitionLog::flush_if_due() {
  const Chores due = chores();  // a broker asks 10,000 logs each second, of which most have none
  if (due.closed) return {};
  if (auto ok = usable(); !ok) return ok;
  const std::int64_t now = env_.clock().wall_ms();
  Result<void> done;
  if (now - last_flush_ms_.load(std::memory_order_relaxed) >= due.flush_ms) {
    done = flush();
  } else if (due.has_unsynced_sealed) {
    if (const auto synced = sync_sealed(view()); !synced) done = failure(synced.error());
  }
  if (done && due.has_doomed) done = remove_doomed(now);
  if (done && due.has_room_ahead) done = give_back_idle_room(now);
  // The topic was deleted meanwhile, and the files with it.
  return done || !is_closed() ? done : Result<void>{};
}

Result<void> PartitionLog::give_back_idle_room(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Segment& active = *segments_->back();
  if (closed_ || !active.has_room_ahead()) return {};
  if (active.size_bytes() != size_seen_) {
    size_seen_ = active.size_bytes();
    size_seen_ms_ = now_ms;
  }
  if (now_ms - size_seen_ms_ < kIdleRoomMs) return {};
  if (auto done = active.give_back_room(); !done) return go_offline(done.error());
  return {};
}

bool PartitionLog::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::uint64_t PartitionLog::size_bytes() const {
  const View seen = view();
  std::uint64_t total = 0;
  for (const auto& segment : *seen.segments) total += segment->size_bytes();
  return total;
}

std::size_t PartitionLog::segment_count() const {
  return view().segments->size();
}

std::int64_t PartitionLog::first_segment_offset() const {
  return view().segments->front()->base_offset();
}

LogConfig PartitionLog::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

void PartitionLog::set_config(const LogConfig& config) {
  const std::lock_guard lock(mutex_);
  config_ = config;
  min_insync_replicas_.store(config.min_insync_replicas, std::memory_order_relaxed);
}

std::size_t PartitionLog::producer_count() const {
  const std::lock_guard lock(mutex_);
  return producers_.producers().size();
}

Result<void> PartitionLog::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return {};
    closed_ = true;
  }
  if (is_offline()) return failure(protocol::ErrorCode::kafka_storage_error, options_.topic_partition);
  const View seen = view();
  if (seen.log_end == 0 && size_bytes() == 0 && name_unsynced_.load(std::memory_order_acquire)) {
    // Nothing to lose; but an epochs' file that is there says what is so.
    if (!env_.files().exists(options_.directory + kEpochsFile)) return {};
    const auto written = write_epochs();
    return written ? Result<void>{} : failure(written.error());
  }
  const auto may_rise = sync_sealed(seen);
  if (!may_rise) return failure(may_rise.error());
  if (!*may_rise) return failure(Errc::storage_full, options_.topic_partition + ": no room for the leader epochs");
  const std::lock_guard lock(mutex_);
  Segment& active = *seen.segments->back();
  if (auto sealed = active.seal(); !sealed) return go_offline(sealed.error());
  // Most logs of a broker that stops were synced long ago, and a sync that has nothing to do still takes its time.
  const bool may_be_unsynced = seen.log_end > recovery_point() || active.is_unsynced() || !options_.clean_shutdown;
  auto synced = may_be_unsynced ? active.sync() : active.sync_indexes();
  if (!synced) return go_offline(synced.error());
  raise(recovery_point_, seen.log_end);
  const auto taken = producers_.take_snapshot(true);
  if (!taken) return go_offline(taken.error());
  return *taken ? env_.files().sync_directory(options_.directory) : Result<void>{};
}

void PartitionLog::retire() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  const View seen = view();
  for (const auto& segment : *seen.segments) segment->retire();
}

}  // namespace barnabas::log
