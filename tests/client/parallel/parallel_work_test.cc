#include "client/parallel/parallel_work.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "common/bytes/writer.h"

namespace barnabas::client {
namespace {

using Mark = UnfinishedOffsets::Mark;
using Marks = std::map<TopicPartition, Mark>;

const TopicPartition kFirst{"orders", 0};
const TopicPartition kSecond{"orders", 1};

/// Records of one partition, one for each key, from `base_offset` on.
Records records_of(const TopicPartition& partition, std::int64_t base_offset,
                   const std::vector<std::optional<std::string>>& keys) {
  Writer out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Writer body;
    body.int8(0);
    body.varlong(0);
    body.varint(static_cast<std::int32_t>(i));
    body.varint(keys[i] ? static_cast<std::int32_t>(keys[i]->size()) : -1);
    if (keys[i]) body.text(*keys[i]);
    body.varint(-1);
    body.varint(0);
    out.varint(static_cast<std::int32_t>(body.size()));
    out.bytes(body.view());
  }
  const auto bytes = std::make_shared<const Bytes>(out.take());
  RecordRun run;
  run.owner = bytes;
  run.topic = std::make_shared<const std::string>(partition.topic);
  run.partition = partition.partition;
  run.leader_epoch = 5;
  run.base_offset = base_offset;
  run.first = bytes->data();
  run.count = keys.size();
  return Records({run});
}

std::vector<std::int64_t> offsets_of(const std::vector<ParallelWork::Task>& tasks) {
  std::vector<std::int64_t> offsets;
  for (const ParallelWork::Task& task : tasks) offsets.push_back(task.record.offset());
  return offsets;
}

/// Takes all of a lane, as a worker would that nobody disturbs.
std::vector<std::int64_t> process_all(ParallelWork& work, const ParallelWork::LaneRef& lane) {
  std::vector<std::int64_t> offsets;
  for (bool more = true; more;) {
    const auto taken = work.take(lane);
    const auto of_turn = offsets_of(taken);
    offsets.insert(offsets.end(), of_turn.begin(), of_turn.end());
    more = work.put_back(lane, taken, taken.size()).is_ready;
  }
  return offsets;
}

TEST(ParallelWork, keeps_the_order_of_a_partition_in_its_one_lane) {
  ParallelWork work({.order = ProcessingOrder::partition});
  const auto lanes = work.add(records_of(kFirst, 100, std::vector<std::optional<std::string>>(50, "k")));
  ASSERT_EQ(lanes.size(), 1u);
  const auto offsets = process_all(work, lanes[0]);
  EXPECT_EQ(offsets.size(), 50u);
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
  EXPECT_EQ(work.take_marks(), (Marks{{kFirst, {150, 5}}}));
}

TEST(ParallelWork, keeps_the_order_of_a_key_and_lets_other_keys_pass) {
  ParallelWork work({.order = ProcessingOrder::key});
  const auto lanes = work.add(records_of(kFirst, 0, {"a", "b", "a", "b", "a"}));
  ASSERT_EQ(lanes.size(), 2u);
  const auto of_a = work.take(lanes[0]);
  EXPECT_EQ(offsets_of(of_a), (std::vector<std::int64_t>{0, 2, 4}));
  EXPECT_EQ(process_all(work, lanes[1]), (std::vector<std::int64_t>{1, 3}));
  EXPECT_TRUE(work.take_marks().empty());  // 0 is not finished
  EXPECT_FALSE(work.put_back(lanes[0], of_a, 3).is_ready);
  EXPECT_EQ(work.take_marks(), (Marks{{kFirst, {5, 5}}}));
}

TEST(ParallelWork, deals_records_without_a_key_out_to_many_lanes) {
  ParallelWork work({.order = ProcessingOrder::key});
  EXPECT_GT(work.add(records_of(kFirst, 0, std::vector<std::optional<std::string>>(32))).size(), 16u);
}

TEST(ParallelWork, says_that_a_lane_is_ready_once_however_often_records_come) {
  ParallelWork work({.order = ProcessingOrder::partition});
  const auto lanes = work.add(records_of(kFirst, 0, {"a"}));
  ASSERT_EQ(lanes.size(), 1u);
  EXPECT_TRUE(work.add(records_of(kFirst, 1, {"a"})).empty());
  const auto taken = work.take(lanes[0]);
  EXPECT_TRUE(work.add(records_of(kFirst, 2, {"a"})).empty());
  EXPECT_TRUE(work.put_back(lanes[0], taken, taken.size()).is_ready);
  EXPECT_EQ(process_all(work, lanes[0]), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(work.add(records_of(kFirst, 3, {"a"})).size(), 1u);
}

TEST(ParallelWork, never_commits_past_a_record_that_failed) {
  ParallelWork work({.order = ProcessingOrder::key});
  const auto lanes = work.add(records_of(kFirst, 0, {"a", "a", "a", "b"}));
  const auto of_a = work.take(lanes[0]);
  EXPECT_FALSE(work.put_back(lanes[0], of_a, 1).is_ready);
  process_all(work, lanes[1]);
  EXPECT_EQ(work.take_marks(), (Marks{{kFirst, {1, 5}}}));
  EXPECT_TRUE(work.add(records_of(kFirst, 4, {"a"})).empty());  // the lane stands still
}

TEST(ParallelWork, returns_a_mark_once_and_again_when_its_commit_failed) {
  ParallelWork work({.order = ProcessingOrder::partition});
  process_all(work, work.add(records_of(kFirst, 0, {"a"})).at(0));
  const Marks marks = work.take_marks();
  EXPECT_EQ(marks, (Marks{{kFirst, {1, 5}}}));
  EXPECT_TRUE(work.take_marks().empty());
  work.give_back(marks);
  EXPECT_EQ(work.take_marks(), marks);
}

TEST(ParallelWork, pauses_a_crowded_partition_until_half_of_its_records_are_finished) {
  ParallelWork work({.order = ProcessingOrder::partition, .max_unfinished = 4});
  const auto lanes = work.add(records_of(kFirst, 0, std::vector<std::optional<std::string>>(5, "a")));
  work.add(records_of(kSecond, 0, {"a"}));
  ParallelWork::Pressure pressure = work.pressure();
  EXPECT_EQ(pressure.pause, (std::vector<TopicPartition>{kFirst}));
  EXPECT_TRUE(pressure.resume.empty());
  const auto taken = work.take(lanes[0]);
  work.put_back(lanes[0], taken, 2);
  pressure = work.pressure();
  EXPECT_TRUE(pressure.pause.empty() && pressure.resume.empty());
  ParallelWork other({.order = ProcessingOrder::partition, .max_unfinished = 4});
  const auto lane = other.add(records_of(kFirst, 0, std::vector<std::optional<std::string>>(5, "a"))).at(0);
  other.pressure();
  EXPECT_TRUE(other.put_back(lane, other.take(lane), 5).is_relieved);
  EXPECT_EQ(other.pressure().resume, (std::vector<TopicPartition>{kFirst}));
}

TEST(ParallelWork, drops_what_waits_of_a_stopped_partition_and_keeps_the_mark_of_what_ran) {
  ParallelWork work({.order = ProcessingOrder::partition});
  const auto lanes = work.add(records_of(kFirst, 0, std::vector<std::optional<std::string>>(20, "a")));
  const auto others = work.add(records_of(kSecond, 0, {"a"}));
  const auto taken = work.take(lanes[0]);
  ASSERT_LT(taken.size(), 20u);
  work.stop({kFirst});
  EXPECT_TRUE(work.is_running({kFirst}));
  EXPECT_FALSE(work.is_running({kSecond}));
  EXPECT_FALSE(work.put_back(lanes[0], taken, taken.size()).is_ready);
  EXPECT_FALSE(work.is_running());
  EXPECT_TRUE(work.take(lanes[0]).empty());
  EXPECT_EQ(work.take_marks(), (Marks{{kFirst, {static_cast<std::int64_t>(taken.size()), 5}}}));
  EXPECT_EQ(process_all(work, others[0]).size(), 1u);
}

TEST(ParallelWork, starts_anew_with_a_partition_that_was_forgotten) {
  ParallelWork work({.order = ProcessingOrder::partition});
  const auto before = work.add(records_of(kFirst, 0, {"a", "a"}));
  const auto taken = work.take(before[0]);
  work.stop({kFirst});
  work.forget({kFirst});
  const auto again = work.add(records_of(kFirst, 1, {"a"}));
  ASSERT_EQ(again.size(), 1u);
  work.put_back(before[0], taken, taken.size());  // somebody was slow: that partition is no longer ours to commit
  EXPECT_TRUE(work.take_marks().empty());
  process_all(work, again[0]);
  EXPECT_EQ(work.take_marks(), (Marks{{kFirst, {2, 5}}}));
}

}  // namespace
}  // namespace barnabas::client
