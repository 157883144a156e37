#include "client/consumer/completed_fetch.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/consumer/decompression.h"
#include "common/record/control_record.h"

namespace barnabas::client {
namespace {

TimestampType public_type(record::TimestampType type) {
  return type == record::TimestampType::log_append_time ? TimestampType::log_append_time : TimestampType::create_time;
}

std::size_t shown_bytes(const record::WalkedRecord& record) {
  return static_cast<std::size_t>(std::max(record.key_bytes, 0)) +
         static_cast<std::size_t>(std::max(record.value_bytes, 0)) + static_cast<std::size_t>(record.header_bytes);
}

/// As Kafka writes it.
std::string name_of(const CompletedFetch::Data& data) {
  return fmt::format("{}-{}", *data.topic, data.partition);
}

/// Whether a control batch ends a transaction by aborting it.
bool is_abort_marker(const record::BatchView& batch) {
  record::RecordReader reader = batch.reader(batch.records());
  record::RecordView marker;
  const auto read = reader.next(marker);
  if (!read || !*read || !marker.key) return false;
  const auto type = record::control_type_of(*marker.key);
  return type && *type == record::ControlRecordType::abort;
}

}  // namespace

CompletedFetch::CompletedFetch(Data data, CollectOptions options)
    : data_(std::move(data)), options_(options), batches_(data_.records), aborted_(std::move(data_.aborted)) {
  std::sort(aborted_.begin(), aborted_.end(),
            [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
}

Failure CompletedFetch::named(Failure why, const Position& position) const {
  return {why.code,
          fmt::format("{} at offset {}: {}; seek to {} to go on behind it", name_of(data_), position.offset,
                      why.subject.empty() ? why.code.message() : why.subject, offset_behind_failure(position))};
}

Result<std::size_t> CompletedFetch::collect(Position& position, std::size_t max_records, BufferPool& buffers,
                                            std::vector<RecordRun>& out) {
  std::size_t collected = 0;
  while (collected < max_records) {
    if (failure_) break;
    if (!reader_) {
      const auto opened = open_next_batch(position, buffers);
      if (!opened && opened.error().code == Errc::buffer_full) {  // may go well later: not kept
        if (collected > 0) return collected;
        return failure(opened.error());
      }
      if (!opened) {
        failure_ = opened.error();
        break;
      }
      if (!*opened) break;
      if (!reader_) {
        close_batch(position);
        continue;
      }
    }
    const auto read = read_run(position, max_records - collected, out);
    if (!read) {
      failure_ = read.error();
      break;
    }
    collected += *read;
  }
  if (failure_ && collected == 0) return failure(named(*failure_, position));
  return collected;
}

Result<bool> CompletedFetch::open_next_batch(const Position& position, BufferPool& buffers) {
  const record::BatchCursor before = batches_;
  const auto bytes = batches_.next();
  if (!bytes) return failure(bytes.error());
  if (!*bytes) {
    // A broker may cut the last batch short; but one that is cut short as the first of all can never be read.
    const bool cut_short = before.rest().size() == data_.records.size() && !data_.records.empty();
    if (cut_short) return failure(Errc::corrupt_data, "the broker sent an incomplete batch");
    batches_ = record::BatchCursor({});
    return false;
  }
  const auto opened = open_batch(**bytes, position, buffers);
  if (opened) return true;
  if (opened.error().code == Errc::buffer_full) batches_ = before;
  return failure(opened.error());
}

Result<void> CompletedFetch::open_batch(BytesView bytes, const Position& position, BufferPool& buffers) {
  auto batch = record::BatchView::read(bytes);
  if (!batch) return failure(batch.error());
  header_ = batch->header();
  if (options_.check_crcs) {
    if (auto valid = batch->ensure_valid(); !valid) return valid;
  }
  const bool hidden = is_hidden(*batch);  // keeps count of the transactions, so it is asked of every batch
  if (hidden || header_.last_offset() < position.offset || header_.record_count == 0) return {};
  BytesView plain = batch->records();
  plain_owner_ = data_.owner;
  if (header_.is_compressed()) {
    const auto shared = decompress_batch(*batch, buffers);
    if (!shared && shared.error().code == Errc::buffer_full) {
      return failure(
          Errc::buffer_full,
          fmt::format("{} at offset {}: a batch of {} bytes does not fit decompressed into the {} bytes free of "
                      "buffer.memory={}; drop Records, raise it, or seek past the batch",
                      name_of(data_), header_.base_offset, bytes.size(), buffers.budget().free_bytes(),
                      buffers.budget().limit_bytes()));
    }
    if (!shared) return failure(shared.error());
    plain = **shared;
    plain_owner_ = *shared;
  }
  reader_.emplace(batch->reader(plain));
  return {};
}

bool CompletedFetch::is_hidden(const record::BatchView& batch) {
  if (options_.read_committed && header_.has_producer_id()) {
    for (; next_aborted_ < aborted_.size(); ++next_aborted_) {
      if (aborted_[next_aborted_].first_offset > header_.last_offset()) break;
      aborted_producers_.insert(aborted_[next_aborted_].producer_id);
    }
    if (header_.is_control()) {
      if (is_abort_marker(batch)) aborted_producers_.erase(header_.producer_id);
    } else if (header_.is_transactional() && aborted_producers_.count(header_.producer_id) != 0) {
      return true;
    }
  }
  return header_.is_control();
}

RecordRun CompletedFetch::empty_run() const {
  RecordRun run;
  run.owner = plain_owner_;
  run.topic = data_.topic;
  run.partition = data_.partition;
  run.leader_epoch = header_.partition_leader_epoch;
  run.base_offset = header_.base_offset;
  run.timestamp_type = public_type(header_.timestamp_type());
  run.base_timestamp_ms =
      run.timestamp_type == TimestampType::log_append_time ? header_.max_timestamp_ms : header_.base_timestamp_ms;
  return run;
}

Result<std::size_t> CompletedFetch::read_run(Position& position, std::size_t max_records, std::vector<RecordRun>& out) {
  std::size_t collected = 0;
  std::size_t in_run = 0;
  const std::byte* run_start = nullptr;
  const auto close_run = [&] {
    if (in_run == 0) return;
    out.push_back(empty_run());
    out.back().first = run_start;
    out.back().count = in_run;
    in_run = 0;
  };
  record::WalkedRecord walked;
  while (collected < max_records) {
    const std::byte* const at = reader_->at();
    if (!reader_->walk(walked)) {
      const auto more = read_unusual(walked);
      if (!more || !*more) {
        close_run();
        if (more) close_batch(position);
        if (!more && collected == 0) return failure(more.error());
        if (!more) failure_ = more.error();
        return collected;
      }
    }
    const std::int64_t offset = header_.offset_at(walked.offset_delta);
    if (offset < position.offset) {  // the fetch began inside the batch
      close_run();
      continue;
    }
    if (in_run == 0) run_start = at;
    ++in_run;
    ++collected;
    record_bytes_ += shown_bytes(walked);
    position = {offset + 1, header_.partition_leader_epoch};
  }
  close_run();
  return collected;
}

/// The end of the batch, a record that is out of the ordinary, or what is wrong with it.
Result<bool> CompletedFetch::read_unusual(record::WalkedRecord& out) {
  record::RecordView record;
  const auto more = reader_->next(record);
  if (!more || !*more) return more;
  out.offset_delta = record.offset_delta;
  out.key_bytes = record.key ? static_cast<std::int32_t>(record.key->size()) : -1;
  out.value_bytes = record.value ? static_cast<std::int32_t>(record.value->size()) : -1;
  out.header_bytes = static_cast<std::int32_t>(record.headers.bytes().size());
  return true;
}

void CompletedFetch::close_batch(Position& position) {
  reader_.reset();
  plain_owner_.reset();
  if (header_.next_offset() > position.offset) position = {header_.next_offset(), header_.partition_leader_epoch};
}

std::int64_t CompletedFetch::offset_behind_failure(const Position& position) const {
  // The header may be what is corrupt: the next batch says best where this one ends.
  const auto next = record::read_batch_header(batches_.rest());
  const bool has_next = next && batches_.rest().size() < data_.records.size();
  if (has_next) return std::max(next->base_offset, position.offset + 1);
  const bool is_plausible = header_.base_offset <= position.offset && header_.last_offset() >= position.offset &&
                            header_.record_count == header_.last_offset_delta + 1;
  return is_plausible ? header_.next_offset() : position.offset + 1;
}

void CompletedFetch::skip_batch(Position& position) {
  position = {offset_behind_failure(position), -1};
  const bool has_end = reader_ || batches_.rest().size() < data_.records.size();
  if (!has_end || !record::read_batch_header(batches_.rest())) batches_ = record::BatchCursor({});
  failure_.reset();
  reader_.reset();
  plain_owner_.reset();
}

bool CompletedFetch::starts_compressed() const noexcept {
  const auto next = record::read_batch_header(batches_.rest());
  return next && next->is_compressed();
}

std::optional<Position> position_after(BytesView records) {
  std::optional<Position> position;
  record::BatchCursor batches(records);
  for (;;) {
    const auto bytes = batches.next();
    if (!bytes || !*bytes) return position;
    const auto header = record::read_batch_header(**bytes);
    if (!header) return position;
    position = Position{header->next_offset(), header->partition_leader_epoch};
  }
}

}  // namespace barnabas::client
