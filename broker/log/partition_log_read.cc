#include <algorithm>
#include <limits>

#include "broker/log/partition_log.h"
#include "common/record/batch_view.h"

namespace barnabas::log {
namespace {

using protocol::ErrorCode;

/// The most that one batch may hold plain when a timestamp is looked for in it.
constexpr std::size_t kPlainLimitBytes = 256 * 1024 * 1024;

/// The segment that holds `offset`, or would.
template <typename Segments>
std::size_t segment_of(const Segments& segments, std::int64_t offset) {
  const auto above = std::upper_bound(segments.begin(), segments.end(), offset,
                                      [](std::int64_t at, const auto& segment) { return at < segment->base_offset(); });
  return above == segments.begin() ? 0 : static_cast<std::size_t>(above - segments.begin()) - 1;
}

/// First record of the batch that is at least this late and not before `from_offset`.
Result<std::optional<TimestampedOffset>> find_record(BytesView bytes, std::int64_t timestamp_ms,
                                                     std::int64_t from_offset) {
  const auto batch = record::BatchView::read(bytes);
  if (!batch) return failure(batch.error());
  Bytes scratch;
  const auto plain = batch->plain_records(scratch, kPlainLimitBytes);
  if (!plain) return failure(plain.error());
  auto reader = batch->reader(*plain);
  record::RecordView record;
  while (true) {
    const auto read = reader.next(record);
    if (!read) return failure(read.error());
    if (!*read) return std::nullopt;
    if (record.timestamp_ms >= timestamp_ms && record.offset >= from_offset) {
      return TimestampedOffset{record.timestamp_ms, record.offset, batch->header().partition_leader_epoch};
    }
  }
}

}  // namespace

Result<Bytes> FetchSlice::bytes() const {
  Bytes bytes(length);
  if (length == 0) return bytes;
  const auto size = file->read_at(bytes, position);
  if (!size) return failure(size.error());
  bytes.resize(*size);
  return bytes;
}

Result<FetchSlice> PartitionLog::read(std::int64_t offset, std::size_t max_bytes, bool min_one_batch,
                                      ReadBound bound) const {
  if (auto ok = usable(); !ok) return failure(ok.error());
  FetchSlice slice;
  // The marks before the view: they only rise, so the view holds whatever they allow.
  slice.high_watermark = high_watermark();
  slice.last_stable_offset = std::min(slice.high_watermark, first_unstable_.load(std::memory_order_acquire));
  const View seen = view();
  slice.log_start_offset = log_start_offset();
  slice.log_end_offset = seen.log_end;
  if (offset < slice.log_start_offset || offset > seen.log_end) {
    return failure(ErrorCode::offset_out_of_range, options_.topic_partition + ": offset " + std::to_string(offset) +
                                                       " is outside of " + std::to_string(slice.log_start_offset) +
                                                       " to " + std::to_string(seen.log_end));
  }
  const std::int64_t upper = bound == ReadBound::log_end          ? seen.log_end
                             : bound == ReadBound::high_watermark ? slice.high_watermark
                                                                  : slice.last_stable_offset;
  if (offset >= upper || (max_bytes == 0 && !min_one_batch)) return slice;
  for (std::size_t i = segment_of(*seen.segments, offset); i < seen.segments->size(); ++i) {
    const Segment& segment = *(*seen.segments)[i];
    if (segment.base_offset() >= upper) return slice;
    std::uint64_t end = seen.limit_of(i);
    const auto first = segment.find(offset, end);
    if (!first) return failure(first.error());
    if (!*first) continue;  // compaction left a gap up to the next segment
    if ((*first)->header.base_offset >= upper) return slice;
    if (upper < seen.end_of(i)) {
      const auto behind = segment.find(upper, end);
      if (!behind) return failure(behind.error());
      if (*behind) end = (*behind)->position;
    }
    if (end <= (*first)->position) return slice;
    // Of a batch that does not fit nothing is sent: whoever asks goes on with the partitions that do (Kafka, from fetch
    // version 3 on).
    if (!min_one_batch && (*first)->header.size_bytes() > max_bytes) return slice;
    slice.file = segment.file();
    slice.position = (*first)->position;
    const std::size_t wanted = min_one_batch ? std::max(max_bytes, (*first)->header.size_bytes()) : max_bytes;
    slice.length = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end - slice.position));
    slice.ends_segment = slice.length == end - slice.position && seen.end_of(i) < upper;
    if (bound == ReadBound::last_stable_offset) {
      bool complete = false;
      const std::int64_t seen_up_to = std::min(upper, seen.end_of(i));
      for (std::size_t j = i; j < seen.segments->size() && !complete; ++j) {
        (*seen.segments)[j]->transaction_index().collect(offset, seen_up_to, slice.aborted, complete);
      }
    }
    return slice;
  }
  return slice;
}

Result<std::optional<TimestampedOffset>> PartitionLog::find_timestamp(const Segment& segment, std::uint64_t limit,
                                                                      std::int64_t from_offset,
                                                                      std::int64_t timestamp_ms) const {
  const bool lowest = timestamp_ms == std::numeric_limits<std::int64_t>::min();
  const auto near = segment.time_index().entry_before(lowest ? timestamp_ms : timestamp_ms - 1);
  if (!near) return failure(near.error());
  const auto from = segment.start_of_search(std::max(near->offset, from_offset), limit);
  if (!from) return failure(from.error());
  Result<std::optional<TimestampedOffset>> found = std::optional<TimestampedOffset>{};
  auto scanned = segment.scan(*from, limit, [&](const BatchAt& at) {
    if (at.header.max_timestamp_ms < timestamp_ms || at.header.last_offset() < from_offset) return true;
    const auto bytes = segment.read(at);
    if (!bytes) {
      found = failure(bytes.error());
      return false;
    }
    found = find_record(*bytes, timestamp_ms, from_offset);
    return found && !*found;
  });
  if (!scanned) return failure(scanned.error());
  return found;
}

Result<std::optional<TimestampedOffset>> PartitionLog::offset_for_timestamp(std::int64_t timestamp_ms) const {
  if (auto ok = usable(); !ok) return failure(ok.error());
  const View seen = view();
  for (std::size_t i = 0; i < seen.segments->size(); ++i) {
    const Segment& segment = *(*seen.segments)[i];
    if (segment.max_timestamp_ms() < timestamp_ms || seen.end_of(i) <= log_start_offset()) continue;
    auto found = find_timestamp(segment, seen.limit_of(i), log_start_offset(), timestamp_ms);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

Result<std::optional<TimestampedOffset>> PartitionLog::offset_of_max_timestamp() const {
  if (auto ok = usable(); !ok) return failure(ok.error());
  const View seen = view();
  std::int64_t newest = record::kNoTimestamp;
  for (const auto& segment : *seen.segments) newest = std::max(newest, segment->max_timestamp_ms());
  if (newest == record::kNoTimestamp) return std::nullopt;
  return offset_for_timestamp(newest);
}

}  // namespace barnabas::log
