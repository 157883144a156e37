#include "broker/log/epoch_cache.h"

#include <algorithm>
#include <sstream>

#include "broker/log/checkpoint_file.h"

namespace barnabas::log {

Result<void> EpochCache::load() {
  const auto lines = read_checkpoint_lines(*files_, path_);
  if (!lines) return failure(lines.error());
  std::vector<Entry> entries;
  for (const std::string& line : *lines) {
    std::istringstream in(line);
    Entry entry;
    if (!(in >> entry.epoch >> entry.start_offset)) return failure(Errc::corrupt_data, path_ + ": not an epoch and an offset: " + line);
    entries.push_back(entry);
  }
  const std::lock_guard guard(mutex_);
  entries_ = std::move(entries);
  return {};
}

Result<void> EpochCache::store(std::vector<Entry> entries) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) lines.push_back(std::to_string(entry.epoch) + " " + std::to_string(entry.start_offset));
  if (const auto done = write_checkpoint_lines(*files_, path_, lines); !done) return done;
  const std::lock_guard guard(mutex_);
  entries_ = std::move(entries);
  return {};
}

Result<void> EpochCache::assign(std::int32_t epoch, std::int64_t start_offset) {
  if (const auto last = latest(); epoch < 0 || (last && last->epoch >= epoch)) return {};
  std::vector<Entry> changed = entries();
  // An epoch that began where this one begins never held a record.
  std::erase_if(changed, [&](const Entry& e) { return e.start_offset >= start_offset; });
  changed.push_back({epoch, start_offset});
  return store(std::move(changed));
}

Result<void> EpochCache::truncate_from_end(std::int64_t end_offset) {
  std::vector<Entry> changed = entries();
  if (std::erase_if(changed, [&](const Entry& e) { return e.start_offset >= end_offset; }) == 0) return {};
  return store(std::move(changed));
}

Result<void> EpochCache::truncate_from_start(std::int64_t start_offset) {
  std::vector<Entry> changed = entries();
  std::size_t holds = 0;  // entries that begin at or before the new start
  while (holds < changed.size() && changed[holds].start_offset <= start_offset) ++holds;
  if (holds == 0 || (holds == 1 && changed[0].start_offset == start_offset)) return {};
  changed.erase(changed.begin(), changed.begin() + static_cast<std::ptrdiff_t>(holds - 1));
  changed[0].start_offset = start_offset;
  return store(std::move(changed));
}

std::optional<EpochCache::Entry> EpochCache::latest() const {
  const std::lock_guard guard(mutex_);
  if (entries_.empty()) return std::nullopt;
  return entries_.back();
}

std::optional<std::int32_t> EpochCache::epoch_of(std::int64_t offset) const {
  const std::lock_guard guard(mutex_);
  std::optional<std::int32_t> found;
  for (const Entry& entry : entries_) {
    if (entry.start_offset <= offset) found = entry.epoch;
  }
  return found;
}

std::optional<std::pair<std::int32_t, std::int64_t>> EpochCache::end_offset_for(std::int32_t epoch, std::int64_t log_end_offset) const {
  const std::lock_guard guard(mutex_);
  if (epoch < 0 || entries_.empty() || epoch > entries_.back().epoch) return std::nullopt;
  if (epoch == entries_.back().epoch) return std::pair(epoch, log_end_offset);
  const auto higher = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.epoch > epoch; });
  if (higher == entries_.begin()) return std::pair(epoch, higher->start_offset);
  return std::pair(std::prev(higher)->epoch, higher->start_offset);
}

std::vector<EpochCache::Entry> EpochCache::entries() const {
  const std::lock_guard guard(mutex_);
  return entries_;
}

}  // namespace barnabas::log
