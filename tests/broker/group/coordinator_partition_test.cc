// A coordinator partition on a real log, in virtual time: what is in the log is what counts.
#include "broker/coordinator/coordinator_partition.h"

#include <gtest/gtest.h>

#include "broker/log/partition_log.h"
#include "common/record/control_record.h"
#include "common/runtime/virtual_env.h"
#include "tests/broker/group/shard_fixture.h"

namespace barnabas::group {
namespace {

using protocol::ErrorCode;
using namespace std::chrono_literals;
using CoordinatorPartition = coordinator::CoordinatorPartition<GroupShard>;

class CoordinatorPartitionTest : public ::testing::Test {
 protected:
  void open(std::int32_t in_sync_replicas = 1) {
    log::OpenOptions options;
    options.directory = "/data/__consumer_offsets-0";
    options.topic_partition = "__consumer_offsets-0";
    std::shared_ptr<log::PartitionLog> opened = log::PartitionLog::open(env, options).value();
    partition = std::make_shared<partition::Partition>(partition::PartitionId{Uuid(1, 2), "__consumer_offsets", 0},
                                                       std::move(opened), [this](const Uuid&, std::int32_t) {
                                                         if (coordinator) coordinator->on_move();
                                                       });
    ASSERT_TRUE(partition->become_leader(++epoch, in_sync_replicas));
    timers = env.make_reactor("timers");
    coordinator = std::make_unique<CoordinatorPartition>(
        env, coordinator::TopicSettings{settings.topic_compression, settings.load_buffer_bytes},
        [this](runtime::MonotonicTime now) { return std::make_unique<GroupShard>(settings, env.random(), now); },
        partition, timers->executor(), runtime::Logger("groups", runtime::LogLevel::off));
  }
  void close() {
    coordinator->unload();
    timers->stop();
    coordinator.reset();
    timers.reset();
    partition.reset();
  }
  void TearDown() override {
    if (coordinator) close();
  }

  ErrorCode commit(std::int64_t offset, Seen<protocol::OffsetCommitResponse> seen) {
    protocol::OffsetCommitRequest request;
    request.group_id = "billing";
    request.topics.emplace_back();
    request.topics.back().name = "orders";
    request.topics.back().partitions.emplace_back();
    request.topics.back().partitions.back().committed_offset = offset;
    return coordinator->submit([&](GroupShard& shard, Step& step) {
      shard.offsets().commit(step, {"client", "/127.0.0.1", 9}, request,
                             [seen](protocol::OffsetCommitResponse r) { *seen = std::move(r); });
    });
  }
  static Seen<protocol::OffsetCommitResponse> unseen() {
    return std::make_shared<std::optional<protocol::OffsetCommitResponse>>();
  }
  static ErrorCode error_in(const Seen<protocol::OffsetCommitResponse>& seen) {
    return protocol::error_of((*seen)->topics.at(0).partitions.at(0).error_code);
  }
  std::int64_t committed() const {
    std::int64_t offset = -2;
    EXPECT_EQ(coordinator->look([&](const GroupShard& shard) {
      const CommittedOffset* found = shard.offsets().store().find("billing", "orders", 0);
      offset = found == nullptr ? -1 : found->offset;
    }),
              ErrorCode::none);
    return offset;
  }

