#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// What both index files are made of: fixed-size entries in rising order, appended at the end, zero padded by a broker
/// that was killed (Kafka preallocates 10 MB). `Format` says how an entry is laid out, ordered, and told from padding.
/// While a segment is active its entries are in memory; a sealed one is mapped for the time of a lookup.
/// Threads: appends and truncations are the log's, lookups anyone's.
template <typename Format>
class IndexFile {
 public:
  using Entry = typename Format::Entry;

  IndexFile(std::shared_ptr<runtime::File> file, std::uint64_t max_bytes)
      : file_(std::move(file)), max_entries_(max_bytes / Format::kEntryBytes) {}

  /// Reads what is there; stops at the padding, and at the first entry that does not rise or is not `is_plausible`.
  /// Returns whether nothing but padding was left out.
  template <typename Predicate>
  Result<bool> load(const Predicate& is_plausible) {
    const auto size = file_->size();
    if (!size) return failure(size.error());
    Bytes bytes(*size);
    const auto got = file_->read_at(bytes, 0);
    if (!got) return failure(got.error());
    const std::lock_guard guard(mutex_);
    entries_.clear();
    bool is_clean = true;
    for (std::size_t at = 0; at + Format::kEntryBytes <= *got; at += Format::kEntryBytes) {
      const Entry entry = Format::decode(bytes.data() + at);
      if (Format::is_padding(entry, entries_.size())) break;
      is_clean = is_plausible(entry) && (entries_.empty() || Format::rises(entries_.back(), entry));
      if (!is_clean) break;
      entries_.push_back(entry);
    }
    written_ = entries_.size();
    sealed_ = false;
    return is_clean;
  }

  /// Takes an entry; those that do not rise are left out, as Kafka does. It reaches the file with the next write_out().
  void append(Entry entry) {
    const std::lock_guard guard(mutex_);
    if (entries_.size() < max_entries_ && (entries_.empty() || Format::rises(entries_.back(), entry)))
      entries_.push_back(entry);
  }
  bool is_full() const {
    const std::lock_guard guard(mutex_);
    return entries_.size() >= max_entries_;
  }
  std::size_t size() const {
    const std::lock_guard guard(mutex_);
    return sealed_ ? written_ : entries_.size();
  }
  bool is_sealed() const {
    const std::lock_guard guard(mutex_);
    return sealed_;
  }

  /// The last entry for which `is_at_or_before` holds (it holds for a first part and then no more).
  template <typename Predicate>
  Result<std::optional<Entry>> last_where(const Predicate& is_at_or_before) const {
    const std::lock_guard guard(mutex_);
    if (!sealed_)
      return search(
          entries_.size(), [&](std::size_t i) { return entries_[i]; }, is_at_or_before);
    if (written_ == 0) return std::nullopt;
    const auto mapping = file_->map(written_ * Format::kEntryBytes);
    if (!mapping) return failure(mapping.error());
    const std::byte* bytes = (*mapping)->bytes().data();
    return search(
        written_, [&](std::size_t i) { return Format::decode(bytes + i * Format::kEntryBytes); }, is_at_or_before);
  }

  /// Keeps the entries before the first for which `goes` holds, in memory and in the file.
  template <typename Predicate>
  Result<void> truncate(const Predicate& goes) {
    if (is_sealed()) {
      const auto loaded = load([](const Entry&) { return true; });
      if (!loaded) return failure(loaded.error());
    }
    {
      const std::lock_guard guard(mutex_);
      while (!entries_.empty() && goes(entries_.back())) entries_.pop_back();
      written_ = std::min(written_, entries_.size());
    }
    return trim();
  }

  /// Writes the entries that the file does not hold yet.
  Result<void> write_out() {
    Bytes bytes;
    std::size_t from = 0;
    {
      const std::lock_guard guard(mutex_);
      if (sealed_) return {};
      from = written_;
      bytes.resize((entries_.size() - from) * Format::kEntryBytes);
      for (std::size_t i = from; i < entries_.size(); ++i)
        Format::encode(entries_[i], bytes.data() + (i - from) * Format::kEntryBytes);
    }
    if (bytes.empty()) return {};
    const auto done = file_->write_at(BytesView(bytes), from * Format::kEntryBytes);
    if (!done) return done;
    const std::lock_guard guard(mutex_);
    written_ = from + bytes.size() / Format::kEntryBytes;
    return {};
  }
  /// Writes out and cuts the padding off.
  Result<void> trim() {
    if (const auto done = write_out(); !done) return done;
    return file_->truncate(size() * Format::kEntryBytes);
  }
  Result<void> sync() {
    if (const auto done = write_out(); !done) return done;
    return file_->sync();
  }
  /// No more entries will come: the memory is given back, lookups map the file.
  Result<void> seal() {
    if (const auto done = trim(); !done) return done;
    const std::lock_guard guard(mutex_);
    std::vector<Entry>().swap(entries_);
    sealed_ = true;
    return {};
  }

 private:
  template <typename At, typename Predicate>
  static std::optional<Entry> search(std::size_t count, const At& at, const Predicate& is_at_or_before) {
    std::size_t low = 0;
    for (std::size_t high = count; low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (is_at_or_before(at(middle))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) return std::nullopt;
    return at(low - 1);
  }

  const std::shared_ptr<runtime::File> file_;
  const std::size_t max_entries_;
  mutable std::mutex mutex_;    // leaf: held for a lookup or one append
  std::vector<Entry> entries_;  // mutex_; empty when sealed
  std::size_t written_ = 0;     // mutex_; entries that the file holds
  bool sealed_ = false;         // mutex_
};

}  // namespace barnabas::log
