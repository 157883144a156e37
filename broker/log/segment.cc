#include "broker/log/segment.h"

#include <array>
#include <limits>

#include "common/record/batch_view.h"

namespace barnabas::log {
namespace {

constexpr std::size_t kOffsetDigits = 20;
constexpr std::size_t kScanBytes = 4096;
constexpr std::uint64_t kLeastGrownBytes = 512 * 1024;  // smaller segments take no room ahead
constexpr std::uint64_t kMostRoomBytes = 16 * 1024 * 1024;
constexpr std::array<const char*, 4> kSuffixes = {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix,
                                                  kTransactionIndexSuffix};

bool has_sane_length(const record::BatchHeader& header) {
  return header.batch_length >= static_cast<std::int32_t>(record::kBatchHeaderBytes - record::kLogOverheadBytes);
}

}  // namespace

std::string offset_file_name(std::int64_t base_offset) {
  const std::string digits = std::to_string(base_offset);
  return std::string(kOffsetDigits - std::min(kOffsetDigits, digits.size()), '0') + digits;
}

std::optional<std::int64_t> offset_of_file_name(const std::string& name, const std::string& suffix) {
  if (name.size() != kOffsetDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < kOffsetDigits; ++i) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    if (offset > (std::numeric_limits<std::int64_t>::max() - 9) / 10) return std::nullopt;
    offset = offset * 10 + (name[i] - '0');
  }
  return offset;
}

Segment::Segment(runtime::Files& files, const std::string& directory, std::int64_t base_offset, const LogConfig& config,
                 std::int64_t now_ms)
    : stem_(directory + '/' + offset_file_name(base_offset)),
      base_offset_(base_offset),
      index_interval_bytes_(config.index_interval_bytes),
      most_bytes_(static_cast<std::uint64_t>(config.segment_bytes)),
      created_ms_(now_ms),
      offset_index_(base_offset, config.segment_index_bytes),
      time_index_(base_offset, config.segment_index_bytes),
      transaction_index_(files, stem_ + kTransactionIndexSuffix) {}

Result<std::shared_ptr<Segment>> Segment::open(runtime::Files& files, const std::string& directory,
                                               std::int64_t base_offset, const LogConfig& config, std::int64_t now_ms) {
  std::shared_ptr<Segment> segment(new Segment(files, directory, base_offset, config, now_ms));
  const std::string& stem = segment->stem_;
  const bool had_indexes = files.exists(stem + kOffsetIndexSuffix) && files.exists(stem + kTimeIndexSuffix);
  auto file = files.open(stem + kLogSuffix, runtime::OpenMode::create);
  if (!file) return failure(file.error());
  segment->file_ = std::move(*file);
  const auto size = segment->file_->size();
  if (!size) return failure(size.error());
  segment->size_.store(*size, std::memory_order_release);
  segment->indexes_sound_ = had_indexes || *size == 0;
  if (auto checked = segment->check_indexes(); !checked) return failure(checked.error());
  return segment;
}

Result<void> Segment::check_indexes() {
  runtime::Files& files = transaction_index_.files();
  const Result<void> opened[] = {offset_index_.open(files, stem_ + kOffsetIndexSuffix),
                                 time_index_.open(files, stem_ + kTimeIndexSuffix), transaction_index_.open()};
  for (const auto& result : opened) {
    if (!result && result.error().code != make_error_code(Errc::corrupt_data)) return result;
    if (!result) indexes_sound_ = false;
  }
  const auto last = offset_index_.last();
  if (last && last->position >= size_bytes()) indexes_sound_ = false;
  if (const auto newest = time_index_.last()) {
    max_timestamp_.store(newest->timestamp_ms, std::memory_order_release);
    offset_of_max_timestamp_ = newest->offset;
  }
  return {};
}