  runtime::VirtualEnv env;
  GroupSettings settings{.initial_rebalance_delay_ms = 0};
  std::int32_t epoch = 0;
  partition::PartitionPtr partition;
  std::unique_ptr<runtime::Reactor> timers;
  std::unique_ptr<CoordinatorPartition> coordinator;
};

TEST_F(CoordinatorPartitionTest, takes_nothing_before_it_is_loaded_and_after_it_has_ended) {
  open();
  EXPECT_EQ(commit(1, unseen()), ErrorCode::coordinator_load_in_progress);
  coordinator->load();
  EXPECT_EQ(commit(1, unseen()), ErrorCode::none);
  coordinator->unload();
  EXPECT_EQ(commit(2, unseen()), ErrorCode::not_coordinator);
}

TEST_F(CoordinatorPartitionTest, knows_after_a_load_what_was_written) {
  open();
  coordinator->load();
  for (std::int64_t i = 0; i < 500; ++i) EXPECT_EQ(commit(i, unseen()), ErrorCode::none);
  settings.load_buffer_bytes = 1000;  // many small reads
  ASSERT_TRUE(partition->log().close());
  close();
  open();
  EXPECT_FALSE(coordinator->is_log_empty());
  coordinator->load();
  EXPECT_EQ(committed(), 499);
}

TEST_F(CoordinatorPartitionTest, answers_when_all_replicas_have_it) {
  open(2);
  coordinator->load();
  const auto seen = unseen();
  EXPECT_EQ(commit(7, seen), ErrorCode::none);
  env.run_for(1s);
  EXPECT_FALSE(*seen);
  // Also what only reads: nobody is told what could still be taken back.
  std::optional<std::int16_t> beaten;
  coordinator->submit([&](GroupShard& shard, Step& step) {
    step.answer<protocol::HeartbeatResponse>([&](protocol::HeartbeatResponse r) { beaten = r.error_code; },
                                             shard.groups().heartbeat(step, {}));
  });
  EXPECT_FALSE(beaten);
  partition->log().set_high_watermark(partition->log().log_end_offset());
  coordinator->on_move();
  EXPECT_TRUE(env.run_until([&] { return seen->has_value(); }));
  EXPECT_EQ(error_in(seen), ErrorCode::none);
  EXPECT_TRUE(beaten);
}

TEST_F(CoordinatorPartitionTest, does_not_say_of_what_may_be_lost_that_it_is_stored) {
  open(2);
  coordinator->load();
  const auto seen = unseen();
  EXPECT_EQ(commit(7, seen), ErrorCode::none);
  coordinator->unload();
  ASSERT_TRUE(*seen);
  EXPECT_EQ(error_in(seen), ErrorCode::not_coordinator);
}

TEST_F(CoordinatorPartitionTest, changes_nothing_when_the_disk_is_full) {
  open();
  coordinator->load();
  EXPECT_EQ(commit(1, unseen()), ErrorCode::none);
  env.memory_files().fail_next(runtime::FileOperation::write, "__consumer_offsets-0", Errc::storage_full);
  const auto seen = unseen();
  EXPECT_EQ(commit(2, seen), ErrorCode::none);
  ASSERT_TRUE(*seen);
  EXPECT_NE(error_in(seen), ErrorCode::none);
  EXPECT_EQ(committed(), 1);
}

TEST_F(CoordinatorPartitionTest, ends_sessions_by_the_clock) {
  open();
  coordinator->load();
  std::string id;
  auto request = ShardFixture::join_request();
  coordinator->submit([&](GroupShard& shard, Step& step) {
    shard.join(step, {"client", "/127.0.0.1", 3}, request, [&](protocol::JoinGroupResponse r) { id = r.member_id; });
  });
  ASSERT_TRUE(env.run_until([&] { return !id.empty(); }));
  const auto size = [&] {
    std::size_t members = 0;
    coordinator->look([&](const GroupShard& shard) { members = shard.groups().find("billing")->size(); });
    return members;
  };
  env.run_for(9'999ms);
  EXPECT_EQ(size(), 1U);
  env.run_for(2ms);
  EXPECT_EQ(size(), 0U);
}

TEST_F(CoordinatorPartitionTest, reads_transactions_that_kafka_wrote) {
  open();
  const auto write = [&](std::int64_t producer_id, std::int64_t offset) {
    protocol::OffsetCommitValue value;
    value.offset = offset;
    RecordEncoder encoder;
    encoder.encode(OffsetRecord{"billing", "orders", 0, value});
    record::BatchBuilder builder(
        {.producer_id = producer_id, .producer_epoch = 0, .base_sequence = 0, .transactional = true});
    record::RecordInput input;
    input.timestamp_ms = env.clock().wall_ms();
    input.key = encoder.key();
    input.value = encoder.value();
    builder.append(input);
    Bytes batch = builder.finish().value();
    ASSERT_TRUE(partition->append(batch, -1, record::AppendOrigin::coordinator));
  };
  const auto end = [&](std::int64_t producer_id, record::ControlRecordType how) {
    Bytes marker = record::end_txn_marker_batch(how, env.clock().wall_ms(), producer_id, 0, 0).value();
    ASSERT_TRUE(partition->append(marker, -1, record::AppendOrigin::coordinator));
  };
  write(1, 10);
  end(1, record::ControlRecordType::commit);
  write(2, 20);
  end(2, record::ControlRecordType::abort);
  write(3, 30);  // still open
  coordinator->load();
  EXPECT_EQ(committed(), 10);
  coordinator->look(
      [&](const GroupShard& shard) { EXPECT_TRUE(shard.offsets().store().has_pending("billing", "orders", 0)); });
}

}  // namespace
}  // namespace barnabas::group
