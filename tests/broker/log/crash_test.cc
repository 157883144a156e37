#include "tests/broker/log/log_fixture.h"

namespace barnabas::log {
namespace {

using protocol::ErrorCode;
using runtime::FileOperation;

class CrashTest : public LogFixture {};

TEST_F(CrashTest, every_torn_tail_is_cut_back_to_the_last_whole_batch) {
  open();
  append({.records = 2});
  append({.records = 3, .value_bytes = 40});
  const Bytes whole = file("00000000000000000000.log");
  const std::size_t first = record::read_batch_header(whole)->size_bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(files.remove_all("/data/orders-0"));
    ASSERT_TRUE(files.make_directories("/data/orders-0"));
    auto torn = files.open("/data/orders-0/00000000000000000000.log", runtime::OpenMode::create);
    ASSERT_TRUE((*torn)->write_at(BytesView(whole).first(size), 0));
    open(false);
    ASSERT_EQ(log->log_end_offset(), size < first ? 0 : 2) << size;
    ASSERT_EQ(file("00000000000000000000.log").size(), size < first ? 0 : first) << size;
    const std::int64_t end = log->log_end_offset();
    ASSERT_EQ(append({}).first_offset, end);
  }
}

TEST_F(CrashTest, every_flipped_byte_of_the_last_batch_is_found) {
  open();
  append({.records = 2});
  append({.records = 3});
  const Bytes whole = file("00000000000000000000.log");
  const std::size_t first = record::read_batch_header(whole)->size_bytes();
  for (std::size_t at = first + record::position::kAttributes; at < whole.size(); ++at) {
    ASSERT_TRUE(files.remove_all("/data/orders-0"));
    ASSERT_TRUE(files.make_directories("/data/orders-0"));
    Bytes flipped = whole;
    flipped[at] ^= std::byte{0x10};
    auto damaged = files.open("/data/orders-0/00000000000000000000.log", runtime::OpenMode::create);
    ASSERT_TRUE((*damaged)->write_at(flipped, 0));
    open(false);
    ASSERT_EQ(log->log_end_offset(), 2) << at;
  }
}

TEST_F(CrashTest, zeros_behind_the_last_batch_are_cut) {
  open();
  append({.records = 2});
  const Bytes whole = file("00000000000000000000.log");
  log.reset();
  auto padded = files.open("/data/orders-0/00000000000000000000.log", runtime::OpenMode::read_write);
  ASSERT_TRUE((*padded)->write_at(Bytes(5000), whole.size()));
  open(false);
  EXPECT_EQ(log->log_end_offset(), 2);
  EXPECT_EQ(file("00000000000000000000.log"), whole);
}

TEST_F(CrashTest, what_was_flushed_survives_a_power_cut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    runtime::MemoryFiles disk(seed);
    disk.keep_torn_tails(true);
    LogTestEnv disk_env(disk);
    OpenOptions how = options();
    how.config.segment_bytes = 1500;
    how.config.index_interval_bytes = 200;
    std::int64_t flushed = 0;
    {
      auto first = PartitionLog::open(disk_env, how).value();
      for (int i = 0; i < 60; ++i) {
        Bytes batch = make_batch({.value_bytes = 50, .producer_id = 7, .producer_epoch = 0, .base_sequence = i});
        ASSERT_TRUE(first->append_as_leader(batch, 0));
        if (i == static_cast<int>(20 + seed)) {
          ASSERT_TRUE(first->flush());
          flushed = first->log_end_offset();
        }
      }
    }
    disk.crash();
    how.recovery_point = flushed;
    auto again = PartitionLog::open(disk_env, how);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_GE((*again)->log_end_offset(), flushed) << seed;
    // Each offset that is left is there once and in order, and the producer goes on behind it.
    std::int64_t offset = 0;
    while (offset < (*again)->log_end_offset()) {
      const auto slice = (*again)->read(offset, 1, true, ReadBound::log_end);
      ASSERT_TRUE(slice) << slice.error().message();
      const Bytes bytes = slice->bytes().value();
      const auto batch = record::BatchView::read(bytes);
      ASSERT_TRUE(batch && batch->is_crc_valid());
      ASSERT_EQ(batch->header().base_offset, offset);
      offset = batch->header().next_offset();
    }
    Bytes next =
        make_batch({.producer_id = 7, .producer_epoch = 0, .base_sequence = static_cast<std::int32_t>(offset)});
    const auto appended = (*again)->append_as_leader(next, 0);
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(appended->first_offset, offset);
  }
}

TEST_F(CrashTest, a_hole_in_the_middle_takes_the_later_segments_along) {
  config.segment_bytes = 500;
  open();
  for (int i = 0; i < 12; ++i) append({.value_bytes = 100});
  ASSERT_GT(log->segment_count(), 3U);
  log.reset();
  auto first = files.open("/data/orders-0/00000000000000000000.log", runtime::OpenMode::read_write);
  ASSERT_TRUE((*first)->truncate((*first)->size().value() - 3));
  open(false);
  EXPECT_EQ(log->segment_count(), 1U);
  EXPECT_EQ(log->log_end_offset(), static_cast<std::int64_t>(base_offsets().size()));
}

