#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <set>

#include "client/producer/partition_hash.h"
#include "client/producer/sticky_partitioner.h"
#include "tests/support/golden.h"

namespace barnabas::client {
namespace {

TEST(Murmur2, hashes_and_places_keys_as_java_does) {
  int compared = 0;
  for (const auto& line : testing::golden_lines("primitives.jsonl")) {
    if (line["kind"] != "murmur2" || !line.contains("base64")) continue;
    const Bytes key = testing::from_base64(line["base64"].get<std::string>());
    ASSERT_EQ(key.size(), line["length"].get<std::size_t>());
    EXPECT_EQ(murmur2(key), line["murmur2"].get<std::int32_t>());
    for (const auto& [count, partition] : line["partition"].items()) {
      EXPECT_EQ(murmur2_partition(key, std::stoi(count)), partition.get<std::int32_t>());
    }
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

TEST(Crc32Partition, is_the_checksum_modulo_the_partitions) {
  EXPECT_EQ(crc32_partition(as_bytes("123456789"), 1000), static_cast<std::int32_t>(0xCBF43926U % 1000));
  EXPECT_EQ(crc32_partition(as_bytes(""), 7), 0);
}

TEST(StickyPartitioner, stays_until_a_batch_is_full_and_then_moves) {
  StickyPartitioner sticky(1000, 42);
  const std::vector<std::int32_t> all{0, 1, 2, 3, 4, 5, 6, 7};
  std::set<std::int32_t> seen;
  for (int round = 0; round < 100; ++round) {
    const std::int32_t partition = sticky.choose(8, all, 250, true);
    seen.insert(partition);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sticky.choose(8, all, 250, true), partition);
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST(StickyPartitioner, leaves_no_half_full_batch_unless_it_is_overdue) {
  StickyPartitioner sticky(1000, 7);
  const std::vector<std::int32_t> two{0, 1};
  const std::int32_t first = sticky.choose(2, two, 1000, false);
  EXPECT_EQ(sticky.choose(2, two, 999, false), first);  // full, but a batch is open
  bool moved = false;
  for (int i = 0; i < 200 && !moved; ++i) moved = sticky.choose(2, two, 2000, false) != first;
  EXPECT_TRUE(moved);  // twice the bytes
}

TEST(StickyPartitioner, a_full_batch_ends_the_turn_but_for_one_that_had_hardly_begun) {
  StickyPartitioner sticky(1000, 3);
  const std::vector<std::int32_t> available{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  int moved = 0;
  for (int turn = 0; turn < 20; ++turn) {
    const std::int32_t before = sticky.choose(10, available, 100, true);
    EXPECT_EQ(sticky.left_bytes(), 900U);
    sticky.spend(300);
    sticky.end_turn();
    EXPECT_EQ(sticky.choose(10, available, 50, true), before) << "450 of 1000 bytes are no turn";
    sticky.spend(300);
    sticky.end_turn();
    EXPECT_EQ(sticky.left_bytes(), 0U);
    const std::int32_t after = sticky.choose(10, available, 100, true);
    moved += after != before ? 1 : 0;
    sticky.spend(1000);  // a turn of its own, ended
  }
  EXPECT_GT(moved, 12) << "one in ten is chosen again by chance";
}

TEST(StickyPartitioner, takes_only_partitions_with_a_leader) {
  StickyPartitioner sticky(10, 3);
  const std::vector<std::int32_t> available{2, 5};
  for (int i = 0; i < 50; ++i) {
    const std::int32_t partition = sticky.choose(8, available, 10, true);
    EXPECT_TRUE(partition == 2 || partition == 5);
  }
}

TEST(StickyPartitioner, chooses_long_queues_less_often) {
  StickyPartitioner sticky(10, 99);
  const std::vector<std::int32_t> all{0, 1, 2};
  sticky.update_load(all, std::vector<std::int32_t>{0, 3, 9}, 3);
  std::map<std::int32_t, int> times;
  for (int i = 0; i < 10'000; ++i) ++times[sticky.choose(3, all, 10, true)];
  // Weights 10, 7 and 1 of 18.
  EXPECT_NEAR(times[0], 5556, 300);
  EXPECT_NEAR(times[1], 3889, 300);
  EXPECT_NEAR(times[2], 556, 150);
  sticky.update_load(std::vector<std::int32_t>{0, 2}, std::vector<std::int32_t>{1, 1}, 3);
  for (int i = 0; i < 100; ++i) EXPECT_NE(sticky.choose(3, all, 10, true), 1) << "its broker takes nothing";
}

}  // namespace
}  // namespace barnabas::client
