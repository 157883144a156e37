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
