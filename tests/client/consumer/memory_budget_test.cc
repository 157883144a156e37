#include "client/consumer/memory_budget.h"

#include <gtest/gtest.h>

#include "client/consumer/decompression.h"
#include "common/record/batch_builder.h"

namespace barnabas::client {
namespace {

Bytes compressed_batch(std::size_t plain_bytes, record::CompressionType compression) {
  record::BatchOptions options;
  options.compression = compression;
  record::BatchBuilder builder(options);
  const std::string value(plain_bytes, 'x');
  record::RecordInput input;
  input.value = as_bytes(value);
  builder.append(input);
  return *builder.finish();
}

TEST(MemoryBudget, gives_no_more_than_it_has_and_takes_back) {
  const auto budget = std::make_shared<MemoryBudget>(100);
  auto first = budget->try_take(60);
  ASSERT_TRUE(first);
  EXPECT_FALSE(budget->try_take(41));
  EXPECT_FALSE(first->grow(101));
  EXPECT_EQ(first->bytes(), 60U);
  EXPECT_TRUE(first->grow(100));
  EXPECT_EQ(budget->free_bytes(), 0U);
  first->shrink(10);
  EXPECT_EQ(budget->used_bytes(), 10U);
  auto second = budget->try_take(90);
  EXPECT_TRUE(second);
  first->release();
  second->release();
  EXPECT_EQ(budget->used_bytes(), 0U);
}

TEST(MemoryBudget, a_batch_fits_exactly_when_its_plain_bytes_do) {
  for (const auto codec : {record::CompressionType::gzip, record::CompressionType::snappy, record::CompressionType::lz4,
                           record::CompressionType::zstd}) {
    const Bytes bytes = compressed_batch(300'000, codec);
    const auto batch = record::BatchView::read(bytes);
    ASSERT_TRUE(batch);
    Bytes plain;
    const std::size_t size = batch->plain_records(plain, 1'000'000)->size();
    const auto enough = std::make_shared<MemoryBudget>(size);
    const auto got = decompress_batch(*batch, *std::make_shared<BufferPool>(enough));
    ASSERT_TRUE(got) << record::to_string(codec) << ": " << got.error().message();
    EXPECT_EQ(**got, plain);
    EXPECT_EQ(enough->used_bytes(), size);
    const auto too_little = std::make_shared<MemoryBudget>(size - 1);
    EXPECT_EQ(decompress_batch(*batch, *std::make_shared<BufferPool>(too_little)).error().code, Errc::buffer_full);
    EXPECT_EQ(too_little->used_bytes(), 0U);
  }
}

/// One frame with one block of plain bytes, whose writer asks for a window of 2^log bytes and does not say the plain
/// size.
Bytes zstd_frame(unsigned window_log, std::string_view plain) {
  constexpr unsigned kSmallestLog = 10;
  const auto block = static_cast<unsigned>(plain.size() << 3U) | 1U;  // the last, raw
  Bytes frame;
  for (const unsigned byte : {0x28U, 0xB5U, 0x2FU, 0xFDU, 0U, (window_log - kSmallestLog) << 3U, block & 0xFFU,
                              (block >> 8U) & 0xFFU, block >> 16U}) {
    frame.push_back(static_cast<std::byte>(byte));
  }
  const BytesView bytes = as_bytes(plain);
  frame.insert(frame.end(), bytes.begin(), bytes.end());
  return frame;
}

TEST(MemoryBudget, refuses_a_zstd_window_that_the_budget_has_no_room_for) {
  record::BatchBuilder builder;
  builder.append({.value = as_bytes("some value")});
  Bytes bytes = *builder.finish();
  const std::string records(as_text(BytesView(bytes).subspan(record::kBatchHeaderBytes)));
  for (const unsigned log : {20U, 26U}) {
    const Bytes frame = zstd_frame(log, records);
    Bytes batch(bytes.begin(), bytes.begin() + record::kBatchHeaderBytes);
    batch.insert(batch.end(), frame.begin(), frame.end());
    record::BatchHeader header = *record::read_batch_header(bytes);
    header.batch_length = static_cast<std::int32_t>(batch.size() - record::kLogOverheadBytes);
    header.attributes = static_cast<std::int16_t>(record::CompressionType::zstd);
    record::write_batch_header(batch, header);
    const auto view = record::BatchView::read(batch);
    ASSERT_TRUE(view);
    const auto budget = std::make_shared<MemoryBudget>(4'000'000);
    const auto plain = decompress_batch(*view, *std::make_shared<BufferPool>(budget));
    if (log == 20U) {
      ASSERT_TRUE(plain) << plain.error().message();
      EXPECT_EQ(as_text(**plain), records);
    } else {
      ASSERT_FALSE(plain);
      EXPECT_EQ(plain.error().code, Errc::buffer_full);
    }
  }
}

TEST(MemoryBudget, buffers_at_rest_count_and_make_room_for_what_needs_it) {
  const auto budget = std::make_shared<MemoryBudget>(1'000'000);
  const auto buffers = std::make_shared<BufferPool>(budget);
  const Bytes small = compressed_batch(20'000, record::CompressionType::zstd);
  ASSERT_TRUE(decompress_batch(*record::BatchView::read(small), *buffers));
  EXPECT_GT(buffers->idle_bytes(), 20'000U);
  EXPECT_EQ(budget->used_bytes(), buffers->idle_bytes());
  const Bytes large = compressed_batch(990'000, record::CompressionType::zstd);
  EXPECT_TRUE(decompress_batch(*record::BatchView::read(large), *buffers));
  EXPECT_LE(budget->used_bytes(), budget->limit_bytes());
}

}  // namespace
}  // namespace barnabas::client
