#include "broker/log/partition_log.h"

#include <gmock/gmock.h>

#include "common/record/control_record.h"
#include "tests/broker/log/log_fixture.h"

namespace barnabas::log {
namespace {

using protocol::ErrorCode;
using ::testing::ElementsAre;

class PartitionLogTest : public LogFixture {};

TEST_F(PartitionLogTest, gives_back_what_was_appended) {
  open();
  EXPECT_EQ(append({.records = 3}).first_offset, 0);
  const AppendInfo second = append({.records = 2});
  EXPECT_EQ(second.first_offset, 3);
  EXPECT_EQ(second.last_offset, 4);
  EXPECT_EQ(log->log_end_offset(), 5);
  EXPECT_THAT(base_offsets(), ElementsAre(0, 3));
  const auto slice = log->read(4, 1 << 20, true, ReadBound::high_watermark);
  ASSERT_TRUE(slice);
  const Bytes bytes = slice->bytes().value();
  const auto batch = record::BatchView::read(bytes);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->header().base_offset, 3);
  EXPECT_TRUE(batch->is_crc_valid());
}

TEST_F(PartitionLogTest, shows_a_reader_nothing_above_its_bound) {
  open();
  Bytes batch = make_batch({.records = 2});
  ASSERT_TRUE(log->append_as_leader(batch, 0));
  EXPECT_EQ(log->read(0, 1000, true, ReadBound::high_watermark)->length, 0U);
  EXPECT_GT(log->read(0, 1000, true, ReadBound::log_end)->length, 0U);
  log->set_high_watermark(2);
  Bytes second = make_batch({});
  ASSERT_TRUE(log->append_as_leader(second, 0));
  const auto slice = log->read(0, 1000, true, ReadBound::high_watermark);
  EXPECT_EQ(slice->length, batch.size());
  EXPECT_EQ(log->read(3, 1000, true, ReadBound::log_end)->length, 0U);
  const auto beyond = log->read(4, 1000, true, ReadBound::log_end);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, make_error_code(ErrorCode::offset_out_of_range));
}

TEST_F(PartitionLogTest, gives_the_first_batch_whole_even_when_it_is_too_large) {
  open();
  append({.value_bytes = 5000});
  append({});
  EXPECT_GT(log->read(0, 10, true, ReadBound::log_end)->length, 5000U);
  EXPECT_EQ(log->read(0, 10, false, ReadBound::log_end)->length, 0U) << "else a consumer could never read it";
  EXPECT_GT(log->read(0, 0, true, ReadBound::log_end)->length, 5000U) << "as Kafka: a limit of 0 stops nobody";
  EXPECT_EQ(log->read(0, 0, false, ReadBound::log_end)->length, 0U);
}

TEST_F(PartitionLogTest, says_where_a_slice_ends_only_because_its_segment_does) {
  config.segment_bytes = 1000;
  open();
  for (int i = 0; i < 10; ++i) append({.value_bytes = 300});
  ASSERT_GT(log->segment_count(), 2U);
  EXPECT_TRUE(log->read(0, 1 << 20, true, ReadBound::log_end)->ends_segment);
  EXPECT_FALSE(log->read(0, 100, true, ReadBound::log_end)->ends_segment) << "the limit ended it";
  EXPECT_FALSE(log->read(9, 1 << 20, true, ReadBound::log_end)->ends_segment) << "there is no more";
}

TEST_F(PartitionLogTest, high_watermark_never_goes_back) {
  open();
  append({.records = 5});
  EXPECT_FALSE(log->set_high_watermark(3));
  EXPECT_EQ(log->high_watermark(), 5);
}

TEST_F(PartitionLogTest, rolls_by_size_and_finds_every_offset_again) {
  config.segment_bytes = 4000;
  config.index_interval_bytes = 500;
  open();
  for (int i = 0; i < 100; ++i) append({.records = 2, .value_bytes = 100});
  EXPECT_GT(log->segment_count(), 5U);
  EXPECT_EQ(base_offsets().size(), 100U);
  for (std::int64_t offset = 0; offset < 200; ++offset) {
    const auto slice = log->read(offset, 1, true, ReadBound::log_end);
    ASSERT_TRUE(slice);
    const Bytes bytes = slice->bytes().value();
    const auto header = record::read_batch_header(bytes).value();
    EXPECT_EQ(header.base_offset, offset - offset % 2);
  }
  close_and_reopen();
  EXPECT_EQ(base_offsets().size(), 100U);
  EXPECT_EQ(log->log_end_offset(), 200);
}

