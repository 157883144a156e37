#include "common/record/record_scanner.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"

namespace barnabas::record {
namespace {

/// Header and plain records of a batch: small ones, and now and then one larger than the scanner's window.
std::pair<BatchHeader, Bytes> records_of(std::size_t least_bytes) {
  BatchBuilder builder(BatchOptions{});
  std::mt19937 random(17);
  const std::string text(100'000, 'x');
  const std::array<HeaderView, 1> headers{HeaderView{"name", as_bytes("value")}};
  std::size_t size = 0;
  for (std::int64_t i = 0; size < least_bytes; ++i) {
    RecordInput input;
    input.timestamp_ms = 1'000 + static_cast<std::int64_t>(random() % 3000);
    const std::size_t bytes = random() % 500 == 0 ? 90'000 : random() % 200;
    if (random() % 3 != 0) input.key = as_bytes(std::string_view(text).substr(0, random() % 20));
    input.value = as_bytes(std::string_view(text).substr(0, bytes));
    if (random() % 50 == 0) input.headers = headers;
    builder.append(input);
    size += bytes;
  }
  const Bytes batch = *builder.finish();
  return {*read_batch_header(batch), Bytes(batch.begin() + kBatchHeaderBytes, batch.end())};
}

std::string told_by_reader(const BatchHeader& header, BytesView plain) {
  RecordReader reader(header, plain);
  std::string text;
  RecordView record;
  for (;;) {
    const auto more = reader.next(record);
    if (!more) return text + more.error().code.message();
    if (!*more) return text + "end";
    text += std::to_string(record.offset_delta) + (record.key ? "k " : " ") +
            std::to_string(record.timestamp_ms - header.base_timestamp_ms) + '\n';
  }
}

std::string told_by_scanner(const BatchHeader& header, BytesView compressed, CompressionType type) {
  auto source = make_decompressor(type, compressed);
  if (!source) return source.error().message();
  RecordScanner scanner(header, std::move(*source));
  std::string text;
  ScannedRecord record;
  for (;;) {
    const auto more = scanner.next(record);
    if (!more) return text + more.error().code.message();
    if (!*more) return text + "end";
    text += std::to_string(record.offset_delta) + (record.has_key ? "k " : " ") +
            std::to_string(record.timestamp_delta) + '\n';
  }
}

constexpr std::array kCodecs{CompressionType::gzip, CompressionType::snappy, CompressionType::lz4,
                             CompressionType::zstd};

TEST(RecordScanner, tells_what_the_reader_tells_whatever_the_codec_and_the_size) {
  for (const std::size_t size : {100, 70'000, 600'000, 2'000'000}) {
    const auto [header, plain] = records_of(size);
    const std::string expected = told_by_reader(header, plain);
    ASSERT_NE(expected.find("end"), std::string::npos);
    for (const CompressionType codec : kCodecs) {
      Bytes compressed;
      ASSERT_TRUE(compress(codec, default_level(codec), plain, compressed));
      EXPECT_EQ(told_by_scanner(header, compressed, codec), expected) << to_string(codec) << ' ' << size;
    }
  }
}

TEST(RecordScanner, fails_as_the_reader_does_where_records_do_not_hold_together) {
  const auto [header, plain] = records_of(3'000);
  for (std::size_t i = 0; i < plain.size(); i += i < 300 ? 1 : 13) {
    for (const int flip : {0x01, 0x40, 0x80, 0xff}) {
      Bytes flipped = plain;
      flipped[i] ^= static_cast<std::byte>(flip);
      Bytes compressed;
      ASSERT_TRUE(compress(CompressionType::lz4, 9, flipped, compressed));
      EXPECT_EQ(told_by_scanner(header, compressed, CompressionType::lz4), told_by_reader(header, flipped)) << i;
    }
    Bytes cut;
    ASSERT_TRUE(compress(CompressionType::zstd, 3, BytesView(plain).first(i), cut));
    if (i > 0) {
      EXPECT_EQ(told_by_scanner(header, cut, CompressionType::zstd), told_by_reader(header, BytesView(plain).first(i)))
          << i;
    }
  }
}

TEST(RecordScanner, fails_where_the_codec_does) {
  const auto [header, plain] = records_of(300'000);
  for (const CompressionType codec : kCodecs) {
    Bytes compressed;
    ASSERT_TRUE(compress(codec, default_level(codec), plain, compressed));
    compressed.resize(compressed.size() / 2);
    EXPECT_EQ(told_by_scanner(header, compressed, codec).find("end"), std::string::npos) << to_string(codec);
  }
}

}  // namespace
}  // namespace barnabas::record
