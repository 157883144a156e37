#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// A file of fixed-size entries in rising order: what the offset index and the time index have in common.
/// `Layout` says: Entry, kEntryBytes, encode, decode, key (what lookup searches by), offset, follows.
/// Kafka preallocates index files and pads them with zeros: an entry of zeros is taken for the end.
/// The entries of an active segment are held in memory and written out by persist(), and its file is open only
/// meanwhile: a broker has one of them per partition. Those of a sealed one are looked up in the file, which stays
/// open, so that an old segment costs no memory. Threads: any.
template <typename Layout>
class IndexFile {
 public:
  using Entry = typename Layout::Entry;
  static constexpr std::size_t kEntryBytes = Layout::kEntryBytes;

  explicit IndexFile(std::int64_t base_offset) : base_offset_(base_offset) {}

  /// Opens, or makes, the file; finds the last entry. Errors: corrupt_data when it cannot be this segment's index.
  Result<void> open(runtime::Files& files, const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_ = &files;
    path_ = path;
    auto file = files.open(path, runtime::OpenMode::create);
    if (!file) return failure(file.error());
    file_ = std::move(*file);
    const auto size = file_->size();
    if (!size) return failure(size.error());
    if (auto counted = count_entries(*size / kEntryBytes); !counted) return counted;
    persisted_ = count_;
    padded_ = *size != count_ * kEntryBytes;
    return {};
  }

  /// Reads the entries into memory: for the segment that is appended to.
  Result<void> make_resident() {
    const std::lock_guard lock(mutex_);
    if (auto opened = open_file(); !opened) return opened;
    entries_.clear();
    entries_.reserve(count_);
    Bytes bytes(count_ * kEntryBytes);
    const auto size = file_->read_at(bytes, 0);
    if (!size) return failure(size.error());
    Reader in(bytes);
    while (entries_.size() < count_) {
      const Entry entry = Layout::decode(in, base_offset_);
      if (!entries_.empty() && !Layout::follows(entries_.back(), entry)) return corrupt();
      entries_.push_back(entry);
    }
    if (!entries_.empty() && Layout::offset(entries_.front()) < base_offset_) return corrupt();
    resident_ = true;
    file_.reset();
    return {};
  }