TEST_F(CrashTest, missing_and_damaged_indexes_are_made_anew_after_a_clean_stop) {
  config.segment_bytes = 2000;
  config.index_interval_bytes = 200;
  open();
  for (int i = 0; i < 40; ++i) append({.timestamp_ms = 1'700'000'000'000 + i, .value_bytes = 60});
  ASSERT_TRUE(log->close());
  const auto names = file_names();
  std::map<std::string, Bytes> before;
  for (const std::string& name : names) before[name] = file(name);
  for (const std::string& name : names) {
    if (!name.ends_with("index")) continue;
    for (const bool missing : {true, false}) {
      const std::string path = "/data/orders-0/" + name;
      if (missing) {
        ASSERT_TRUE(files.remove(path));
      } else {
        ASSERT_TRUE((*files.open(path, runtime::OpenMode::read_write))->write_at(Bytes(16, std::byte{0xff}), 0));
      }
      open(true);
      if (missing) {
        EXPECT_EQ(file(name), before[name]) << name;
      }
      EXPECT_EQ(base_offsets().size(), 40U) << name;
      for (std::int64_t offset = 0; offset < 40; ++offset) {
        const auto slice = log->read(offset, 1, true, ReadBound::log_end);
        ASSERT_TRUE(slice && slice->length > 0) << name << ' ' << offset;
        EXPECT_EQ(record::read_batch_header(slice->bytes().value())->base_offset, offset) << name;
      }
      ASSERT_TRUE(log->close());
      auto file_again = files.open(path, runtime::OpenMode::create_truncated);
      ASSERT_TRUE((*file_again)->write_at(before[name], 0));
    }
  }
}

TEST_F(CrashTest, a_full_disk_changes_nothing_and_the_log_goes_on_when_there_is_room) {
  open();
  append({.records = 2, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0});
  const Bytes before = file("00000000000000000000.log");
  const BatchSpec next{.records = 2, .value_bytes = 5000, .producer_id = 7, .producer_epoch = 0, .base_sequence = 2};
  std::uint64_t used = 0;
  for (const std::string& name : file_names()) used += file(name).size();
  files.set_capacity_bytes(used + 1000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(append_error(next), ErrorCode::kafka_storage_error);
  EXPECT_EQ(file("00000000000000000000.log"), before) << "nothing torn is left";
  EXPECT_EQ(log->log_end_offset(), 2);
  EXPECT_FALSE(log->is_offline());
  EXPECT_EQ(base_offsets().size(), 1U);
  files.set_capacity_bytes(1 << 20);
  const AppendInfo appended = append(next);
  EXPECT_FALSE(appended.duplicate);
  EXPECT_EQ(appended.first_offset, 2);
  close_and_reopen();
  EXPECT_EQ(log->log_end_offset(), 4);
}

TEST_F(CrashTest, a_disk_that_fills_up_while_rolling_leaves_the_old_segment_in_use) {
  config.segment_bytes = 1000;
  for (const FileOperation step : {FileOperation::open, FileOperation::write}) {
    ASSERT_TRUE(files.remove_all("/data/orders-0"));
    open();
    BatchSpec spec{.value_bytes = 100, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0};
    const std::size_t size = make_batch(spec).size();
    for (; log->size_bytes() + size <= 1000; ++spec.base_sequence) append(spec);
    const std::int64_t end = log->log_end_offset();
    files.fail_next(step, "/data/orders-0", make_error_code(Errc::storage_full));
    EXPECT_EQ(append_error(spec), ErrorCode::kafka_storage_error);
    EXPECT_EQ(log->log_end_offset(), end);
    EXPECT_FALSE(log->is_offline());
    EXPECT_EQ(append(spec).first_offset, end);
    log.reset();
    open(false);
    EXPECT_EQ(log->log_end_offset(), end + 1);
  }
}

TEST_F(CrashTest, a_failed_sync_is_not_tried_again) {
  open();
  append({});
  files.fail_next(FileOperation::sync, ".log", make_error_code(Errc::io_error));
  EXPECT_FALSE(log->flush());
  EXPECT_TRUE(log->is_offline());
  EXPECT_FALSE(log->flush()) << "the second sync would lie";
  EXPECT_EQ(append_error({}), ErrorCode::kafka_storage_error);
  EXPECT_FALSE(log->read(0, 100, true, ReadBound::log_end));
  EXPECT_FALSE(log->close());
}

TEST_F(CrashTest, a_failed_write_takes_the_log_offline) {
  open();
  append({});
  files.fail_next(FileOperation::write, ".log", make_error_code(Errc::io_error));
  EXPECT_EQ(append_error({}), ErrorCode::kafka_storage_error);
  EXPECT_TRUE(log->is_offline());
}

TEST_F(CrashTest, a_damaged_producer_snapshot_is_passed_over) {
  open();
  append({.producer_id = 7, .producer_epoch = 0, .base_sequence = 0});
  ASSERT_TRUE(log->close());
  auto snapshot = files.open("/data/orders-0/00000000000000000001.snapshot", runtime::OpenMode::read_write);
  ASSERT_TRUE((*snapshot)->write_at(Bytes(4, std::byte{0x55}), 8));
  open(true);
  EXPECT_EQ(log->producer_count(), 1U);
  EXPECT_TRUE(append({.producer_id = 7, .producer_epoch = 0, .base_sequence = 0}).duplicate);
}

}  // namespace
}  // namespace barnabas::log
