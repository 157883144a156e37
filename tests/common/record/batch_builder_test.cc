#include "common/record/batch_builder.h"

#include <gtest/gtest.h>

#include <array>

#include "common/protocol/errors.h"
#include "common/record/control_record.h"
#include "common/record/validator.h"
#include "tests/support/golden.h"

namespace barnabas::record {
namespace {

constexpr std::size_t kPlentyBytes = 16 * 1024 * 1024;
constexpr std::array kAll{CompressionType::none, CompressionType::gzip, CompressionType::snappy, CompressionType::lz4,
                          CompressionType::zstd};

std::string value_of(int i) {
  return "value number " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 70), 'x');
}

void append_samples(BatchBuilder& builder, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(i);
    const std::string value = value_of(i);
    const std::array<HeaderView, 2> headers{HeaderView{"h", as_bytes("1")}, HeaderView{"", std::nullopt}};
    RecordInput record{
        .timestamp_ms = 1000 + i * 7 - (i % 3) * 100, .key = as_bytes(key), .value = as_bytes(value), .headers = {}};
    if (i % 3 == 0) record.key.reset();
    if (i % 5 == 0) record.value.reset();
    if (i % 2 == 0) record.headers = headers;
    const std::size_t expected = builder.plain_bytes_with(record);
    builder.append(record);
    ASSERT_EQ(builder.plain_bytes(), expected);
  }
}

void expect_samples(const BatchView& batch, int count) {
  Bytes scratch;
  const auto plain = batch.plain_records(scratch, kPlentyBytes);
  ASSERT_TRUE(plain) << plain.error().message();
  RecordReader reader = batch.reader(*plain);
  RecordView record;
  for (int i = 0; i < count; ++i) {
    const auto more = reader.next(record);
    ASSERT_TRUE(more) << more.error().message();
    ASSERT_TRUE(*more);
    EXPECT_EQ(record.offset, batch.header().base_offset + i);
    EXPECT_EQ(record.timestamp_ms, 1000 + i * 7 - (i % 3) * 100);
    EXPECT_EQ(record.key.has_value(), i % 3 != 0);
    ASSERT_EQ(record.value.has_value(), i % 5 != 0);
    if (record.value) {
      EXPECT_EQ(as_text(*record.value), value_of(i));
    }
    ASSERT_EQ(record.headers.size(), i % 2 == 0 ? 2U : 0U);
    if (i % 2 == 0) {
      EXPECT_EQ(record.headers.begin()->key, "h");
      EXPECT_EQ(as_text(*record.headers.begin()->value), "1");
    }
  }
  EXPECT_FALSE(*reader.next(record));
}

TEST(BatchBuilder, what_it_writes_the_view_reads_for_every_codec) {
  for (const CompressionType type : kAll) {
    for (const int count : {1, 500}) {
      SCOPED_TRACE(std::string(to_string(type)) + " " + std::to_string(count));
      BatchOptions options;
      options.compression = type;
      options.base_offset = 4711;
      options.producer_id = 9;
      options.producer_epoch = 2;
      options.base_sequence = 2147483640;
      options.transactional = true;
      BatchBuilder builder(options);
      append_samples(builder, count);
      const auto bytes = builder.finish();
      ASSERT_TRUE(bytes);
      const auto batch = BatchView::read(*bytes);
      ASSERT_TRUE(batch) << batch.error().message();
      EXPECT_TRUE(batch->ensure_valid());
      EXPECT_EQ(batch->header().record_count, count);
      EXPECT_EQ(batch->header().compression(), type);
      EXPECT_TRUE(batch->header().is_transactional());
      EXPECT_EQ(batch->header().last_sequence(), increment_sequence(2147483640, count - 1));
      expect_samples(*batch, count);
    }
  }
}