Result<void> Segment::make_active() {
  if (auto done = offset_index_.make_resident(); !done) return done;
  if (auto done = time_index_.make_resident(); !done) return done;
  bytes_since_index_ = 0;
  first_timestamp_ms_.reset();
  return scan(0, size_bytes(), [this](const BatchAt& at) {
    if (at.header.max_timestamp_ms >= 0) first_timestamp_ms_ = at.header.max_timestamp_ms;
    return false;
  });
}

std::int64_t Segment::age_ms(std::int64_t now_ms, std::int64_t message_timestamp_ms) const noexcept {
  return first_timestamp_ms_ ? message_timestamp_ms - *first_timestamp_ms_ : now_ms - created_ms_;
}

bool Segment::can_hold(std::int64_t last_offset) const noexcept {
  return last_offset >= base_offset_ && last_offset - base_offset_ <= std::numeric_limits<std::int32_t>::max();
}

/// Room that is taken at once costs less than room for each batch. It is no part of the file's size: whoever opens the
/// directory after a crash finds the records alone.
void Segment::take_room(std::uint64_t end) {
  if (end <= reserved_end_ || !takes_room_ || end < kLeastGrownBytes) return;
  const std::uint64_t target = std::min(end + std::min(end, kMostRoomBytes), most_bytes_);
  if (target <= end) return;
  takes_room_ = file_->reserve(std::max(size_bytes(), reserved_end_), target);
  if (takes_room_) reserved_end_ = target;
}

Result<void> Segment::give_back_room() {
  if (!has_room_ahead()) return {};
  reserved_end_ = 0;
  return file_->truncate(size_bytes());
}

Result<void> Segment::append(BytesView batches) {
  const std::uint64_t start = size_bytes();
  unsynced_.store(true, std::memory_order_release);
  take_room(start + batches.size());
  if (auto written = file_->write_at(batches, start); !written) {
    torn_ = !file_->truncate(start);
    reserved_end_ = 0;
    return written;
  }
  std::size_t position = 0;
  while (position < batches.size()) {
    const auto header = record::read_batch_header(batches.subspan(position));
    if (!header) break;  // the caller checked them
    index_batch(*header, start + position);
    position += header->size_bytes();
  }
  size_.store(start + batches.size(), std::memory_order_release);
  return {};
}

void Segment::note_timestamp(const record::BatchHeader& header) {
  if (header.max_timestamp_ms <= max_timestamp_.load(std::memory_order_relaxed)) return;
  max_timestamp_.store(header.max_timestamp_ms, std::memory_order_release);
  offset_of_max_timestamp_ = header.last_offset();
}

void Segment::index_batch(const record::BatchHeader& header, std::uint64_t position) {
  if (position == 0 && header.max_timestamp_ms >= 0) first_timestamp_ms_ = header.max_timestamp_ms;
  note_timestamp(header);
  if (bytes_since_index_ > static_cast<std::uint64_t>(index_interval_bytes_)) {
    offset_index_.append({header.last_offset(), static_cast<std::uint32_t>(position)});
    if (max_timestamp_ms() >= 0) time_index_.append({max_timestamp_ms(), offset_of_max_timestamp_});
    bytes_since_index_ = 0;
  }
  bytes_since_index_ += header.size_bytes();
}

Result<void> Segment::scan(std::uint64_t position, std::uint64_t limit,
                           const std::function<bool(const BatchAt&)>& visit) const {
  std::array<std::byte, kScanBytes> buffer;  // NOLINT: filled before it is read
  std::uint64_t start = 0;
  std::uint64_t have = 0;
  while (position + record::kBatchHeaderBytes <= limit) {
    if (position < start || position + record::kBatchHeaderBytes > start + have) {
      const auto size =
          file_->read_at(std::span(buffer).first(std::min<std::uint64_t>(kScanBytes, limit - position)), position);
      if (!size) return failure(size.error());
      if (*size < record::kBatchHeaderBytes) return {};
      start = position;
      have = *size;
    }
    const auto header =
        record::read_batch_header(std::span(buffer).subspan(position - start, record::kBatchHeaderBytes));
    if (!header) return failure(header.error().code, file_->path() + " at " + std::to_string(position));
    if (!has_sane_length(*header))
      return failure(Errc::corrupt_data, file_->path() + " at " + std::to_string(position));
    if (position + header->size_bytes() > limit) return {};
    if (!visit({*header, position})) return {};
    position += header->size_bytes();
  }
  return {};
}

