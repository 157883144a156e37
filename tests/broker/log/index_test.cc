#include <gmock/gmock.h>

#include <filesystem>

#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"
#include "broker/log/transaction_index.h"
#include "common/runtime/env.h"
#include "common/runtime/memory_files.h"
#include "common/runtime/temporary_directory.h"
#include "tests/support/golden.h"

namespace barnabas::log {
namespace {

using ::testing::ElementsAre;

class IndexTest : public ::testing::Test {
 protected:
  runtime::MemoryFiles files;
  const std::string path = "/d/index";
  void SetUp() override { ASSERT_TRUE(files.make_directories("/d")); }
  void put(const Bytes& bytes) {
    ASSERT_TRUE((*files.open(path, runtime::OpenMode::create_truncated))->write_at(bytes, 0));
  }
};

TEST_F(IndexTest, offset_entries_are_relative_and_big_endian) {
  OffsetIndex index(100, 1024);
  ASSERT_TRUE(index.open(files, path) && index.make_resident());
  index.append({102, 168});
  index.append({104, 338});
  ASSERT_TRUE(index.persist(true));
  EXPECT_EQ(testing::to_hex(files.read(path).value()), "00000002000000a80000000400000152");
}

TEST_F(IndexTest, time_entries_are_timestamp_and_relative_offset) {
  TimeIndex index(100, 1024);
  ASSERT_TRUE(index.open(files, path) && index.make_resident());
  index.append({1'700'000'020'000, 102});
  index.append({1'700'000'020'000, 103});  // not later: ignored
  ASSERT_TRUE(index.persist(true));
  EXPECT_EQ(testing::to_hex(files.read(path).value()), "0000018bcfe5b62000000002");
}

TEST_F(IndexTest, aborted_transactions_take_34_bytes) {
  TransactionIndex index(files, path);
  ASSERT_TRUE(index.open());
  EXPECT_FALSE(files.exists(path));
  ASSERT_TRUE(index.append({5, 6, 14, 7}));
  EXPECT_EQ(testing::to_hex(files.read(path).value()),
            "00000000000000000005000000000000000600000000000000"
            "0e0000000000000007");
}

TEST_F(IndexTest, a_damaged_transaction_index_is_emptied_and_used_again) {
  {
    TransactionIndex index(files, path);
    ASSERT_TRUE(index.open());
    ASSERT_TRUE(index.append({5, 6, 14, 7}));
    ASSERT_TRUE(index.append({5, 20, 24, 20}));
  }
  const Bytes whole = files.read(path).value();
  for (const std::size_t at : {std::size_t{0}, TransactionIndex::kEntryBytes}) {
    Bytes damaged = whole;
    damaged[at] = std::byte{0x7f};  // the first or the second entry's version
    put(damaged);
    TransactionIndex index(files, path);
    EXPECT_EQ(index.open().error().code, Errc::corrupt_data);
    ASSERT_TRUE(index.truncate_to(0));
    EXPECT_TRUE(files.read(path)->empty());
    ASSERT_TRUE(index.append({5, 6, 14, 7}));
    TransactionIndex again(files, path);
    ASSERT_TRUE(again.open());
    EXPECT_EQ(again.entries().size(), 1U);
  }
}

TEST_F(IndexTest, an_active_index_keeps_no_file_open) {
  const runtime::TemporaryDirectory directory;
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = open_files();
  OffsetIndex index(1000, 1 << 20);
  ASSERT_TRUE(index.open(runtime::system_env().files(), directory.path("index")) && index.make_resident());
  index.append({1010, 4096});
  ASSERT_TRUE(index.persist(true));
  index.append({1020, 8192});
  EXPECT_EQ(open_files(), before);
  ASSERT_TRUE(index.persist(true));
  index.release();
  EXPECT_EQ(open_files(), before + 1);
  EXPECT_EQ(index.position_before(1025).value(), (OffsetIndexEntry{1020, 8192}));
}

TEST_F(IndexTest, a_retired_index_leaves_the_file_that_took_its_place_alone) {
  OffsetIndex index(1000, 1 << 20);
  ASSERT_TRUE(index.open(files, path) && index.make_resident());
  index.append({1010, 4096});
  index.retire();
  ASSERT_TRUE(files.rename(path, "/d/deleted"));
  put({});
  ASSERT_TRUE(index.persist(true));
  index.release();
  EXPECT_TRUE(files.read(path)->empty());
  EXPECT_EQ(index.position_before(1015).value(), (OffsetIndexEntry{1010, 4096}));
}

TEST_F(IndexTest, lookup_is_the_same_in_memory_and_in_the_file) {
  OffsetIndex index(1000, 1 << 20);
  ASSERT_TRUE(index.open(files, path) && index.make_resident());
  for (std::uint32_t i = 1; i <= 100; ++i) index.append({1000 + i * 10, i * 4096});
  for (const bool in_file : {false, true}) {
    if (in_file) {
      ASSERT_TRUE(index.persist(false));
      index.release();
    }
    EXPECT_EQ(*index.position_before(1005), (OffsetIndexEntry{1000, 0}));
    for (std::uint32_t i = 1; i <= 100; ++i) {
      EXPECT_EQ(*index.position_before(1000 + i * 10), (OffsetIndexEntry{1000 + i * 10, i * 4096}));
      EXPECT_EQ(*index.position_before(1000 + i * 10 + 9), (OffsetIndexEntry{1000 + i * 10, i * 4096}));
    }
  }
}

TEST_F(IndexTest, every_amount_of_padding_is_taken_for_the_end) {
  for (std::size_t entries = 0; entries < 6; ++entries) {
    for (const std::size_t padding : {0, 1, 8, 9, 64, 10'000}) {
      files.remove(path);
      {
        OffsetIndex index(0, 1 << 20);
        ASSERT_TRUE(index.open(files, path) && index.make_resident());
        for (std::size_t i = 1; i <= entries; ++i)
          index.append({static_cast<std::int64_t>(i), static_cast<std::uint32_t>(i)});
        ASSERT_TRUE(index.persist(false));
      }
      Bytes bytes = files.read(path).value();
      bytes.resize(bytes.size() + padding);
      put(bytes);
      OffsetIndex index(0, 1 << 20);
      ASSERT_TRUE(index.open(files, path));
      EXPECT_EQ(index.size(), entries) << padding;
      ASSERT_TRUE(index.make_resident() && index.persist(false));
      EXPECT_EQ(files.read(path)->size(), entries * 8);
    }
  }
}

TEST_F(IndexTest, entries_that_do_not_rise_are_corrupt) {
  put(testing::from_base64("AAAABAAAAVIAAAACAAAAqA=="));  // 4, then 2
  OffsetIndex index(0, 1024);
  ASSERT_TRUE(index.open(files, path));
  const auto read = index.make_resident();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, make_error_code(Errc::corrupt_data));
}

TEST_F(IndexTest, truncation_drops_entries_from_the_offset_on) {
  TimeIndex index(0, 1024);
  ASSERT_TRUE(index.open(files, path) && index.make_resident());
  for (std::int64_t i = 1; i <= 5; ++i) index.append({i * 10, i});
  ASSERT_TRUE(index.persist(false));
  ASSERT_TRUE(index.truncate_to(3));
  EXPECT_THAT(*index.entries(), ElementsAre(TimeIndexEntry{10, 1}, TimeIndexEntry{20, 2}));
  EXPECT_EQ(files.read(path)->size(), 24U);
  index.append({25, 3});
  ASSERT_TRUE(index.persist(false));
  EXPECT_EQ(files.read(path)->size(), 36U);
}

TEST_F(IndexTest, is_full_at_the_size_that_the_topic_allows) {
  OffsetIndex offsets(0, 24);
  ASSERT_TRUE(offsets.open(files, path) && offsets.make_resident());
  offsets.append({1, 1});
  offsets.append({2, 2});
  EXPECT_FALSE(offsets.is_full());
  offsets.append({3, 3});
  EXPECT_TRUE(offsets.is_full());
}

}  // namespace
}  // namespace barnabas::log
