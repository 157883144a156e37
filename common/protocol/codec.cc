#include "common/protocol/codec.h"

#include <algorithm>

#include "common/protocol/limits.h"

namespace barnabas::protocol {
namespace {

std::string described(const char* message, std::int16_t version) {
  return std::string(message) + " version " + std::to_string(version);
}

template <typename Item, typename Read>
void read_items(const Decoder& decoder, std::vector<Item>& to, std::size_t count, std::size_t item_bytes, Read read) {
  to.reserve(decoder.room(count, item_bytes));
  while (decoder.more(count)) to.push_back(read());
}

template <typename Item, typename Write>
void write_items(Encoder& encoder, const std::vector<Item>& items, Write write) {
  encoder.array_size(items.size());
  for (const Item& item : items) write(item);
}

}  // namespace

std::optional<std::size_t> Decoder::checked_length(bool nullable, bool short_length) noexcept {
  const std::optional<std::size_t> length = flexible       ? in.nullable_compact_length()
                                            : short_length ? in.nullable_length16()
                                                           : in.nullable_length32();
  if (!length && !nullable) in.fail();
  if (short_length && length.value_or(0) > kMaxTextBytes) in.fail();
  return length;
}

void Decoder::text(std::string& to) {
  const std::optional<std::size_t> length = checked_length(false, true);
  if (length) to = in.text(*length);
}

void Decoder::text(std::optional<std::string>& to, bool nullable) {
  to.reset();
  const std::optional<std::size_t> length = checked_length(nullable, true);
  if (length) to.emplace(in.text(*length));
}

void Decoder::bytes(Bytes& to) {
  const std::optional<std::size_t> length = checked_length(false, false);
  const BytesView view = in.bytes(length.value_or(0));
  to.assign(view.begin(), view.end());
}

void Decoder::bytes(std::optional<Bytes>& to, bool nullable) {
  to.reset();
  const std::optional<std::size_t> length = checked_length(nullable, false);
  if (!length) return;
  const BytesView view = in.bytes(*length);
  to.emplace(view.begin(), view.end());
}

void Decoder::records(std::optional<RecordsRef>& to, bool nullable) {
  to.reset();
  const std::optional<std::size_t> length = checked_length(nullable, false);
  if (length) to = RecordsRef{in.bytes(*length), 0};
}

bool Decoder::present(bool nullable) noexcept {
  if (in.int8() >= 0) return true;
  if (!nullable) in.fail();
  return false;
}

bool Decoder::present_in_tag(bool nullable) noexcept {
  if (in.unsigned_varint() != 0) return true;
  if (!nullable) in.fail();
  return false;
}

std::size_t Decoder::array_size() noexcept {
  std::size_t count = 0;
  array_size(count, false);
  return count;
}

bool Decoder::array_size(std::size_t& count, bool nullable) noexcept {
  const std::optional<std::size_t> length = checked_length(nullable, false);
  count = length.value_or(0);
  if (count > in.remaining()) {
    in.fail();
    count = 0;
  }
  return length.has_value();
}

std::size_t Decoder::room(std::size_t count, std::size_t item_bytes) const noexcept {
  return std::min(count, in.remaining() / std::max<std::size_t>(item_bytes, 1));
}

void Decoder::tags(TaggedFields& unknown) {
  if (!flexible) return;
  for (TagReader tag(*this); tag.next();) tag.keep(unknown);
}

void Decoder::items(std::vector<std::int8_t>& to, std::size_t count) {
  read_items(*this, to, count, 1, [this] { return in.int8(); });
}
void Decoder::items(std::vector<std::int16_t>& to, std::size_t count) {
  read_items(*this, to, count, 2, [this] { return in.int16(); });
}
void Decoder::items(std::vector<std::int32_t>& to, std::size_t count) {
  read_items(*this, to, count, 4, [this] { return in.int32(); });
}
void Decoder::items(std::vector<std::int64_t>& to, std::size_t count) {
  read_items(*this, to, count, 8, [this] { return in.int64(); });
}
void Decoder::items(std::vector<Uuid>& to, std::size_t count) {
  read_items(*this, to, count, Uuid::kBytes, [this] { return in.uuid(); });
}
void Decoder::items(std::vector<std::string>& to, std::size_t count) {
  to.reserve(room(count, flexible ? 1 : 2));
  while (more(count)) text(to.emplace_back());
}

TagReader::TagReader(Decoder& decoder) noexcept
    : outer_(decoder), left_(decoder.in.unsigned_varint()), value_(bytes_, decoder.version, decoder.flexible) {}

bool TagReader::next() noexcept {
  close();
  if (left_ == 0 || outer_.in.failed()) return false;
  --left_;
  tag_ = outer_.in.unsigned_varint();
  bytes_ = Reader(outer_.in.bytes(outer_.in.unsigned_varint()));
  open_ = !outer_.in.failed();
  return open_;
}

void TagReader::keep(TaggedFields& unknown) {
  const BytesView data = bytes_.bytes(bytes_.remaining());
  unknown.fields.push_back({tag_, Bytes(data.begin(), data.end())});
}

void TagReader::close() noexcept {
  // A value that does not fill its size exactly is a size that lies.
  if (open_ && (bytes_.failed() || bytes_.remaining() > 0)) outer_.in.fail();
  open_ = false;
}

void Encoder::refuse(const char* field, Errc code) noexcept {
  if (problem.code == Errc::ok) problem = {code, field};
}

void Encoder::text(std::string_view value, const char* field) {
  if (value.size() > kMaxTextBytes) return refuse(field, Errc::invalid_argument);
  flexible ? out.compact_string(value) : out.string(value);
}

void Encoder::text(const std::optional<std::string>& value, bool nullable, const char* field) {
  if (value) return text(*value, field);
  if (!nullable) refuse(field);
  flexible ? out.unsigned_varint(0) : out.int16(-1);
}

void Encoder::bytes(BytesView value) {
  flexible ? out.compact_bytes(value) : out.length_prefixed_bytes(value);
}

void Encoder::bytes(const std::optional<Bytes>& value, bool nullable, const char* field) {
  value ? bytes(*value) : null_array(nullable, field);
}

void Encoder::records(const std::optional<RecordsRef>& value, bool nullable, const char* field) {
  if (!value) return null_array(nullable, field);
  if (value->external_bytes == 0) return bytes(value->bytes);
  array_size(value->external_bytes);
  out.external(value->external_bytes);
}

void Encoder::present(bool is_present, bool nullable, const char* field) {
  if (!is_present && !nullable) refuse(field);
  out.int8(is_present ? 1 : -1);
}

void Encoder::present_in_tag(bool is_present, bool nullable, const char* field) {
  if (!is_present && !nullable) refuse(field);
  out.unsigned_varint(is_present ? 1 : 0);
}

void Encoder::array_size(std::size_t count) {
  flexible ? out.unsigned_varint(static_cast<std::uint32_t>(count + 1)) : out.int32(static_cast<std::int32_t>(count));
}

void Encoder::null_array(bool nullable, const char* field) {
  if (!nullable) refuse(field);
  flexible ? out.unsigned_varint(0) : out.int32(-1);
}

void Encoder::tags(const TaggedFields& unknown) {
  if (flexible && unknown.empty()) return out.unsigned_varint(0);
  TagWriter(*this, unknown).finish();
}

void Encoder::items(const std::vector<std::int8_t>& value) {
  write_items(*this, value, [this](std::int8_t item) { out.int8(item); });
}
void Encoder::items(const std::vector<std::int16_t>& value) {
  write_items(*this, value, [this](std::int16_t item) { out.int16(item); });
}
void Encoder::items(const std::vector<std::int32_t>& value) {
  write_items(*this, value, [this](std::int32_t item) { out.int32(item); });
}
void Encoder::items(const std::vector<std::int64_t>& value) {
  write_items(*this, value, [this](std::int64_t item) { out.int64(item); });
}
void Encoder::items(const std::vector<Uuid>& value) {
  write_items(*this, value, [this](const Uuid& item) { out.uuid(item); });
}
void Encoder::items(const std::vector<std::string>& value) {
  write_items(*this, value, [this](const std::string& item) { text(item, "array of strings"); });
}

TagWriter::TagWriter(Encoder& encoder, const TaggedFields& unknown)
    : outer_(encoder), value_(value_bytes_, encoder.version, encoder.flexible, encoder.problem) {
  if (!unknown.empty() && !encoder.flexible) encoder.refuse("tagged fields");
  for (const TaggedField& field : unknown.fields) unknown_.push_back(&field);
  std::stable_sort(unknown_.begin(), unknown_.end(), [](const auto* a, const auto* b) { return a->tag < b->tag; });
}

Encoder& TagWriter::begin(std::uint32_t tag) {
  tag_ = tag;
  return value_;
}

void TagWriter::end() {
  add_unknown_below(tag_);
  add(tag_, value_bytes_.view());
  value_bytes_ = Writer{};
}

void TagWriter::finish() {
  if (!outer_.flexible) return;
  add_unknown_below(std::numeric_limits<std::uint64_t>::max());
  outer_.out.unsigned_varint(count_);
  outer_.out.bytes(fields_.view());
}

void TagWriter::add(std::uint32_t tag, BytesView data) {
  fields_.unsigned_varint(tag);
  fields_.unsigned_varint(static_cast<std::uint32_t>(data.size()));
  fields_.bytes(data);
  ++count_;
}

void TagWriter::add_unknown_below(std::uint64_t tag) {
  while (next_unknown_ < unknown_.size() && unknown_[next_unknown_]->tag < tag) {
    const TaggedField& field = *unknown_[next_unknown_++];
    add(field.tag, field.data);
  }
}

Result<void> check_version(const char* message, std::int16_t version, std::int16_t min, std::int16_t max) {
  if (version >= min && version <= max) return {};
  return failure(Errc::unsupported_version, described(message, version));
}

Result<void> encoded(const EncodeProblem& problem, const char* message, std::int16_t version) {
  if (problem.code == Errc::ok) return {};
  return failure(problem.code, described(message, version) + ": " + problem.field);
}

tl::unexpected<Failure> malformed(const char* message, std::int16_t version) {
  return failure(Errc::corrupt_data, described(message, version));
}

}  // namespace barnabas::protocol
