#include "tests/broker/log/log_fixture.h"

namespace barnabas::log {
namespace {

constexpr std::size_t kBatchBytes = 100'000;

/// What a growing log takes of the disk ahead of its end, and when it gives it back.
class RoomAhead : public LogFixture {
 protected:
  void grow(int batches) {
    for (int i = 0; i < batches; ++i) append({.value_bytes = kBatchBytes});
  }
};

TEST_F(RoomAhead, is_taken_by_logs_that_grow_and_shows_in_no_file) {
  open();
  grow(3);
  EXPECT_EQ(files.reserved_bytes(), 0u);
  grow(10);
  EXPECT_GT(files.reserved_bytes(), 0u);
  EXPECT_LE(files.reserved_bytes(), log->size_bytes());
  EXPECT_EQ(file("00000000000000000000.log").size(), log->size_bytes());
  grow(300);
  EXPECT_LE(files.reserved_bytes(), 16u * 1024 * 1024);
}

TEST_F(RoomAhead, ends_where_the_segment_ends) {
  config.segment_bytes = 1'000'000;
  open();
  grow(9);
  EXPECT_GT(files.reserved_bytes(), 0u);
  EXPECT_LE(log->size_bytes() + files.reserved_bytes(), 1'000'000u);
  grow(1);
  EXPECT_EQ(log->segment_count(), 2u);
  EXPECT_EQ(files.reserved_bytes(), 0u);
}

TEST_F(RoomAhead, is_given_back_when_the_log_is_closed_cut_or_idle) {
  open();
  grow(10);
  ASSERT_GT(files.reserved_bytes(), 0u);
  close_and_reopen();
  EXPECT_EQ(files.reserved_bytes(), 0u);
  EXPECT_EQ(log->log_end_offset(), 10);

  grow(1);
  ASSERT_GT(files.reserved_bytes(), 0u);
  ASSERT_TRUE(log->truncate_to(7));
  EXPECT_EQ(files.reserved_bytes(), 0u);

  grow(3);
  ASSERT_GT(files.reserved_bytes(), 0u);
  const std::int64_t start = env.clock().wall_ms();
  for (const std::int64_t passed : {0, 59'000}) {
    env.set_wall_ms(start + passed);
    ASSERT_TRUE(log->flush_if_due());
    EXPECT_GT(files.reserved_bytes(), 0u) << passed;
  }
  env.set_wall_ms(start + 60'000);
  ASSERT_TRUE(log->flush_if_due());
  EXPECT_EQ(files.reserved_bytes(), 0u);
  EXPECT_EQ(log->log_end_offset(), 10);
  grow(1);
  EXPECT_EQ(log->log_end_offset(), 11);
}

TEST_F(RoomAhead, of_a_process_that_was_killed_is_given_back_by_recovery) {
  open();
  grow(10);
  ASSERT_GT(files.reserved_bytes(), 0u);
  files.kill();
  files.revive();
  ASSERT_GT(files.reserved_bytes(), 0u);
  open();
  EXPECT_EQ(files.reserved_bytes(), 0u);
  EXPECT_EQ(log->log_end_offset(), 10);
}

TEST_F(RoomAhead, is_done_without_on_a_disk_that_has_none) {
  open();
  grow(4);
  files.set_capacity_bytes(log->size_bytes() + 250'000);
  grow(2);
  EXPECT_EQ(files.reserved_bytes(), 0u);
  Bytes batch = make_batch({.value_bytes = kBatchBytes});
  EXPECT_FALSE(log->append_as_leader(batch, 0));
  files.set_capacity_bytes(1 << 30);
  grow(2);
  EXPECT_EQ(log->log_end_offset(), 8);
}

}  // namespace
}  // namespace barnabas::log
