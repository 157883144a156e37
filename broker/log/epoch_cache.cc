#include "broker/log/epoch_cache.h"

#include <algorithm>

#include "broker/log/checkpoint_file.h"

namespace barnabas::log {
namespace {

constexpr const char* kFileName = "/leader-epoch-checkpoint";

}  // namespace

Result<void> EpochCache::open(runtime::Files& files, const std::string& directory) {
  const std::lock_guard lock(mutex_);
  files_ = &files;
  path_ = directory + kFileName;
  entries_.clear();
  changed_ = false;
  if (!files.exists(path_)) return {};
  const auto bytes = files.read(path_);
  if (!bytes) return failure(bytes.error());
  const auto lines = parse_checkpoint_lines(as_text(*bytes), path_);
  if (!lines) return failure(lines.error());
  for (const std::string_view line : *lines) {
    const std::size_t space = line.find(' ');
    const auto epoch = parse_number<std::int32_t>(line.substr(0, space));
    const auto offset =
        space == std::string_view::npos ? std::nullopt : parse_number<std::int64_t>(line.substr(space + 1));
    if (!epoch || !offset) return failure(Errc::corrupt_data, path_ + ": '" + std::string(line) + "'");
    assign_locked(*epoch, *offset);
  }
  changed_ = false;
  return {};
}

void EpochCache::assign_locked(std::int32_t epoch, std::int64_t start_offset) {
  if (epoch < 0 || start_offset < 0) return;
  if (!entries_.empty() && entries_.back().epoch == epoch && start_offset >= entries_.back().start_offset) return;
  const auto contradicts = [&](const EpochEntry& entry) {
    return entry.epoch >= epoch || entry.start_offset >= start_offset;
  };
  entries_.erase(std::find_if(entries_.begin(), entries_.end(), contradicts), entries_.end());
  entries_.push_back({epoch, start_offset});
  changed_ = true;
}

Result<void> EpochCache::write_locked() {
  std::vector<std::string> lines;
  lines.reserve(entries_.size());
  for (const auto& entry : entries_)
    lines.push_back(std::to_string(entry.epoch) + ' ' + std::to_string(entry.start_offset));
  changed_ = true;
  if (auto written = files_->write_atomically(path_, as_bytes(format_checkpoint_lines(lines))); !written)
    return written;
  changed_ = false;
  return {};
}

void EpochCache::assign(std::int32_t epoch, std::int64_t start_offset) {
  const std::lock_guard lock(mutex_);
  assign_locked(epoch, start_offset);
}

void EpochCache::note(std::int32_t epoch, std::int64_t start_offset) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty() || epoch > entries_.back().epoch) assign_locked(epoch, start_offset);
}

Result<void> EpochCache::write_if_changed() {
  const std::lock_guard lock(mutex_);
  return changed_ ? write_locked() : Result<void>{};
}

Result<void> EpochCache::truncate_from_end(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty() || entries_.back().start_offset < offset) return {};
  std::erase_if(entries_, [offset](const EpochEntry& entry) { return entry.start_offset >= offset; });
  changed_ = true;
  return {};
}

Result<void> EpochCache::truncate_from_start(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto after = std::find_if(entries_.begin(), entries_.end(),
                                  [offset](const EpochEntry& entry) { return entry.start_offset > offset; });
  if (after == entries_.begin() || entries_.front().start_offset == offset) return {};
  EpochEntry in_force = *(after - 1);
  in_force.start_offset = offset;
  entries_.erase(entries_.begin(), after);
  entries_.insert(entries_.begin(), in_force);
  changed_ = true;
  return {};
}

Result<void> EpochCache::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  return write_locked();
}

std::optional<EpochEntry> EpochCache::latest() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty() ? std::nullopt : std::optional(entries_.back());
}

std::optional<EpochEntry> EpochCache::earliest() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty() ? std::nullopt : std::optional(entries_.front());
}

std::int32_t EpochCache::epoch_of(std::int64_t offset) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::find_if(entries_.begin(), entries_.end(),
                                  [offset](const EpochEntry& entry) { return entry.start_offset > offset; });
  return after == entries_.begin() ? record::kNoLeaderEpoch : (after - 1)->epoch;
}

std::pair<std::int32_t, std::int64_t> EpochCache::end_offset_for(std::int32_t epoch, std::int64_t log_end) const {
  const std::lock_guard lock(mutex_);
  if (epoch < 0 || entries_.empty()) return {-1, -1};
  if (entries_.back().epoch == epoch) return {epoch, log_end};
  const auto higher =
      std::find_if(entries_.begin(), entries_.end(), [epoch](const EpochEntry& entry) { return entry.epoch > epoch; });
  if (higher == entries_.end()) return {-1, -1};
  if (higher == entries_.begin()) return {epoch, higher->start_offset};
  return {(higher - 1)->epoch, higher->start_offset};
}

std::vector<EpochEntry> EpochCache::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

}  // namespace barnabas::log
