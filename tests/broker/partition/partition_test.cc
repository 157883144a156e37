#include "broker/partition/partition.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/broker/log/log_fixture.h"

namespace barnabas::partition {
namespace {

using log::BatchSpec;
using log::make_batch;
using log::ReadBound;
using protocol::ErrorCode;

class PartitionTest : public log::LogFixture {
 protected:
  std::atomic<int> moves{0};
  std::unique_ptr<Partition> partition;

  void start(std::int32_t in_sync_replicas = 1) {
    std::shared_ptr<log::PartitionLog> opened = log::PartitionLog::open(env, options()).value();
    partition = std::make_unique<Partition>(PartitionId{Uuid(1, 2), "orders", 0}, opened,
                                            [this](const Uuid&, std::int32_t) { ++moves; });
    ASSERT_TRUE(partition->become_leader(5, in_sync_replicas));
  }
  log::AppendResult append(const BatchSpec& spec = {}, std::int16_t acks = -1) {
    Bytes batch = make_batch(spec);
    return partition->append(batch, acks);
  }
};

TEST_F(PartitionTest, commits_at_once_with_one_replica_and_says_so) {
  start();
  const int before = moves;
  ASSERT_TRUE(append({.records = 3}));
  EXPECT_EQ(moves, before + 1);
  EXPECT_TRUE(partition->is_replicated(3));
  const auto slice = partition->read(0, 1000, true, ReadBound::high_watermark);
  ASSERT_TRUE(slice);
  const Bytes bytes = slice->bytes().value();
  EXPECT_EQ(record::read_batch_header(bytes)->partition_leader_epoch, 5);
}

TEST_F(PartitionTest, waits_for_the_others_with_more) {
  start(2);
  ASSERT_TRUE(append());
  EXPECT_FALSE(partition->is_replicated(1));
}

TEST_F(PartitionTest, asks_for_min_insync_replicas_with_acks_all_only) {
  config.min_insync_replicas = 2;
  start();
  EXPECT_EQ(append().error().code, ErrorCode::not_enough_replicas);
  EXPECT_TRUE(append({}, 1));
}

TEST_F(PartitionTest, checks_the_leader_epoch) {
  start();
  EXPECT_EQ(partition->check_leader(-1), ErrorCode::none);
  EXPECT_EQ(partition->check_leader(5), ErrorCode::none);
  EXPECT_EQ(partition->check_leader(4), ErrorCode::fenced_leader_epoch);
  EXPECT_EQ(partition->check_leader(6), ErrorCode::unknown_leader_epoch);
  partition->become_follower(6);
  EXPECT_EQ(partition->check_leader(6), ErrorCode::not_leader_or_follower);
  EXPECT_EQ(append().error().code, ErrorCode::not_leader_or_follower);
  partition->retire(ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(partition->check_leader(-1), ErrorCode::unknown_topic_or_partition);
}

TEST_F(PartitionTest, lists_offsets_by_all_specials) {
  start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append({.timestamp_ms = 1'700'000'000'000 + i * 100}));
  const auto offset = [&](std::int64_t timestamp) {
    return partition->list_offset(timestamp, ReadBound::high_watermark).value().offset;
  };
  EXPECT_EQ(offset(list_offsets::kEarliest), 0);
  EXPECT_EQ(offset(list_offsets::kEarliestLocal), 0);
  EXPECT_EQ(offset(list_offsets::kLatest), 3);
  EXPECT_EQ(offset(list_offsets::kMaxTimestamp), 2);
  EXPECT_EQ(offset(list_offsets::kLatestTiered), -1);
  EXPECT_EQ(offset(list_offsets::kEarliestPendingUpload), -1);
  EXPECT_EQ(offset(1'700'000'000'001), 1);
  EXPECT_EQ(offset(1'700'000'000'201), -1);
  EXPECT_EQ(partition->delete_records_before(2).value(), 2);
  EXPECT_EQ(offset(list_offsets::kEarliest), 2);
  EXPECT_EQ(offset(0), 2);
  EXPECT_EQ(partition->delete_records_before(-1).value(), 3);
  EXPECT_FALSE(partition->delete_records_before(4));
}

TEST_F(PartitionTest, is_read_and_written_by_many_threads_at_once) {
  config.segment_bytes = 20'000;
  config.index_interval_bytes = 300;
  start();
  constexpr int kBatches = 300;
  std::atomic<bool> done{false};
  const auto write = [&](std::int64_t producer) {
    for (std::int32_t i = 0; i < kBatches; ++i) {
      EXPECT_TRUE(append({.producer_id = producer, .producer_epoch = 0, .base_sequence = i}));
    }
  };
  const auto read = [&] {
    std::int64_t next = 0;
    while (next < 2 * kBatches) {
      const auto slice = partition->read(next, 4096, true, ReadBound::high_watermark);
      ASSERT_TRUE(slice);
      if (slice->length == 0) {
        if (done && partition->log().high_watermark() == next) break;
        std::this_thread::yield();
        continue;
      }
      const Bytes bytes = slice->bytes().value();
      record::BatchCursor cursor(bytes);
      while (const auto batch = cursor.next().value()) {
        const auto view = record::BatchView::read(*batch).value();
        ASSERT_EQ(view.header().base_offset, next);
        ASSERT_TRUE(view.is_crc_valid());
        next = view.header().next_offset();
      }
    }
    EXPECT_EQ(next, 2 * kBatches);
  };
  std::thread readers[] = {std::thread(read), std::thread(read)};
  std::thread writers[] = {std::thread(write, 1), std::thread(write, 2)};
  for (auto& thread : writers) thread.join();
  done = true;
  for (auto& thread : readers) thread.join();
}

}  // namespace
}  // namespace barnabas::partition