Result<std::uint64_t> Segment::start_of_search(std::int64_t target, std::uint64_t limit) const {
  const auto entry = offset_index_.position_before(target);
  if (!entry) return failure(entry.error());
  if (entry->position == 0) return 0;
  // An index that damage made lie costs a longer search, never a record.
  bool holds = false;
  auto looked = scan(entry->position, limit, [&](const BatchAt& at) {
    holds = at.header.last_offset() == entry->offset;
    return false;
  });
  return looked && holds ? entry->position : 0;
}

Result<std::optional<BatchAt>> Segment::find(std::int64_t target, std::uint64_t limit) const {
  const auto entry = offset_index_.position_before(target);
  if (!entry) return failure(entry.error());
  std::optional<BatchAt> found;
  bool trusted = entry->position == 0;
  const auto visit = [&](const BatchAt& at) {
    // The batch that the index points to must be the one it speaks of.
    trusted = trusted || at.header.last_offset() == entry->offset;
    if (trusted && at.header.last_offset() >= target) found = at;
    return trusted && !found;
  };
  auto scanned = scan(entry->position, limit, visit);
  if (!trusted) {
    trusted = true;
    scanned = scan(0, limit, visit);
  }
  if (!scanned) return failure(scanned.error());
  return found;
}

Result<Bytes> Segment::read(const BatchAt& at) const {
  Bytes bytes(at.header.size_bytes());
  const auto size = file_->read_at(bytes, at.position);
  if (!size) return failure(size.error());
  if (*size != bytes.size()) return failure(Errc::corrupt_data, file_->path() + " ends inside a batch");
  return bytes;
}

Result<std::int64_t> Segment::read_next_offset() const {
  const auto last = offset_index_.last();
  std::int64_t next = last ? last->offset + 1 : base_offset_;
  auto scanned = scan(last ? last->position : 0, size_bytes(), [&](const BatchAt& at) {
    next = at.header.next_offset();
    return true;
  });
  if (!scanned) return failure(scanned.error());
  return next;
}

Result<std::uint64_t> Segment::recover(const std::function<Result<void>(const BatchAt&, BytesView)>& visit) {
  for (auto reset : {offset_index_.reset(), time_index_.reset(),
                     transaction_index_.truncate_to(std::numeric_limits<std::int64_t>::min())}) {
    if (!reset) return failure(reset.error());
  }
  max_timestamp_.store(record::kNoTimestamp, std::memory_order_release);
  offset_of_max_timestamp_ = -1;
  first_timestamp_ms_.reset();
  bytes_since_index_ = 0;
  const std::uint64_t size = size_bytes();
  std::uint64_t valid = 0;
  Bytes batch;
  while (valid + record::kBatchHeaderBytes <= size) {
    batch.resize(record::kBatchHeaderBytes);
    if (auto got = file_->read_at(batch, valid); !got) return failure(got.error());
    const auto header = record::read_batch_header(batch);
    if (!header && record::magic_of(batch) >= 0 && record::magic_of(batch) < record::kMagicV2 && valid == 0) {
      return failure(header.error().code, file_->path());  // an old format is refused, not cut
    }
    if (!header || !has_sane_length(*header) || valid + header->size_bytes() > size) break;
    batch.resize(header->size_bytes());
    if (auto got = file_->read_at(batch, valid); !got) return failure(got.error());
    if (record::compute_batch_crc(batch) != header->crc || !can_hold(header->last_offset())) break;
    index_batch(*header, valid);
    if (auto seen = visit({*header, valid}, batch); !seen) return failure(seen.error());
    valid += header->size_bytes();
  }
  if (valid < size) unsynced_.store(true, std::memory_order_release);
  // Also where the size is right: room that was taken ahead before a crash lies behind it.
  if (auto cut = file_->truncate(valid); !cut) return failure(cut.error());
  size_.store(valid, std::memory_order_release);
  reserved_end_ = 0;
  indexes_sound_ = true;
  if (auto sealed = seal(); !sealed) return failure(sealed.error());
  return size - valid;
}

