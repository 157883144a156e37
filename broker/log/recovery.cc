#include <algorithm>
#include <array>
#include <map>

#include "broker/log/partition_log.h"
#include "broker/log/unfinished_swap.h"

namespace barnabas::log {
namespace {

constexpr std::array<const char*, 4> kSegmentSuffixes = {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix,
                                                         kTransactionIndexSuffix};

}  // namespace

Result<std::vector<std::int64_t>> PartitionLog::find_segments() {
  auto entries = env_.files().list(options_.directory);
  if (!entries) return failure(entries.error());
  if (std::any_of(entries->begin(), entries->end(),
                  [](const auto& entry) { return is_of_unfinished_swap(entry.name); })) {
    if (auto finished = finish_swaps(env_.files(), options_.directory); !finished) return failure(finished.error());
    entries = env_.files().list(options_.directory);
    if (!entries) return failure(entries.error());
  }
  std::vector<std::int64_t> bases;
  std::vector<std::string> indexes;
  for (const auto& entry : *entries) {
    if (const auto base = offset_of_file_name(entry.name, kLogSuffix)) bases.push_back(*base);
    for (const char* suffix : kSegmentSuffixes) {
      if (suffix != kLogSuffix && offset_of_file_name(entry.name, suffix)) indexes.push_back(entry.name);
    }
  }
  std::sort(bases.begin(), bases.end());
  for (const std::string& name : indexes) {
    const std::string log = name.substr(0, name.find('.')) + kLogSuffix;
    if (env_.files().exists(options_.directory + '/' + log)) continue;
    if (auto removed = env_.files().remove(options_.directory + '/' + name); !removed) return failure(removed.error());
  }
  return bases;
}

Result<void> PartitionLog::load() {
  if (auto made = env_.files().make_directories(options_.directory); !made) return made;
  if (auto opened = epochs_.open(env_.files(), options_.directory); !opened) return opened;
  const auto bases = find_segments();
  if (!bases) return failure(bases.error());
  log_start_.store(std::max(options_.log_start_offset, bases->empty() ? 0 : bases->front()), std::memory_order_relaxed);
  recovery_point_.store(options_.recovery_point, std::memory_order_relaxed);
  last_flush_ms_.store(env_.clock().wall_ms(), std::memory_order_relaxed);

  SegmentList segments;
  if (auto opened = open_segments(*bases, segments); !opened) return opened;
  if (auto recovered = recover_segments(segments); !recovered) return recovered;
  std::int64_t end = log_start_offset();
  if (!segments.empty()) {
    const auto next = segments.back()->read_next_offset();
    if (!next) return failure(next.error());
    end = *next;
  }
  // A log that ends before its start was cut by DeleteRecords and lost its tail: it begins anew there.
  if (segments.empty() || end < log_start_offset()) {
    for (const auto& segment : segments) {
      if (auto removed = segment->remove(env_.files()); !removed) return removed;
    }
    if (auto started = start_at(log_start_offset()); !started) return started;
    end = log_start_offset();
  } else {
    if (auto active = segments.back()->make_active(); !active) return active;
    segments_ = std::make_shared<const SegmentList>(std::move(segments));
  }
  log_end_.store(end, std::memory_order_relaxed);
  if (recovery_point() > end) recovery_point_.store(end, std::memory_order_relaxed);
  high_watermark_.store(std::clamp(options_.high_watermark, log_start_offset(), end), std::memory_order_relaxed);
  if (auto cut = epochs_.truncate_from_end(end); !cut) return cut;
  if (auto cut = epochs_.truncate_from_start(log_start_offset()); !cut) return cut;

  std::vector<std::int64_t> kept;
  for (const auto& segment : *segments_) kept.push_back(segment->base_offset());
  if (auto removed = producers_.remove_stray_snapshots(kept); !removed) return removed;
  if (auto rebuilt = rebuild_producers(producers_, *segments_, end); !rebuilt) return rebuilt;
  if (auto recalled = recall_batches(producers_, *segments_); !recalled) return recalled;
  update_first_unstable();
  draw_roll_jitter();
  publish();
  // A run that ended properly has synced all logs that held anything.
  if (options_.owns_directory) name_unsynced_.store(!options_.clean_shutdown || end == 0, std::memory_order_relaxed);
  return {};
}

Result<void> PartitionLog::open_segments(const std::vector<std::int64_t>& base_offsets, SegmentList& segments) {
  for (const std::int64_t base : base_offsets) {
    auto segment = Segment::open(env_.files(), options_.directory, base, config_, env_.clock().wall_ms());
    if (!segment) return failure(segment.error());
    segments.push_back(std::move(*segment));
  }
  return {};
}

Result<void> PartitionLog::start_at(std::int64_t offset) {
  auto segment = Segment::open(env_.files(), options_.directory, offset, config_, env_.clock().wall_ms());
  if (!segment) return failure(segment.error());
  if (auto active = (*segment)->make_active(); !active) return active;
  segments_ = std::make_shared<const SegmentList>(SegmentList{std::move(*segment)});
  directory_changed_.store(true, std::memory_order_release);
  return {};
}

Result<void> PartitionLog::recover_segments(SegmentList& segments) {
  bool changed = false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    const bool behind_point = last || segments[i + 1]->base_offset() > options_.recovery_point;
    bool sound = segments[i]->indexes_sound();
    if (sound && last) {
      const auto active = segments[i]->make_active();
      if (!active && active.error().code != make_error_code(Errc::corrupt_data)) return active;
      sound = active.has_value();
    }
    if (sound && (options_.clean_shutdown || !behind_point)) continue;
    changed = true;
    const auto cut = recover_segment(segments, i);
    if (!cut) return failure(cut.error());
    if (*cut == 0) continue;
    // What follows a hole cannot be trusted to follow anything.
    for (std::size_t j = i + 1; j < segments.size(); ++j) {
      if (auto removed = segments[j]->remove(env_.files()); !removed) return removed;
    }
    segments.resize(i + 1);
  }
  return changed ? epochs_.write_if_changed() : Result<void>{};
}