TEST(BatchBuilder, batches_are_byte_for_byte_those_of_java) {
  for (const auto& line : testing::golden_lines("records.jsonl")) {
    if (line["group"] != "v2" || line["batches"].size() != 1) continue;
    const auto bytes = testing::from_base64(line["base64"].get<std::string>());
    const auto batch = BatchView::read(bytes);
    ASSERT_TRUE(batch);
    const BatchHeader& header = batch->header();
    if (header.is_compressed() || header.record_count == 0) continue;
    SCOPED_TRACE(line["name"].get<std::string>());
    BatchOptions options;
    options.base_offset = header.base_offset;
    options.partition_leader_epoch = header.partition_leader_epoch;
    options.timestamp_type = header.timestamp_type();
    options.log_append_time_ms = header.max_timestamp_ms;
    options.producer_id = header.producer_id;
    options.producer_epoch = header.producer_epoch;
    options.base_sequence = header.base_sequence;
    options.transactional = header.is_transactional();
    options.control = header.is_control();
    if (header.has_delete_horizon()) options.delete_horizon_ms = header.base_timestamp_ms;
    if (header.timestamp_type() == TimestampType::log_append_time) continue;  // the records' own times are not readable
    BatchBuilder builder(options);
    RecordReader reader = batch->reader(batch->records());
    RecordView record;
    while (*reader.next(record)) {
      const std::vector<HeaderView> headers = [&] {
        std::vector<HeaderView> all;
        for (const HeaderView& view : record.headers) all.push_back(view);
        return all;
      }();
      builder.append_at(
          record.offset_delta,
          {.timestamp_ms = record.timestamp_ms, .key = record.key, .value = record.value, .headers = headers});
    }
    EXPECT_EQ(*builder.finish(), bytes);
  }
}

TEST(BatchBuilder, uses_the_buffer_it_is_given_again) {
  Bytes buffer;
  buffer.reserve(4096);
  const std::byte* memory = buffer.data();
  BatchBuilder builder(BatchOptions{}, std::move(buffer));
  append_samples(builder, 20);
  const auto batch = builder.finish();
  EXPECT_EQ(batch->data(), memory);
}

TEST(BatchBuilder, a_header_alone_is_a_batch_that_reads) {
  BatchOptions options;
  options.base_offset = 50;
  options.compression = CompressionType::zstd;
  BatchBuilder builder(options);
  builder.set_last_offset_delta(9);
  const auto bytes = builder.finish();
  ASSERT_EQ(bytes->size(), kBatchHeaderBytes);
  const auto batch = BatchView::read(*bytes);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->ensure_valid());
  EXPECT_EQ(batch->header().next_offset(), 60);
  Bytes scratch;
  RecordReader reader = batch->reader(*batch->plain_records(scratch, 0));
  RecordView record;
  EXPECT_FALSE(*reader.next(record));
}

TEST(BatchBuilder, a_producer_state_stamped_later_keeps_the_checksum_right) {
  BatchBuilder builder;
  append_samples(builder, 3);
  auto bytes = builder.finish();
  stamp_producer_state(*bytes, 77, 3, 12);
  const auto batch = BatchView::read(*bytes);
  EXPECT_TRUE(batch->ensure_valid());
  EXPECT_EQ(batch->header().producer_id, 77);
  EXPECT_EQ(batch->header().producer_epoch, 3);
  EXPECT_EQ(batch->header().base_sequence, 12);
}

TEST(Recompress, keeps_the_records_and_changes_the_codec) {
  for (const CompressionType from : kAll) {
    BatchOptions options;
    options.compression = from;
    BatchBuilder builder(options);
    append_samples(builder, 100);
    const auto bytes = builder.finish();
    for (const CompressionType to : kAll) {
      const auto changed = recompress(*bytes, to, default_level(to), kPlentyBytes);
      ASSERT_TRUE(changed);
      const auto batch = BatchView::read(*changed);
      ASSERT_TRUE(batch);
      EXPECT_TRUE(batch->ensure_valid());
      EXPECT_EQ(batch->header().compression(), to);
      expect_samples(*batch, 100);
    }
  }
}

TEST(ControlRecord, an_end_of_transaction_batch_reads_back) {
  const auto bytes = end_txn_marker_batch(ControlRecordType::commit, 1700000000000, 42, 5, 15, 1000, 3);
  ASSERT_TRUE(bytes);
  const auto batch = BatchView::read(*bytes);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->header().is_control());
  EXPECT_TRUE(batch->header().is_transactional());
  RecordReader reader = batch->reader(batch->records());
  RecordView record;
  ASSERT_TRUE(*reader.next(record));
  EXPECT_EQ(*control_type_of(*record.key), ControlRecordType::commit);
  EXPECT_EQ(read_end_txn_marker(*record.value)->coordinator_epoch, 15);
}

}  // namespace
}  // namespace barnabas::record
