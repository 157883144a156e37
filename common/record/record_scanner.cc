#include "common/record/record_scanner.h"

#include <algorithm>

#include "common/protocol/errors.h"
#include "common/record/record_walk.h"
#include "common/record/wire.h"

namespace barnabas::record {

using protocol::ErrorCode;

namespace {

constexpr std::size_t kWindowBytes = 64 * 1024;
constexpr std::size_t kMostWindowBytes = 1024 * 1024;

std::size_t window_for(const Decompressor& source) {
  const std::size_t said = source.said_plain_bytes().value_or(0);
  return said > kWindowBytes && said <= kMostWindowBytes ? said : kWindowBytes;
}

}  // namespace

RecordScanner::RecordScanner(const BatchHeader& header, std::unique_ptr<Decompressor> source)
    : source_(std::move(source)),
      window_bytes_(window_for(*source_)),
      window_(new std::byte[window_bytes_]),
      count_(header.record_count) {}

Result<bool> RecordScanner::next(ScannedRecord& out) {
  if (count_ < 0) {
    return failure(ErrorCode::invalid_record, "found invalid record count " + std::to_string(count_));
  }
  if (read_ >= count_) return false;
  if (!walk(out) && !read_slowly(out)) return why();
  ++read_;
  if (read_ < count_) return true;
  const Step rest = position_ < size_ ? Step::ok : refill();
  if (rest == Step::codec) return failure(codec_failure_);
  if (rest == Step::ok) return failure(ErrorCode::invalid_record, "more records than the batch declares");
  return true;
}

/// Takes a record that lies in the window as a whole, and is as almost all are. Whether it did.
bool RecordScanner::walk(ScannedRecord& out) noexcept {
  WalkedRecord record;
  const std::byte* const start = window_.get();
  const std::byte* const behind = walk_record(start + position_, start + size_, record);
  if (behind == nullptr) return false;
  position_ = static_cast<std::size_t>(behind - start);
  out.offset_delta = record.offset_delta;
  out.timestamp_delta = record.timestamp_delta;
  out.has_key = record.key_bytes >= 0;
  return true;
}

/// The same byte by byte, whatever it is, and wherever it ends. problem_ says what is wrong with it.
bool RecordScanner::read_slowly(ScannedRecord& out) {
  std::uint64_t bits = 0;
  code_ = ErrorCode::invalid_record;
  switch (unsigned_varint(bits, 5)) {
    case Step::ok:
      break;
    case Step::end:
      problem_ = "fewer records than the batch declares: its bytes end early";
      return false;
    case Step::too_long:
      code_ = ErrorCode::unknown_server_error;
      problem_ = "record length of more than five bytes";
      return false;
    case Step::codec:
      return false;
  }
  body_left_ = static_cast<std::int32_t>(wire::unzigzag(bits & 0xffffffffU));
  problem_ = "found invalid record structure";
  return read_body(out);
}

bool RecordScanner::read_body(ScannedRecord& out) {
  std::int32_t key_bytes = 0;
  std::int32_t value_bytes = 0;
  if (!body_skip(1) || !body_varlong(out.timestamp_delta) || !body_varint(out.offset_delta)) return false;
  if (!body_varint(key_bytes) || !body_skip(std::max(key_bytes, 0))) return false;
  if (!body_varint(value_bytes) || !body_skip(std::max(value_bytes, 0))) return false;
  out.has_key = key_bytes >= 0;
  if (!skip_headers()) return false;
  problem_ = "invalid record size: bytes are left over inside a record";
  return body_left_ == 0;
}

bool RecordScanner::skip_headers() {
  std::int32_t count = 0;
  if (!body_varint(count)) return false;
  problem_ = "found invalid number of record headers";
  if (count < 0 || count > body_left_) return false;
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t length = 0;
    problem_ = "found invalid record structure";
    if (!body_varint(length)) return false;
    problem_ = "invalid negative header key size";
    if (length < 0) return false;
    problem_ = "found invalid record structure";
    if (!body_skip(length) || !body_varint(length) || !body_skip(std::max(length, 0))) return false;
  }
  return true;
}

tl::unexpected<Failure> RecordScanner::why() const {
  if (codec_failed_) return failure(codec_failure_);
  return failure(code_, problem_);
}

bool RecordScanner::body_varint(std::int32_t& value) {
  std::int64_t wide = 0;
  std::uint64_t bits = 0;
  const std::int64_t before = body_left_;
  if (before <= 0 || unsigned_varint(bits, 5) != Step::ok) return false;
  wide = wire::unzigzag(bits & 0xffffffffU);
  value = static_cast<std::int32_t>(wide);
  return body_left_ >= 0;
}

bool RecordScanner::body_varlong(std::int64_t& value) {
  std::uint64_t bits = 0;
  if (body_left_ <= 0 || unsigned_varint(bits, 10) != Step::ok) return false;
  value = wire::unzigzag(bits);
  return body_left_ >= 0;
}

bool RecordScanner::body_skip(std::int32_t bytes) {
  if (bytes > body_left_) return false;
  return skip(bytes) == Step::ok;
}

RecordScanner::Step RecordScanner::refill() {
  if (codec_failed_) return Step::codec;
  auto count = source_->read({window_.get(), window_bytes_});
  if (!count) {
    codec_failed_ = true;
    codec_failure_ = count.error();
    return Step::codec;
  }
  position_ = 0;
  size_ = *count;
  return size_ == 0 ? Step::end : Step::ok;
}

RecordScanner::Step RecordScanner::byte(std::uint8_t& out) {
  if (position_ == size_) {
    const Step refilled = refill();
    if (refilled != Step::ok) return refilled;
  }
  out = std::to_integer<std::uint8_t>(window_[position_++]);
  --body_left_;
  return Step::ok;
}

RecordScanner::Step RecordScanner::unsigned_varint(std::uint64_t& bits, int most_bytes) {
  for (int i = 0; i < most_bytes; ++i) {
    std::uint8_t next = 0;
    const Step step = byte(next);
    if (step != Step::ok) return step;
    bits |= static_cast<std::uint64_t>(next & 0x7f) << (7 * i);
    if ((next & 0x80) == 0) return Step::ok;
  }
  return Step::too_long;
}

RecordScanner::Step RecordScanner::skip(std::int64_t bytes) {
  body_left_ -= bytes;
  while (bytes > 0) {
    if (position_ == size_) {
      const Step refilled = refill();
      if (refilled != Step::ok) return refilled;
    }
    const std::int64_t step = std::min<std::int64_t>(bytes, static_cast<std::int64_t>(size_ - position_));
    position_ += static_cast<std::size_t>(step);
    bytes -= step;
  }
  return Step::ok;
}

}  // namespace barnabas::record
