#include "common/record/batch_view.h"

#include <limits>

#include "common/bytes/big_endian.h"
#include "common/protocol/errors.h"

namespace barnabas::record {
namespace {

using protocol::ErrorCode;

tl::unexpected<Failure> invalid(std::string why) {
  return failure(ErrorCode::invalid_record, std::move(why));
}

/// As Java adds; unsigned sums wrap without undefined behaviour.
std::int64_t wrapping_plus(std::int64_t left, std::int64_t right) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}

/// A length-prefixed field; a negative length is null, of any size, as in Kafka.
bool read_nullable(wire::Cursor& in, std::optional<BytesView>& out) noexcept {
  std::int32_t length = 0;
  if (in.varint(length) != wire::VarintState::ok) return false;
  if (length < 0) {
    out.reset();
    return true;
  }
  if (static_cast<std::size_t>(length) > in.remaining()) return false;
  out = BytesView(in.at, static_cast<std::size_t>(length));
  in.at += length;
  return true;
}

enum class HeaderState { ok, structure, negative_key };

HeaderState read_header(wire::Cursor& in, HeaderView& out) noexcept {
  std::optional<BytesView> key;
  if (!read_nullable(in, key)) return HeaderState::structure;
  if (!key) return HeaderState::negative_key;
  out.key = as_text(*key);
  return read_nullable(in, out.value) ? HeaderState::ok : HeaderState::structure;
}

}  // namespace

void HeadersView::Iterator::read() noexcept {
  if (left_ <= 0) return;
  wire::Cursor in(rest_);
  read_header(in, current_);
  rest_ = BytesView(in.at, in.remaining());
}

RecordReader::RecordReader(const BatchHeader& header, BytesView plain_records) noexcept
    : in_(plain_records),
      base_offset_(header.base_offset),
      base_timestamp_ms_(header.base_timestamp_ms),
      count_(header.record_count) {
  if (header.timestamp_type() == TimestampType::log_append_time) log_append_time_ms_ = header.max_timestamp_ms;
}

Result<bool> RecordReader::next(RecordView& out) {
  if (count_ < 0) return invalid("found invalid record count " + std::to_string(count_) + " in a record batch");
  if (read_ >= count_) return false;
  std::int32_t body_bytes = 0;
  switch (in_.varint(body_bytes)) {
    case wire::VarintState::ok:
      break;
    case wire::VarintState::cut_short:
      return invalid("fewer records than the batch declares: its bytes end early");
    case wire::VarintState::too_long:
      return failure(ErrorCode::unknown_server_error, "record length of more than five bytes");
  }
  if (body_bytes < 0 || static_cast<std::size_t>(body_bytes) > in_.remaining()) {
    return invalid("invalid record size: " + std::to_string(body_bytes) + " bytes where " +
                   std::to_string(in_.remaining()) + " remain");
  }
  wire::Cursor body(BytesView(in_.at, static_cast<std::size_t>(body_bytes)));
  if (auto read = read_body(body, out); !read) return failure(read.error());
  in_.at += body_bytes;
  out.size_bytes = body_bytes + static_cast<std::int32_t>(wire::varint_bytes(body_bytes));
  ++read_;
  if (read_ == count_ && in_.remaining() > 0) return invalid("more records than the batch declares");
  return true;
}

Result<void> RecordReader::read_body(wire::Cursor body, RecordView& out) const {
  constexpr auto kOk = wire::VarintState::ok;
  std::int64_t timestamp_delta = 0;
  std::int32_t header_count = 0;
  const bool has_attributes = body.remaining() > 0;
  if (has_attributes) ++body.at;
  if (!has_attributes || body.varlong(timestamp_delta) != kOk || body.varint(out.offset_delta) != kOk ||
      !read_nullable(body, out.key) || !read_nullable(body, out.value) || body.varint(header_count) != kOk) {
    return invalid("found invalid record structure");
  }
  if (header_count < 0 || static_cast<std::size_t>(header_count) > body.remaining()) {
    return invalid("found invalid number of record headers " + std::to_string(header_count));
  }
  const std::byte* headers = body.at;
  for (std::int32_t i = 0; i < header_count; ++i) {
    HeaderView header;
    const HeaderState state = read_header(body, header);
    if (state == HeaderState::negative_key) return invalid("invalid negative header key size");
    if (state != HeaderState::ok) return invalid("found invalid record structure");
  }
  if (body.remaining() > 0) return invalid("invalid record size: bytes are left over inside a record");
  out.headers = HeadersView(BytesView(headers, body.at), header_count);
  out.offset = wrapping_plus(base_offset_, out.offset_delta);
  out.timestamp_ms = log_append_time_ms_.value_or(wrapping_plus(base_timestamp_ms_, timestamp_delta));
  return {};
}

Result<BatchView> BatchView::read(BytesView bytes) {
  auto header = read_batch_header(bytes);
  if (!header) return failure(header.error());
  if (header->batch_length < 0 || header->size_bytes() != bytes.size()) {
    return failure(ErrorCode::corrupt_message, "record batch of " + std::to_string(bytes.size()) +
                                                   " bytes declares a length of " +
                                                   std::to_string(header->batch_length));
  }
  BatchView view;
  view.header_ = *header;
  view.bytes_ = bytes;
  return view;
}

Result<void> BatchView::ensure_valid() const {
  const std::uint32_t computed = compute_batch_crc(bytes_);
  if (computed == header_.crc) return {};
  return failure(ErrorCode::corrupt_message, "record batch at offset " + std::to_string(header_.base_offset) +
                                                 " is corrupt (stored crc = " + std::to_string(header_.crc) +
                                                 ", computed crc = " + std::to_string(computed) + ")");
}

Result<BytesView> BatchView::plain_records(Bytes& scratch, std::size_t limit_bytes) const {
  if (!header_.is_compressed()) return records();
  if (!header_.is_known_compression()) {
    return failure(ErrorCode::unknown_server_error,
                   "unknown compression type id " + std::to_string(header_.compression_id()));
  }
  scratch.clear();
  if (header_.record_count == 0) return BytesView{};  // left by compaction: there is no stream
  auto done = decompress(header_.compression(), records(), scratch, limit_bytes);
  if (!done) return failure(done.error());
  return BytesView(scratch);
}

Result<std::optional<BytesView>> BatchCursor::next() {
  constexpr std::size_t kHeadBytes = kMagicPosition + 1;
  if (rest_.size() < kLogOverheadBytes) return std::optional<BytesView>{};
  const auto length = big_endian::load<std::int32_t>(rest_.data() + position::kBatchLength);
  if (length < static_cast<std::int32_t>(kSmallestBatchLength)) {
    return failure(ErrorCode::corrupt_message,
                   "record size " + std::to_string(length) + " is less than the minimum record overhead (14)");
  }
  if (rest_.size() < kHeadBytes) return std::optional<BytesView>{};
  const std::int8_t magic = magic_of(rest_);
  if (magic < 0 || magic > kMagicV2) {
    return failure(ErrorCode::corrupt_message, "invalid magic found in record: " + std::to_string(magic));
  }
  constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max() - static_cast<int>(kLogOverheadBytes);
  if (length > kLargest) {
    return failure(ErrorCode::unknown_server_error, "record size " + std::to_string(length) + " cannot be");
  }
  const std::size_t size = kLogOverheadBytes + static_cast<std::size_t>(length);
  if (rest_.size() < size) return std::optional<BytesView>{};
  const BytesView batch = rest_.first(size);
  rest_ = rest_.subspan(size);
  if (magic < kMagicV2) ++legacy_batches_;
  return std::optional<BytesView>(batch);
}

}  // namespace barnabas::record
