#include <fmt/core.h>

#include <algorithm>

#include "broker/log/partition_log.h"
#include "common/record/batch_view.h"
#include "common/record/control_record.h"

namespace barnabas::log {
namespace {

using protocol::ErrorCode;
using record::AppendOrigin;
using record::BatchHeader;

constexpr std::size_t kControlRecordLimitBytes = 64 * 1024;

tl::unexpected<AppendFailure> refuse(ErrorCode code, std::string message) {
  return tl::unexpected<AppendFailure>(AppendFailure{code, std::move(message), {}});
}

Result<std::optional<ProducerAppend>> marker_of(const BatchHeader& header, BytesView bytes, ProducerAppend append) {
  const auto batch = record::BatchView::read(bytes);
  if (!batch) return failure(batch.error());
  Bytes scratch;
  const auto plain = batch->plain_records(scratch, kControlRecordLimitBytes);
  if (!plain) return failure(plain.error());
  record::RecordView record;
  auto reader = batch->reader(*plain);
  const auto read = reader.next(record);
  if (!read) return failure(read.error());
  if (!*read || !record.key) return std::nullopt;
  const auto type = record::control_type_of(*record.key);
  if (!type) return failure(type.error());
  if (*type != record::ControlRecordType::abort && *type != record::ControlRecordType::commit) return std::nullopt;
  const auto marker = record::read_end_txn_marker(record.value.value_or(BytesView{}));
  if (!marker) return failure(marker.error());
  append.marker = true;
  append.abort = *type == record::ControlRecordType::abort;
  append.coordinator_epoch = marker->coordinator_epoch;
  append.timestamp_ms = record.timestamp_ms;
  append.last_offset = header.last_offset();
  return append;
}

}  // namespace

Result<std::optional<ProducerAppend>> producer_append_of(const BatchHeader& header, BytesView batch) {
  if (!header.has_producer_id()) return std::nullopt;
  ProducerAppend append;
  append.producer_id = header.producer_id;
  append.epoch = header.producer_epoch;
  append.transactional = header.is_transactional();
  append.first_offset = header.base_offset;
  append.last_offset = header.last_offset();
  append.last_sequence = header.last_sequence();
  append.timestamp_ms = header.max_timestamp_ms;
  if (!header.is_control()) return append;
  if (header.record_count == 0) return std::nullopt;  // compaction took the marker away
  return marker_of(header, batch, append);
}

Result<void> PartitionLog::usable() const {
  if (is_offline()) return failure(ErrorCode::kafka_storage_error, options_.topic_partition + " is offline");
  return {};
}

AppendResult PartitionLog::append_as_leader(MutableBytesView batch, std::int32_t leader_epoch, AppendOrigin origin) {
  const auto view = record::BatchView::read(batch);
  if (!view)
    return refuse(record::kafka_error_of(view.error()), options_.topic_partition + ": " + view.error().message());
  if (origin == AppendOrigin::client && view->header().base_offset != 0) {
    return refuse(ErrorCode::invalid_record,
                  fmt::format("The baseOffset of the record batch in the append to {} should be 0, but it is {}",
                              options_.topic_partition, view->header().base_offset));
  }
  // The long look at the bytes comes before the lock.
  if (auto valid = view->ensure_valid(); !valid) {
    return refuse(ErrorCode::corrupt_message, options_.topic_partition + ": " + valid.error().message());
  }
  const std::lock_guard lock(mutex_);
  if (closed_) return refuse(ErrorCode::not_leader_or_follower, options_.topic_partition + " is closed");
  if (auto ok = usable(); !ok) return refuse(ErrorCode::kafka_storage_error, ok.error().subject);
  const bool recompress =
      config_.compression && !view->header().is_control() && *config_.compression != view->header().compression();
  if (!recompress) return append_locked(batch, leader_epoch, origin);
  auto stored = record::recompress(batch, *config_.compression, config_.compression_level,
                                   options_.settings.recompress_limit_bytes);
  if (!stored) return tl::unexpected(stored.error());
  return append_locked(*stored, leader_epoch, origin);
}

AppendResult PartitionLog::append_locked(MutableBytesView batch, std::int32_t leader_epoch, AppendOrigin origin) {
  const BatchHeader header = *record::read_batch_header(batch);
  const auto size = static_cast<std::int64_t>(batch.size());
  if (origin != AppendOrigin::raft_leader && size > config_.max_message_bytes) {
    return refuse(
        ErrorCode::message_too_large,
        fmt::format(
            "The record batch size in the append to {} is {} bytes which exceeds the maximum configured value of {}",
            options_.topic_partition, size, config_.max_message_bytes));
  }
  if (size > config_.segment_bytes) {
    return refuse(ErrorCode::record_list_too_large,
                  fmt::format("Message batch size is {} bytes in append to partition {}, which exceeds the maximum "
                              "configured segment size of {}",
                              size, options_.topic_partition, config_.segment_bytes));
  }
  AppendInfo info;
  info.log_start_offset = log_start_offset();
  info.record_count = header.record_count;
  if (header.has_producer_id() && !header.is_control()) {
    const auto kept = origin == AppendOrigin::client ? producers_.duplicate_of(header) : std::nullopt;
    if (kept) {
      info.first_offset = kept->first_offset();
      info.last_offset = kept->last_offset;
      info.max_timestamp_ms = kept->timestamp_ms;
      if (config_.timestamp_type == record::TimestampType::log_append_time)
        info.log_append_time_ms = kept->timestamp_ms;
      info.duplicate = true;
      return info;
    }
    if (auto fits = producers_.check(header, origin); !fits) return tl::unexpected(fits.error());
  }
  record::ValidationRules rules;
  rules.topic_partition = options_.topic_partition;
  rules.now_ms = env_.clock().wall_ms();
  rules.timestamp_type = config_.timestamp_type;
  rules.timestamp_before_max_ms = config_.timestamp_before_max_ms;
  rules.timestamp_after_max_ms = config_.timestamp_after_max_ms;
  rules.compacted = config_.cleanup_compact;
  rules.leader_epoch = leader_epoch;
  rules.origin = origin;
  const auto validated = record::validate_and_stamp(batch, log_end_offset(), rules);
  if (!validated) return tl::unexpected(validated.error());
  const bool stamps_time =
      config_.timestamp_type == record::TimestampType::log_append_time && origin != AppendOrigin::raft_leader;
  if (stamps_time) info.log_append_time_ms = rules.now_ms;
  return write_batch(batch, *record::read_batch_header(batch), info);
}

AppendResult PartitionLog::append_as_follower(BytesView batches) {
  const std::lock_guard lock(mutex_);
  if (closed_) return refuse(ErrorCode::not_leader_or_follower, options_.topic_partition + " is closed");
  if (auto ok = usable(); !ok) return refuse(ErrorCode::kafka_storage_error, ok.error().subject);
  record::BatchCursor cursor(batches);
  AppendInfo total;
  total.log_start_offset = log_start_offset();
  while (true) {
    const auto next = cursor.next();
    if (!next) return refuse(record::kafka_error_of(next.error()), next.error().message());
    if (!*next) return total;
    const auto batch = record::BatchView::read(**next);
    if (!batch) return refuse(record::kafka_error_of(batch.error()), batch.error().message());
    if (auto valid = batch->ensure_valid(); !valid) return refuse(ErrorCode::corrupt_message, valid.error().message());
    if (batch->header().base_offset < log_end_offset() || batch->header().last_offset_delta < 0) {
      return refuse(ErrorCode::unknown_server_error,
                    fmt::format("Out of order offsets in append to {}: {} before the log end {}",
                                options_.topic_partition, batch->header().base_offset, log_end_offset()));
    }
    auto written = write_batch(**next, batch->header(), {});
    if (!written) return written;
    if (total.first_offset < 0) total.first_offset = written->first_offset;
    total.last_offset = written->last_offset;
    total.max_timestamp_ms = std::max(total.max_timestamp_ms, written->max_timestamp_ms);
    total.record_count += batch->header().record_count;
  }
}

AppendResult PartitionLog::write_batch(BytesView batch, const BatchHeader& header, AppendInfo info) {
  // A marker that cannot be read is found before anything changes.
  if (auto readable = producer_append_of(header, batch); !readable) {
    return refuse(record::kafka_error_of(readable.error()), readable.error().message());
  }
  if (auto rolled = roll_if_needed(header, batch.size()); !rolled) return storage_failure(rolled.error());
  const auto latest = epochs_.latest();
  if (header.partition_leader_epoch >= 0 && (!latest || latest->epoch < header.partition_leader_epoch)) {
    epochs_.assign(header.partition_leader_epoch, header.base_offset);
  }
  Segment& active = *segments_->back();
  if (auto written = active.append(batch); !written) return storage_failure(written.error());
  info.first_offset = header.base_offset;
  info.last_offset = header.last_offset();
  info.max_timestamp_ms = header.max_timestamp_ms;
  log_end_.store(header.next_offset(), std::memory_order_release);
  auto applied = apply_producer(header, batch);
  publish();
  if (!applied) return storage_failure(go_offline(applied.error()).value());
  if (log_end_offset() - recovery_point() >= config_.flush_messages) {
    const auto may_rise = sync_sealed(view());
    if (!may_rise) return storage_failure(may_rise.error());
    if (auto synced = active.sync(); !synced) return storage_failure(go_offline(synced.error()).value());
    if (*may_rise) recovery_point_.store(log_end_offset(), std::memory_order_release);
  }
  return info;
}

Result<void> PartitionLog::apply_producer(const BatchHeader& header, BytesView batch) {
  const auto append = producer_append_of(header, batch);
  if (append && *append) {
    if (const auto done = producers_.apply(**append)) {
      const std::int64_t stable = producers_.last_stable_offset_after(*done);
      producers_.complete(*done);
      has_unreplicated_.store(true, std::memory_order_release);
      update_first_unstable();
      if (done->aborted) {
        return segments_->back()->transaction_index().append(
            {done->producer_id, done->first_offset, done->last_offset, stable});
      }
    }
    if ((*append)->transactional) update_first_unstable();
  }
  producers_.set_end_offset(header.next_offset());
  return {};
}

tl::unexpected<AppendFailure> PartitionLog::storage_failure(const Failure& why) {
  // A full disk was backed away from; anything else, or a tail that could not be cut, ends the log's service.
  if (why.code != make_error_code(Errc::storage_full) || segments_->back()->is_torn()) {
    offline_.store(true, std::memory_order_release);
  }
  return refuse(ErrorCode::kafka_storage_error, options_.topic_partition + ": " + why.message());
}

Result<void> PartitionLog::roll_if_needed(const BatchHeader& header, std::size_t size_bytes) {
  const Segment& active = *segments_->back();
  const std::uint64_t size = active.size_bytes();
  const bool fits = active.can_hold(header.last_offset());
  if (size == 0 && fits) return {};
  const std::int64_t age = active.age_ms(env_.clock().wall_ms(), header.max_timestamp_ms);
  const bool full = size + size_bytes > static_cast<std::uint64_t>(config_.segment_bytes);
  if (!full && age <= config_.segment_ms - roll_jitter_ms_ && !active.indexes_full() && fits) return {};
  return roll_locked(size == 0 ? header.base_offset : log_end_offset());
}

/// Source: Kafka's LogConfig.randomSegmentJitter.
void PartitionLog::draw_roll_jitter() {
  const std::int64_t most = std::min(config_.segment_jitter_ms, config_.segment_ms);
  roll_jitter_ms_ = most <= 0 ? 0 : static_cast<std::int64_t>(env_.random().below(static_cast<std::uint64_t>(most)));
}

/// A file that stayed behind where the rest could not be made would be taken for the log's end at the next start, and
/// what the old segment holds by then would be lost.
Result<std::shared_ptr<Segment>> PartitionLog::open_next_segment(std::int64_t base_offset) {
  auto opened = Segment::open(env_.files(), options_.directory, base_offset, config_, env_.clock().wall_ms());
  if (opened) return opened;
  auto removed = Segment::remove_leftovers(env_.files(), options_.directory, base_offset);
  return removed ? std::move(opened) : failure(removed.error());
}

Result<void> PartitionLog::roll_locked(std::int64_t base_offset) {
  Segment& old = *segments_->back();
  if (const auto taken = producers_.take_snapshot(false); !taken) return failure(taken.error());
  auto opened = open_next_segment(base_offset);
  if (!opened) return failure(opened.error());
  auto ready = (*opened)->make_active();
  if (ready) ready = old.seal();
  if (!ready) {
    // It must not stay: the old segment goes on, and may grow past where this one begins.
    auto removed = (*opened)->remove(env_.files());
    return removed ? ready : removed;
  }
  auto segments = std::make_shared<SegmentList>(*segments_);
  std::shared_ptr<Segment> replaced;
  if (old.size_bytes() == 0) {
    replaced = segments->back();
    segments->pop_back();
  }
  segments->push_back(std::move(*opened));
  segments_ = std::move(segments);
  draw_roll_jitter();
  directory_changed_.store(true, std::memory_order_release);
  publish();
  return replaced ? replaced->remove(env_.files()) : Result<void>{};
}

Result<void> PartitionLog::roll() {
  const std::lock_guard lock(mutex_);
  if (auto ok = usable(); !ok) return ok;
  return segments_->back()->size_bytes() == 0 ? Result<void>{} : roll_locked(log_end_offset());
}

}  // namespace barnabas::log