Result<std::uint64_t> PartitionLog::recover_segment(const SegmentList& segments, std::size_t index) {
  Segment& segment = *segments[index];
  ProducerStateManager producers(env_.files(), options_.directory, options_.topic_partition,
                                 options_.settings.producer_id_expiration_ms);
  const SegmentList before(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(index));
  if (auto rebuilt = rebuild_producers(producers, before, segment.base_offset()); !rebuilt)
    return failure(rebuilt.error());
  producers.set_end_offset(std::max(producers.end_offset(), segment.base_offset()));
  auto cut = segment.recover([&](const BatchAt& at, BytesView batch) -> Result<void> {
    if (at.header.partition_leader_epoch >= 0) epochs_.note(at.header.partition_leader_epoch, at.header.base_offset);
    const auto append = producer_append_of(at.header, batch);
    if (!append) return failure(append.error());
    if (*append) {
      if (const auto done = producers.apply(**append)) {
        const std::int64_t stable = producers.last_stable_offset_after(*done);
        producers.complete(*done);
        if (done->aborted) {
          const AbortedTransaction entry{done->producer_id, done->first_offset, done->last_offset, stable};
          if (auto added = segment.transaction_index().append(entry); !added) return added;
        }
      }
    }
    producers.set_end_offset(at.header.next_offset());
    return {};
  });
  if (!cut) return cut;
  if (const auto taken = producers.take_snapshot(true); !taken) return failure(taken.error());
  return cut;
}

Result<void> PartitionLog::rebuild_producers(ProducerStateManager& producers, const SegmentList& segments,
                                             std::int64_t up_to) {
  const bool was_empty = producers.producers().empty() && producers.end_offset() >= up_to;
  const std::int64_t now = env_.clock().wall_ms();
  if (auto loaded = producers.truncate_and_reload(log_start_offset(), up_to, now); !loaded) return loaded;
  if (up_to <= producers.end_offset() || was_empty) return {};
  // Snapshots at the last two segments, so that the next rebuild has less to read.
  std::vector<std::int64_t> wanted;
  for (std::size_t i = segments.size() < 2 ? 0 : segments.size() - 2; i < segments.size(); ++i) {
    wanted.push_back(segments[i]->base_offset());
  }
  for (std::size_t i = 0; i < segments.size() && segments[i]->base_offset() < up_to; ++i) {
    const bool last = i + 1 == segments.size();
    if (!last && segments[i + 1]->base_offset() <= producers.end_offset()) continue;
    const std::int64_t from = std::max({segments[i]->base_offset(), producers.end_offset(), log_start_offset()});
    producers.set_end_offset(from);
    if (std::find(wanted.begin(), wanted.end(), segments[i]->base_offset()) != wanted.end()) {
      if (const auto taken = producers.take_snapshot(false); !taken) return failure(taken.error());
    }
    if (auto replayed = replay_producers(producers, *segments[i], from, up_to); !replayed) return replayed;
  }
  producers.set_end_offset(up_to);
  if (const auto taken = producers.take_snapshot(false); !taken) return failure(taken.error());
  return {};
}

/// A snapshot holds the last batch of each producer, as Kafka's format has it. A producer whose answers were lost with
/// the broker's last run sends up to five batches again: those before the last one are read back from the log's end, or
/// they would be taken for new ones under a new epoch and stored twice.
Result<void> PartitionLog::recall_batches(ProducerStateManager& producers, const SegmentList& segments) {
  if (producers.producers().empty()) return {};
  std::map<std::int64_t, ProducerEntry> recent;
  for (std::size_t i = segments.size() < 2 ? 0 : segments.size() - 2; i < segments.size(); ++i) {
    auto scanned = segments[i]->scan(0, segments[i]->size_bytes(), [&](const BatchAt& at) {
      const record::BatchHeader& header = at.header;
      if (!header.has_producer_id() || header.is_control()) return true;
      ProducerEntry& entry = recent[header.producer_id];
      if (entry.epoch != header.producer_epoch) entry.batches.clear();
      entry.epoch = header.producer_epoch;
      if (entry.batches.size() == ProducerEntry::kBatchesKept) entry.batches.pop_front();
      entry.batches.push_back(
          {header.last_sequence(), header.last_offset(), header.last_offset_delta, header.max_timestamp_ms});
      return true;
    });
    if (!scanned) return scanned;
  }
  producers.recall(recent);
  return {};
}

Result<void> PartitionLog::replay_producers(ProducerStateManager& producers, const Segment& segment, std::int64_t from,
                                            std::int64_t up_to) {
  const auto first = segment.find(from, segment.size_bytes());
  if (!first) return failure(first.error());
  if (!*first) return {};
  Result<void> result;
  auto scanned = segment.scan((*first)->position, segment.size_bytes(), [&](const BatchAt& at) {
    if (at.header.base_offset >= up_to) return false;
    if (!at.header.has_producer_id()) return true;
    Bytes batch;
    if (at.header.is_control()) {
      auto bytes = segment.read(at);
      if (!bytes) result = failure(bytes.error());
      if (!bytes) return false;
      batch = std::move(*bytes);
    }
    const auto append = producer_append_of(at.header, batch);
    if (!append) result = failure(append.error());
    if (!append) return false;
    if (*append) {
      if (const auto done = producers.apply(**append)) producers.complete(*done);
    }
    return true;
  });
  return scanned ? result : scanned;
}

}  // namespace barnabas::log
