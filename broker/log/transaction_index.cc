#include "broker/log/transaction_index.h"

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace barnabas::log {
namespace {

constexpr std::int16_t kVersion = 0;

Bytes encode(const AbortedTransaction& entry) {
  Writer out;
  out.int16(kVersion);
  out.int64(entry.producer_id);
  out.int64(entry.first_offset);
  out.int64(entry.last_offset);
  out.int64(entry.last_stable_offset);
  return out.take();
}

}  // namespace

Result<void> TransactionIndex::open() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  file_.reset();
  if (!files_.exists(path_)) return {};
  const auto bytes = files_.read(path_);
  if (!bytes) return failure(bytes.error());
  auto file = files_.open(path_, runtime::OpenMode::read_write);
  if (!file) return failure(file.error());
  file_ = std::move(*file);  // also of a damaged one: truncate_to() mends it
  Reader in(*bytes);
  while (in.remaining() >= kEntryBytes) {
    const std::int16_t version = in.int16();
    AbortedTransaction entry;
    entry.producer_id = in.int64();
    entry.first_offset = in.int64();
    entry.last_offset = in.int64();
    entry.last_stable_offset = in.int64();
    const bool rises = entries_.empty() || entry.last_offset > entries_.back().last_offset;
    if (version > kVersion || !rises) return failure(Errc::corrupt_data, path_);
    entries_.push_back(entry);
  }
  // A piece of an entry, left by a crash: the segment's recovery brings the entry again.
  return in.remaining() == 0 ? Result<void>{} : file_->truncate(entries_.size() * kEntryBytes);
}

Result<void> TransactionIndex::append(const AbortedTransaction& entry) {
  const std::lock_guard lock(mutex_);
  if (!file_) {
    auto file = files_.open(path_, runtime::OpenMode::create);
    if (!file) return failure(file.error());
    file_ = std::move(*file);
  }
  const Bytes bytes = encode(entry);
  if (auto done = file_->write_at(bytes, entries_.size() * kEntryBytes); !done) return done;
  entries_.push_back(entry);
  return {};
}

Result<void> TransactionIndex::truncate_to(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  std::size_t keep = 0;
  while (keep < entries_.size() && entries_[keep].last_offset < offset) ++keep;
  entries_.resize(keep);
  if (!file_) return {};
  const auto size = file_->size();
  if (!size) return failure(size.error());
  // Also where no entry goes: what open() could not read stands behind those that it could.
  return *size == keep * kEntryBytes ? Result<void>{} : file_->truncate(keep * kEntryBytes);
}

Result<void> TransactionIndex::sync() {
  const std::lock_guard lock(mutex_);
  return file_ ? file_->sync() : Result<void>{};
}

void TransactionIndex::collect(std::int64_t from, std::int64_t upper, std::vector<AbortedTransaction>& out,
                               bool& complete) const {
  const std::lock_guard lock(mutex_);
  for (const AbortedTransaction& entry : entries_) {
    if (entry.last_offset >= from && entry.first_offset < upper) out.push_back(entry);
    if (entry.last_stable_offset >= upper) {
      complete = true;
      return;
    }
  }
}

std::vector<AbortedTransaction> TransactionIndex::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

}  // namespace barnabas::log