TEST_F(PartitionLogTest, rolls_by_the_age_of_the_first_record) {
  config.segment_ms = 60'000;
  open();
  const std::int64_t start = 1'700'000'000'000;
  for (int i = 0; i < 8; ++i) append({.timestamp_ms = start + i * 10'000});
  EXPECT_EQ(log->segment_count(), 2U) << "the eighth is 70 s after the first";
  EXPECT_THAT(file_names(), ::testing::Contains("00000000000000000007.log"));
}

TEST_F(PartitionLogTest, takes_a_random_part_off_the_age_at_which_it_rolls) {
  config.segment_ms = 10'000;
  config.segment_jitter_ms = 10'000;
  open();
  const std::int64_t start = 1'700'000'000'000;
  for (int i = 0; i < 400; ++i) append({.timestamp_ms = start + i * 1000});
  EXPECT_GT(log->segment_count(), 50U) << "36 without a jitter";
  LogConfig plain = config;
  plain.segment_jitter_ms = 0;
  log->set_config(plain);
  ASSERT_TRUE(log->roll());
  const std::size_t before = log->segment_count();
  for (int i = 400; i < 800; ++i) append({.timestamp_ms = start + i * 1000});
  EXPECT_EQ(log->segment_count() - before, 36U);
}

TEST_F(PartitionLogTest, a_segment_that_cannot_be_made_leaves_nothing_behind) {
  config.segment_bytes = 1000;
  open();
  for (int i = 0; i < 3; ++i) append({.value_bytes = 200});
  files.fail_next(runtime::FileOperation::open, "3.timeindex", make_error_code(Errc::storage_full));
  EXPECT_EQ(append_error({.value_bytes = 200}), ErrorCode::kafka_storage_error);
  EXPECT_THAT(file_names(), ::testing::Not(::testing::Contains("00000000000000000003.log")));
  EXPECT_EQ(append({.value_bytes = 200}).first_offset, 3);
  log.reset();
  open(false);
  EXPECT_EQ(log->log_end_offset(), 4);
}

TEST_F(PartitionLogTest, answers_a_repeated_batch_with_the_stored_offset) {
  open();
  const BatchSpec first{.records = 3, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0};
  append(first);
  for (int i = 0; i < 4; ++i) append({.records = 1, .producer_id = 7, .producer_epoch = 0, .base_sequence = 3 + i});
  const AppendInfo again = append(first);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.first_offset, 0);
  EXPECT_EQ(again.last_offset, 2);
  EXPECT_EQ(log->log_end_offset(), 7);
  append({.records = 1, .producer_id = 7, .producer_epoch = 0, .base_sequence = 7});
  EXPECT_EQ(append_error(first), ErrorCode::out_of_order_sequence_number) << "only five batches are remembered";
}

TEST_F(PartitionLogTest, refuses_gaps_and_old_epochs_of_a_producer) {
  open();
  const auto spec = [](std::int16_t epoch, std::int32_t sequence) {
    return BatchSpec{.producer_id = 7, .producer_epoch = epoch, .base_sequence = sequence};
  };
  append(spec(3, 100));  // unknown producers start anywhere
  EXPECT_EQ(append_error(spec(3, 102)), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(append_error(spec(2, 101)), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(append_error(spec(4, 5)), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(append_error(spec(4, 0)), ErrorCode::none);
  EXPECT_EQ(log->log_end_offset(), 2);
}

TEST_F(PartitionLogTest, remembers_producers_over_a_clean_and_an_unclean_start) {
  const BatchSpec spec{.records = 2, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0};
  for (const bool clean : {true, false}) {
    files.remove_all("/data/orders-0");
    open();
    append(spec);
    if (clean) {
      close_and_reopen();
    } else {
      log.reset();
      open(false);
    }
    EXPECT_TRUE(append(spec).duplicate) << clean;
    EXPECT_EQ(log->log_end_offset(), 2);
  }
}

TEST_F(PartitionLogTest, forgets_producers_that_were_silent_for_long) {
  open();
  append({.producer_id = 7, .producer_epoch = 0, .base_sequence = 0});
  EXPECT_EQ(log->producer_count(), 1U);
  env.set_wall_ms(1'700'000'000'000 + 86'400'000);
  ASSERT_TRUE(log->apply_retention());
  EXPECT_EQ(log->producer_count(), 0U);
}

TEST_F(PartitionLogTest, refuses_what_is_damaged_or_too_large) {
  config.max_message_bytes = 1000;
  open();
  Bytes damaged = make_batch({});
  damaged.back() ^= std::byte{1};
  EXPECT_EQ(log->append_as_leader(damaged, 0).error().code, ErrorCode::corrupt_message);
  EXPECT_EQ(append_error({.value_bytes = 2000}), ErrorCode::message_too_large);
  EXPECT_EQ(append_error({.base_offset = 5}), ErrorCode::invalid_record);
  EXPECT_EQ(log->log_end_offset(), 0);
  EXPECT_EQ(file("00000000000000000000.log").size(), 0U);
}

TEST_F(PartitionLogTest, stamps_its_own_time_where_the_topic_asks_for_it) {
  config.timestamp_type = record::TimestampType::log_append_time;
  open();
  env.set_wall_ms(1'700'000'123'000);
  EXPECT_EQ(append({.records = 2}).log_append_time_ms, 1'700'000'123'000);
  const auto found = log->offset_for_timestamp(1'700'000'123'000);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->offset, 0);
}

TEST_F(PartitionLogTest, compresses_anew_where_the_topic_asks_for_it) {
  config.compression = record::CompressionType::zstd;
  config.compression_level = 3;
  open();
  append({.records = 10, .value_bytes = 200, .compression = record::CompressionType::gzip});
  const Bytes bytes = log->read(0, 1 << 20, true, ReadBound::log_end)->bytes().value();
  const auto batch = record::BatchView::read(bytes);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->header().compression(), record::CompressionType::zstd);
  EXPECT_EQ(batch->header().record_count, 10);
}

TEST_F(PartitionLogTest, finds_offsets_by_timestamp) {
  config.segment_bytes = 3000;
  config.index_interval_bytes = 300;
  open();
  for (int i = 0; i < 60; ++i)
    append({.records = 2, .timestamp_ms = 1'700'000'000'000 + i * 100, .timestamp_step_ms = 50});
  for (const bool reopened : {false, true}) {
    if (reopened) close_and_reopen();
    for (int i = 0; i < 120; ++i) {
      for (const int early : {0, 49}) {
        const auto found = log->offset_for_timestamp(1'700'000'000'000 + i * 50 - early);
        ASSERT_TRUE(found && *found) << i;
        EXPECT_EQ((*found)->offset, i);
        EXPECT_EQ((*found)->timestamp_ms, 1'700'000'000'000 + i * 50);
        EXPECT_EQ((*found)->leader_epoch, 0);
      }
    }
    const auto late = log->offset_for_timestamp(1'700'000'000'000 + 120 * 50);
    ASSERT_TRUE(late);
    EXPECT_FALSE(*late);
    EXPECT_EQ(log->offset_of_max_timestamp().value()->offset, 119);
  }
}

TEST_F(PartitionLogTest, has_no_newest_record_while_it_is_empty) {
  open();
  EXPECT_FALSE(log->offset_of_max_timestamp().value());
  EXPECT_FALSE(log->offset_for_timestamp(0).value());
}

TEST_F(PartitionLogTest, reads_batches_of_which_compaction_left_the_header_only) {
  open();
  record::BatchHeader header;
  header.base_offset = 5;
  header.batch_length = static_cast<std::int32_t>(record::kBatchHeaderBytes - record::kLogOverheadBytes);
  header.last_offset_delta = 4;
  header.producer_id = 9;
  header.producer_epoch = 1;
  header.base_sequence = 20;
  header.partition_leader_epoch = 2;
  Bytes bytes(record::kBatchHeaderBytes);
  record::write_batch_header(bytes, header);
  header.crc = record::compute_batch_crc(bytes);
  record::write_batch_header(bytes, header);
  ASSERT_TRUE(log->append_as_follower(bytes));
  EXPECT_EQ(log->log_end_offset(), 10);
  EXPECT_EQ(log->producer_count(), 1U);
  log.reset();
  open(false);
  EXPECT_EQ(log->log_end_offset(), 10);
  EXPECT_THAT(base_offsets(0), ElementsAre(5)) << "offset 0 is in the gap before it";
  EXPECT_EQ(append_error({.producer_id = 9, .producer_epoch = 1, .base_sequence = 25}), ErrorCode::none);
}

TEST_F(PartitionLogTest, truncation_undoes_everything_behind_the_offset) {
  config.segment_bytes = 2000;
  config.index_interval_bytes = 200;
  open();
  for (int i = 0; i < 40; ++i) {
    append({.records = 2,
            .timestamp_ms = 1'700'000'000'000 + i,
            .value_bytes = 60,
            .producer_id = 7,
            .producer_epoch = 0,
            .base_sequence = i * 2},
           i / 10);
  }
  ASSERT_TRUE(log->truncate_to(51));
  EXPECT_EQ(log->log_end_offset(), 50) << "the batch that holds 51 goes as a whole";
  EXPECT_EQ(log->high_watermark(), 50);
  EXPECT_EQ(log->latest_epoch(), 2);
  EXPECT_EQ(base_offsets().size(), 25U);
  EXPECT_FALSE(log->offset_for_timestamp(1'700'000'000'000 + 27).value());
  const AppendInfo next = append({.records = 2, .producer_id = 7, .producer_epoch = 0, .base_sequence = 50}, 5);
  EXPECT_FALSE(next.duplicate);
  EXPECT_EQ(next.first_offset, 50);
  EXPECT_EQ(log->end_offset_for_epoch(2).end_offset, 50);
  close_and_reopen();
  EXPECT_EQ(log->log_end_offset(), 52);
  EXPECT_EQ(base_offsets().size(), 26U);
}

TEST_F(PartitionLogTest, truncation_leaves_what_never_having_appended_would) {
  config.segment_bytes = 2000;
  config.index_interval_bytes = 200;
  const auto write = [&](int batches) {
    open();
    for (int i = 0; i < batches; ++i) {
      append({.records = 1,
              .timestamp_ms = 1'700'000'000'000 + i,
              .value_bytes = 60,
              .producer_id = 7,
              .producer_epoch = 0,
              .base_sequence = i});
    }
  };
  const auto contents = [&] {
    std::map<std::string, Bytes> all;
    for (const std::string& name : file_names()) all[name] = file(name);
    return all;
  };
  for (const int keep : {0, 1, 12, 13, 29}) {
    files.remove_all("/data/orders-0");
    write(keep);
    ASSERT_TRUE(log->close());
    const auto expected = contents();
    files.remove_all("/data/orders-0");
    write(30);
    ASSERT_TRUE(log->truncate_to(keep));
    ASSERT_TRUE(log->close());
    auto got = contents();
    for (const auto& [name, bytes] : expected) {
      if (name.ends_with(".snapshot")) continue;  // which of them are kept depends on the way
      EXPECT_EQ(got[name], bytes) << keep << ' ' << name;
    }
  }
}

TEST_F(PartitionLogTest, starts_anew_where_it_is_told_to) {
  open();
  append({.records = 5});
  ASSERT_TRUE(log->truncate_fully_and_start_at(100));
  EXPECT_EQ(log->log_start_offset(), 100);
  EXPECT_EQ(append({}).first_offset, 100);
  close_and_reopen();
  EXPECT_EQ(log->log_start_offset(), 100);
  EXPECT_EQ(log->log_end_offset(), 101);
}

TEST_F(PartitionLogTest, deletes_old_segments_by_time) {
  config.segment_bytes = 1000;
  config.retention_ms = 10'000;
  open();
  const std::int64_t start = 1'700'000'000'000;
  for (int i = 0; i < 40; ++i) append({.timestamp_ms = start + i * 1000, .value_bytes = 100});
  env.set_wall_ms(start + 30'000);
  EXPECT_GT(log->apply_retention().value(), 0U);
  EXPECT_GT(log->log_start_offset(), 0);
  EXPECT_LE(log->log_start_offset(), 20);
  EXPECT_EQ(log->log_start_offset(), log->first_segment_offset());
  EXPECT_EQ(log->read(0, 100, true, ReadBound::log_end).error().code, make_error_code(ErrorCode::offset_out_of_range));
  const auto lying_there = [this] {
    const auto names = file_names();
    return std::count_if(names.begin(), names.end(), [](const auto& name) { return name.ends_with(".deleted"); });
  };
  EXPECT_GT(lying_there(), 0) << "file.delete.delay.ms is not over";
  env.set_wall_ms(start + 30'000 + config.file_delete_delay_ms);
  ASSERT_TRUE(log->flush_if_due());
  EXPECT_EQ(lying_there(), 0);
  env.set_wall_ms(start + 1'000'000);
  EXPECT_GT(log->apply_retention().value(), 0U);
  EXPECT_EQ(log->log_start_offset(), 40) << "the active segment grows old as well";
  EXPECT_EQ(append({.timestamp_ms = start + 1'000'000}).first_offset, 40);
}

TEST_F(PartitionLogTest, deletes_old_segments_by_size_and_by_log_start) {
  config.segment_bytes = 1000;
  config.retention_ms = -1;
  open();
  for (int i = 0; i < 40; ++i) append({.value_bytes = 100});
  EXPECT_EQ(log->apply_retention().value(), 0U);
  LogConfig smaller = config;
  smaller.retention_bytes = 3000;
  log->set_config(smaller);
  EXPECT_GT(log->apply_retention().value(), 0U);
  EXPECT_GE(log->size_bytes(), 3000U);
  EXPECT_LT(log->size_bytes(), 4000U);
  ASSERT_TRUE(log->set_log_start_offset(38));
  EXPECT_GT(log->apply_retention().value(), 0U);
  EXPECT_EQ(log->log_start_offset(), 38);
  EXPECT_FALSE(log->set_log_start_offset(41));
}

TEST_F(PartitionLogTest, slice_outlives_its_segment) {
  config.segment_bytes = 500;
  config.retention_ms = 1;
  open();
  for (int i = 0; i < 10; ++i) append({.value_bytes = 100});
  const auto slice = log->read(0, 1000, true, ReadBound::log_end);
  env.set_wall_ms(1'800'000'000'000);
  EXPECT_GT(log->apply_retention().value(), 0U);
  const Bytes bytes = slice->bytes().value();
  EXPECT_EQ(record::read_batch_header(bytes)->base_offset, 0);
}

TEST_F(PartitionLogTest, keeps_open_transactions_from_who_reads_committed) {
  open();
  append({.records = 2});
  append({.records = 3, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0, .transactional = true});
  EXPECT_EQ(log->last_stable_offset(), 2);
  EXPECT_EQ(log->read(2, 1000, true, ReadBound::last_stable_offset)->length, 0U);
  append({});
  auto marker = record::end_txn_marker_batch(record::ControlRecordType::abort, 1'700'000'000'500, 7, 0, 1);
  ASSERT_TRUE(marker);
  ASSERT_TRUE(log->append_as_leader(*marker, 0, record::AppendOrigin::coordinator));
  EXPECT_EQ(log->last_stable_offset(), 2) << "the marker is not replicated yet";
  log->set_high_watermark(log->log_end_offset());
  EXPECT_EQ(log->last_stable_offset(), 7);
  const auto slice = log->read(0, 10'000, true, ReadBound::last_stable_offset);
  ASSERT_EQ(slice->aborted.size(), 1U);
  EXPECT_EQ(slice->aborted[0], (AbortedTransaction{7, 2, 6, 7}));
  log.reset();
  open(false);
  EXPECT_EQ(log->read(0, 10'000, true, ReadBound::log_end)->aborted.size(), 0U);
  log->set_high_watermark(log->log_end_offset());
  EXPECT_EQ(log->read(0, 10'000, true, ReadBound::last_stable_offset)->aborted.size(), 1U);
}

TEST_F(PartitionLogTest, knows_where_leader_epochs_end) {
  open();
  append({.records = 2}, 1);
  append({.records = 2}, 3);
  EXPECT_EQ(log->end_offset_for_epoch(1).end_offset, 2);
  EXPECT_EQ(log->end_offset_for_epoch(2).leader_epoch, 1);
  EXPECT_EQ(log->end_offset_for_epoch(2).end_offset, 2);
  EXPECT_EQ(log->end_offset_for_epoch(3).end_offset, 4);
  EXPECT_EQ(log->end_offset_for_epoch(4).end_offset, -1);
  EXPECT_EQ(log->end_offset_for_epoch(0).end_offset, 0);
  EXPECT_EQ(log->epoch_of(1), 1);
  EXPECT_EQ(log->epoch_of(2), 3);
}

}  // namespace
}  // namespace barnabas::log
