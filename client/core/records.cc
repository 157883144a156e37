#include "barnabas/records.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/bytes/varint.h"

namespace barnabas {
inline namespace v0 {
namespace {

/// Zigzag varints of a record whose every length was checked before: no bounds here.
std::int64_t checked_varlong(const std::byte*& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(*at++);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80 || shift >= 63) return unzigzag(value);
  }
}

std::int32_t checked_varint(const std::byte*& at) {
  return static_cast<std::int32_t>(checked_varlong(at));
}

const std::byte* checked_bytes(const std::byte*& at, std::int32_t length) {
  const std::byte* const begin = at;
  if (length > 0) at += length;
  return begin;
}

std::string_view text_of(const std::byte* at, std::int32_t length) {
  return {reinterpret_cast<const char*>(at), static_cast<std::size_t>(length)};
}

std::optional<std::string> owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace

void HeadersView::Iterator::decode() {
  const std::int32_t key_bytes = checked_varint(at_);
  current_.key = text_of(checked_bytes(at_, key_bytes), key_bytes);
  const std::int32_t value_bytes = checked_varint(at_);
  const std::byte* const value = checked_bytes(at_, value_bytes);
  current_.value = value_bytes < 0 ? std::nullopt : std::optional<std::string_view>(text_of(value, value_bytes));
}

std::optional<HeaderView> HeadersView::find(std::string_view key) const {
  std::optional<HeaderView> last;
  for (const HeaderView& header : *this) {
    if (header.key == key) last = header;
  }
  return last;
}

OwnedRecord::OwnedRecord(const RecordView& view)
    : topic(view.topic()),
      partition(view.partition()),
      offset(view.offset()),
      timestamp(view.timestamp()),
      timestamp_type(view.timestamp_type()),
      leader_epoch(view.leader_epoch()),
      key(owned(view.key())),
      value(owned(view.value())) {
  headers.reserve(view.headers().size());
  for (const HeaderView& header : view.headers()) headers.push_back({std::string(header.key), owned(header.value)});
}

Records::Records(std::vector<RecordRun>&& runs) {
  for (const RecordRun& run : runs) count_ += run.count;
  if (runs.size() > kRunsInPlace) {
    more_runs_.assign(std::make_move_iterator(runs.begin()), std::make_move_iterator(runs.end()));
  } else {
    std::move(runs.begin(), runs.end(), runs_.begin());
    run_count_ = runs.size();
  }
  runs.clear();
}

std::vector<OwnedRecord> Records::to_owned() const {
  std::vector<OwnedRecord> all;
  all.reserve(count_);
  for (const RecordView& record : *this) all.emplace_back(record);
  return all;
}

Records::Iterator::Iterator(const RecordRun* run, const RecordRun* end) : run_(run), end_(end) {
  enter_run();
}

/// Stands before the first record of this run or of the next one that has any.
void Records::Iterator::enter_run() {
  while (run_ != end_ && run_->count == 0) ++run_;
  if (run_ == end_) return;
  at_ = run_->first;
  left_ = run_->count;
  decode();
}

void Records::Iterator::advance() {
  if (--left_ > 0) return decode();
  ++run_;
  enter_run();
}

void Records::Iterator::decode() {
  const std::byte* at = at_;
  const std::int32_t length = checked_varint(at);
  at_ = at + length;
  ++at;  // attributes, all unused
  const std::int64_t timestamp_delta = checked_varlong(at);
  const std::int32_t offset_delta = checked_varint(at);
  RecordView::Parts parts;
  parts.topic = run_->topic.get();
  parts.partition = run_->partition;
  parts.leader_epoch = run_->leader_epoch;
  parts.offset = run_->base_offset + offset_delta;
  parts.timestamp_type = run_->timestamp_type;
  const bool is_append_time = run_->timestamp_type == TimestampType::log_append_time;
  parts.timestamp_ms = run_->base_timestamp_ms + (is_append_time ? 0 : timestamp_delta);
  parts.key_bytes = checked_varint(at);
  parts.key = checked_bytes(at, parts.key_bytes);
  parts.value_bytes = checked_varint(at);
  parts.value = checked_bytes(at, parts.value_bytes);
  parts.header_count = checked_varint(at);
  parts.headers = at;
  current_ = RecordView(parts);
}

}  // namespace v0
}  // namespace barnabas