  Result<void> reset() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    resident_ = true;
    count_ = 0;
    padded_ = false;
    last_.reset();
    return cut_file();
  }

  /// Ignored when it does not follow the last entry, or the entries are not in memory.
  void append(const Entry& entry) {
    const std::lock_guard lock(mutex_);
    if (!resident_ || (last_ && !Layout::follows(*last_, entry))) return;
    entries_.push_back(entry);
    last_ = entry;
    ++count_;
  }

  /// The last entry whose key is not above `target`.
  Result<std::optional<Entry>> lookup(std::int64_t target) const {
    std::shared_ptr<runtime::File> file;
    std::size_t high = 0;
    {
      const std::lock_guard lock(mutex_);
      if (resident_) {
        const auto above =
            std::upper_bound(entries_.begin(), entries_.end(), target,
                             [](std::int64_t key, const Entry& entry) { return key < Layout::key(entry); });
        return above == entries_.begin() ? std::nullopt : std::optional(*(above - 1));
      }
      if (last_ && Layout::key(*last_) <= target) return last_;
      file = file_;
      high = count_;
    }
    return search(*file, high, target);
  }

  std::optional<Entry> last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// All of them, in memory or not.
  Result<std::vector<Entry>> entries() const {
    const std::lock_guard lock(mutex_);
    if (resident_) return entries_;
    std::vector<Entry> all;
    for (std::size_t i = 0; i < count_; ++i) {
      auto entry = read_entry(*file_, i);
      if (!entry) return failure(entry.error());
      all.push_back(*entry);
    }
    return all;
  }

  /// Drops entries of `offset` and above.
  Result<void> truncate_to(std::int64_t offset) {
    if (!is_resident()) {
      if (auto read = make_resident(); !read) return read;
    }
    const std::lock_guard lock(mutex_);
    while (!entries_.empty() && Layout::offset(entries_.back()) >= offset) entries_.pop_back();
    count_ = entries_.size();
    last_ = entries_.empty() ? std::nullopt : std::optional(entries_.back());
    return persisted_ > count_ ? cut_file() : Result<void>{};
  }

  /// Writes what is not in the file yet and cuts padding off; syncs a file that changed since it was synced.
  Result<void> persist(bool sync) {
    const std::lock_guard lock(mutex_);
    if (retired_ || (persisted_ == count_ && !padded_ && !(sync && unsynced_))) return {};
    if (auto opened = open_file(); !opened) return opened;
    auto done = write_out(sync);
    if (resident_) file_.reset();
    return done;
  }

  /// Forgets the entries in memory; persist() was called.
  void release() {
    const std::lock_guard lock(mutex_);
    if (retired_ || persisted_ != count_ || !open_file()) return;
    resident_ = false;
    entries_ = {};
  }

  /// The file is about to be renamed or removed: from now on nothing is written, for the path may be another's.
  void retire() {
    const std::lock_guard lock(mutex_);
    retired_ = true;
  }

 private:
  bool is_resident() const {
    const std::lock_guard lock(mutex_);
    return resident_;
  }
  tl::unexpected<Failure> corrupt() const { return failure(Errc::corrupt_data, path_); }

  Result<void> open_file() {
    if (file_) return {};
    auto file = files_->open(path_, runtime::OpenMode::read_write);
    if (!file) return failure(file.error());
    file_ = std::move(*file);
    return {};
  }

  /// Cuts the file behind the entries that are held in memory.
  Result<void> cut_file() {
    persisted_ = count_;
    unsynced_ = true;
    if (auto opened = open_file(); !opened) return opened;
    auto done = file_->truncate(count_ * kEntryBytes);
    file_.reset();
    return done;
  }

  Result<void> write_out(bool sync) {
    if (persisted_ < count_) {
      Writer out;
      for (std::size_t i = persisted_; i < count_; ++i) Layout::encode(out, entries_[i], base_offset_);
      unsynced_ = true;
      if (auto done = file_->write_at(out.view(), persisted_ * kEntryBytes); !done) return done;
      persisted_ = count_;
    }
    if (padded_) {
      unsynced_ = true;
      if (auto done = file_->truncate(count_ * kEntryBytes); !done) return done;
      padded_ = false;
    }
    if (!sync || !unsynced_) return {};
    auto synced = file_->sync();
    unsynced_ = !synced;
    return synced;
  }

  Result<Entry> read_entry(const runtime::File& file, std::size_t index) const {
    Bytes bytes(kEntryBytes);
    const auto size = file.read_at(bytes, index * kEntryBytes);
    if (!size) return failure(size.error());
    if (*size != kEntryBytes) return failure(Errc::corrupt_data, file.path());
    Reader in(bytes);
    return Layout::decode(in, base_offset_);
  }

  /// The zeros at the end, if any, are found by halving.
  Result<void> count_entries(std::size_t slots) {
    std::size_t low = 0;
    std::size_t high = slots;
    last_.reset();
    while (low < high) {
      const std::size_t middle = high == slots && low == 0 ? slots - 1 : low + (high - low) / 2;
      const auto entry = read_entry(*file_, middle);
      if (!entry) return failure(entry.error());
      if (Layout::is_padding(*entry, base_offset_)) {
        high = middle;
      } else {
        low = middle + 1;
        last_ = *entry;
      }
    }
    count_ = low;
    if (last_ && Layout::offset(*last_) < base_offset_) return corrupt();
    return {};
  }

  Result<std::optional<Entry>> search(const runtime::File& file, std::size_t high, std::int64_t target) const {
    std::size_t low = 0;
    std::optional<Entry> best;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      const auto entry = read_entry(file, middle);
      if (!entry) return failure(entry.error());
      if (Layout::key(*entry) <= target) {
        best = *entry;
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return best;
  }

  const std::int64_t base_offset_;
  mutable std::mutex mutex_;
  runtime::Files* files_ = nullptr;      // mutex_
  std::string path_;                     // mutex_
  std::shared_ptr<runtime::File> file_;  // mutex_; none while resident_
  std::vector<Entry> entries_;           // mutex_; empty unless resident_
  std::size_t count_ = 0;                // mutex_
  std::size_t persisted_ = 0;            // mutex_; how many of them the file holds
  bool padded_ = false;                  // mutex_; the file is longer than its entries
  bool resident_ = false;                // mutex_
  bool unsynced_ = false;                // mutex_; written since the last sync
  bool retired_ = false;                 // mutex_
  std::optional<Entry> last_;            // mutex_
};

}  // namespace barnabas::log
