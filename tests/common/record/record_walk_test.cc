#include "common/record/record_walk.h"

#include <gtest/gtest.h>

#include <array>

#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"
#include "tests/support/golden.h"

namespace barnabas::record {
namespace {

std::int64_t minus(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

/// Everything the walk tells, and where each record began; then how it ended.
std::string told(const BatchHeader& header, BytesView plain, bool by_walking) {
  RecordReader reader(header, plain);
  std::string text;
  for (;;) {
    WalkedRecord walked;
    const auto begin = reader.at() - plain.data();
    if (!by_walking || !reader.walk(walked)) {
      RecordView record;
      const auto more = reader.next(record);
      if (!more) return text + more.error().message();
      if (!*more) return text + "end";
      walked.offset_delta = record.offset_delta;
      walked.timestamp_delta = minus(record.timestamp_ms, header.base_timestamp_ms);
      walked.key_bytes = record.key ? static_cast<std::int32_t>(record.key->size()) : -1;
      walked.value_bytes = record.value ? static_cast<std::int32_t>(record.value->size()) : -1;
      walked.header_bytes = static_cast<std::int32_t>(record.headers.bytes().size());
    }
    const auto null_or = [](std::int32_t bytes) { return bytes < 0 ? std::string("null") : std::to_string(bytes); };
    for (const std::string& part :
         {std::to_string(begin), std::to_string(walked.offset_delta), std::to_string(walked.timestamp_delta),
          null_or(walked.key_bytes), null_or(walked.value_bytes), std::to_string(walked.header_bytes)}) {
      text += part + ' ';
    }
    text += '\n';
  }
}

void expect_same(const BatchHeader& header, BytesView plain) {
  if (header.timestamp_type() == TimestampType::log_append_time) return;  // no record's own time is shown
  EXPECT_EQ(told(header, plain, true), told(header, plain, false));
}

/// The records section of a batch with all kinds of records, and its header.
std::pair<BatchHeader, Bytes> assorted_records() {
  BatchOptions options;
  options.base_offset = 5;
  BatchBuilder builder(options);
  const std::string long_text(20'000, 'x');
  const std::array<HeaderView, 2> headers{HeaderView{"name", as_bytes("value")}, HeaderView{"", std::nullopt}};
  std::int64_t time = 1'000'000;
  for (const std::string_view value : {std::string_view(), std::string_view("short"), std::string_view(long_text)}) {
    for (const bool with_key : {true, false}) {
      for (const bool with_headers : {true, false}) {
        RecordInput input;
        input.timestamp_ms = time += 40'000'000;
        if (with_key) input.key = as_bytes("key");
        if (!value.empty()) input.value = as_bytes(value);
        if (with_headers) input.headers = headers;
        builder.append(input);
      }
    }
  }
  const Bytes batch = *builder.finish();
  return {*read_batch_header(batch), Bytes(batch.begin() + kBatchHeaderBytes, batch.end())};
}

TEST(RecordWalk, walks_over_all_but_what_is_out_of_the_ordinary) {
  const auto [header, plain] = assorted_records();
  RecordReader reader(header, plain);
  WalkedRecord record;
  int walked = 0;
  while (reader.walk(record)) ++walked;
  EXPECT_EQ(walked, header.record_count);
  EXPECT_EQ(reader.at(), plain.data() + plain.size());
  RecordView none;
  EXPECT_FALSE(*reader.next(none));
}

TEST(RecordWalk, tells_what_the_reader_tells_of_any_bytes) {
  const auto [header, plain] = assorted_records();
  expect_same(header, plain);
  for (std::size_t i = 0; i < plain.size(); i += i < 200 || i + 200 > plain.size() ? 1 : 97) {
    for (const int flip : {0x01, 0x02, 0x40, 0x80, 0x81, 0xff}) {
      Bytes flipped = plain;
      flipped[i] ^= static_cast<std::byte>(flip);
      expect_same(header, flipped);
    }
    const Bytes cut(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(i));  // its own end: sanitizers see it
    expect_same(header, cut);
  }
}

/// A varint in more bytes than it needs, which readers of Kafka take too.
void append_padded(Bytes& out, std::int32_t value, int bytes) {
  auto raw = static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
  for (int i = 0; i + 1 < bytes || raw >= 0x80; ++i, raw >>= 7) out.push_back(static_cast<std::byte>(raw | 0x80));
  out.push_back(static_cast<std::byte>(raw));
}

TEST(RecordWalk, tells_what_the_reader_tells_of_lengths_in_more_bytes_than_they_need) {
  BatchHeader header = assorted_records().first;
  header.record_count = 2;
  for (int widths = 0; widths < 4 * 4 * 4 * 4 * 2; ++widths) {
    const int timestamp = 1 + widths % 4;
    const int offset = 1 + widths / 4 % 4;
    const int key = 1 + widths / 16 % 4;
    const int value = 1 + widths / 64 % 4;
    Bytes plain;
    for (std::int32_t i = 0; i < 2; ++i) {
      const bool has_key = widths / 256 == 1;
      Bytes body(1);
      append_padded(body, 7, timestamp);
      append_padded(body, i, offset);
      append_padded(body, has_key ? 2 : -1, key);
      body.resize(body.size() + (has_key ? 2 : 0), std::byte{0x85});
      append_padded(body, 9, value);
      body.resize(body.size() + 9, std::byte{0xff});
      append_padded(body, 0, 1 + i);
      append_padded(plain, static_cast<std::int32_t>(body.size()), timestamp);
      plain.insert(plain.end(), body.begin(), body.end());
    }
    SCOPED_TRACE(widths);
    expect_same(header, plain);
    EXPECT_NE(told(header, plain, true).find("end"), std::string::npos);
  }
}

TEST(RecordWalk, tells_what_the_reader_tells_of_kafkas_batches) {
  int compared = 0;
  for (const auto& line : barnabas::testing::golden_lines("records.jsonl")) {
    SCOPED_TRACE(line["name"].get<std::string>());
    const Bytes bytes = barnabas::testing::from_base64(line["base64"].get<std::string>());
    const auto header = read_batch_header(bytes);
    if (!header) continue;
    expect_same(*header, BytesView(bytes).subspan(kBatchHeaderBytes));
    ++compared;
  }
  EXPECT_GT(compared, 30);
}

}  // namespace
}  // namespace barnabas::record