Result<void> Segment::load_largest_timestamp() {
  const auto newest = time_index_.last();
  max_timestamp_.store(newest ? newest->timestamp_ms : record::kNoTimestamp, std::memory_order_release);
  offset_of_max_timestamp_ = newest ? newest->offset : -1;
  const auto from = offset_index_.position_before(newest ? newest->offset : base_offset_);
  if (!from) return failure(from.error());
  return scan(from->position, size_bytes(), [this](const BatchAt& at) {
    note_timestamp(at.header);
    return true;
  });
}

Result<std::uint64_t> Segment::truncate_to(std::int64_t offset) {
  const auto at = find(offset, size_bytes());
  if (!at) return failure(at.error());
  for (auto cut :
       {offset_index_.truncate_to(offset), time_index_.truncate_to(offset), transaction_index_.truncate_to(offset)}) {
    if (!cut) return failure(cut.error());
  }
  if (!*at) return 0;
  const std::uint64_t size = size_bytes();
  unsynced_.store(true, std::memory_order_release);
  if (auto cut = file_->truncate((*at)->position); !cut) return failure(cut.error());
  size_.store((*at)->position, std::memory_order_release);
  reserved_end_ = 0;
  bytes_since_index_ = 0;
  if ((*at)->position == 0) first_timestamp_ms_.reset();
  if (auto loaded = load_largest_timestamp(); !loaded) return failure(loaded.error());
  return size - (*at)->position;
}

Result<void> Segment::sync() {
  unsynced_.store(false, std::memory_order_release);  // before: what is appended meanwhile may not be in it
  if (auto done = file_->sync(); !done) return done;
  return sync_indexes();
}

Result<void> Segment::sync_indexes() {
  if (auto done = offset_index_.persist(true); !done) return done;
  if (auto done = time_index_.persist(true); !done) return done;
  return transaction_index_.sync();
}

Result<void> Segment::seal() {
  if (max_timestamp_ms() >= 0) time_index_.append({max_timestamp_ms(), offset_of_max_timestamp_});
  if (auto done = offset_index_.persist(false); !done) return done;
  if (auto done = time_index_.persist(false); !done) return done;
  offset_index_.release();
  time_index_.release();
  return give_back_room();
}

Result<void> Segment::remove(runtime::Files& files) {
  if (auto renamed = rename_for_deletion(files); !renamed) return renamed;
  return remove_renamed(files);
}

void Segment::retire() {
  offset_index_.retire();
  time_index_.retire();
}

Result<void> Segment::rename_for_deletion(runtime::Files& files) {
  retire();
  for (const char* suffix : kSuffixes) {
    const std::string path = stem_ + suffix;
    if (!files.exists(path)) continue;
    if (auto renamed = files.rename(path, path + kDeletedSuffix); !renamed) return renamed;
  }
  return {};
}

Result<void> Segment::remove_leftovers(runtime::Files& files, const std::string& directory, std::int64_t base_offset) {
  for (const char* suffix : kSuffixes) {
    const std::string path = directory + '/' + offset_file_name(base_offset) + suffix;
    if (!files.exists(path)) continue;
    if (auto removed = files.remove(path); !removed) return removed;
  }
  return {};
}

Result<void> Segment::remove_renamed(runtime::Files& files) {
  for (const char* suffix : kSuffixes) {
    const std::string path = stem_ + suffix + kDeletedSuffix;
    if (!files.exists(path)) continue;
    if (auto removed = files.remove(path); !removed) return removed;
  }
  return {};
}

}  // namespace barnabas::log
