#include "broker/log/checkpoint_file.h"

#include <gmock/gmock.h>

#include "broker/log/epoch_cache.h"
#include "broker/log/partition_metadata.h"
#include "common/runtime/memory_files.h"

namespace barnabas::log {
namespace {

using ::testing::ElementsAre;

class CheckpointFile : public ::testing::Test {
 protected:
  runtime::MemoryFiles files;
  const std::string path = "/d/leader-epoch-checkpoint";
  void SetUp() override { ASSERT_TRUE(files.make_directories("/d")); }
  void put(const std::string& text) { ASSERT_TRUE(files.write_atomically(path, as_bytes(text))); }
  std::string text() { return std::string(as_text(files.read(path).value())); }
};

TEST_F(CheckpointFile, has_kafkas_lines) {
  ASSERT_TRUE(write_offset_checkpoint(files, path, {{{"orders", 1}, 5}, {{"orders", 0}, 7}}));
  EXPECT_EQ(text(), "0\n2\norders 0 7\norders 1 5\n");
  EXPECT_EQ(read_offset_checkpoint(files, path)->at({"orders", 1}), 5);
}

TEST_F(CheckpointFile, absent_is_empty) {
  EXPECT_TRUE(read_offset_checkpoint(files, "/d/none")->empty());
}

TEST_F(CheckpointFile, says_what_is_wrong_with_it) {
  for (const char* bad :
       {"", "1\n0\n", "0\n", "0\n2\norders 0 7\n", "0\n1\norders 0 x\n", "0\n1\norders\n", "0\n-1\n"}) {
    put(bad);
    const auto read = read_offset_checkpoint(files, path);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, make_error_code(Errc::corrupt_data));
    EXPECT_THAT(read.error().subject, ::testing::HasSubstr(path));
  }
}

TEST_F(CheckpointFile, epochs_drop_what_contradicts_the_new_one) {
  EpochCache cache;
  ASSERT_TRUE(cache.open(files, "/d"));
  cache.assign(0, 0);
  cache.assign(2, 35);
  cache.assign(2, 40);  // known
  cache.assign(4, 45);
  ASSERT_TRUE(cache.write_if_changed());
  EXPECT_EQ(text(), "0\n3\n0 0\n2 35\n4 45\n");
  cache.assign(5, 35);  // nothing was written in 2 and 4
  EXPECT_THAT(cache.entries(), ElementsAre(EpochEntry{0, 0}, EpochEntry{5, 35}));
  cache.assign(3, 30);
  EXPECT_THAT(cache.entries(), ElementsAre(EpochEntry{0, 0}, EpochEntry{3, 30}));
}

TEST_F(CheckpointFile, epochs_are_written_only_when_they_changed) {
  EpochCache cache;
  put("0\n1\n3 10\n");
  ASSERT_TRUE(cache.open(files, "/d"));
  cache.assign(3, 12);
  files.fail_next(runtime::FileOperation::open, "/d/", make_error_code(Errc::io_error), 2);
  EXPECT_TRUE(cache.write_if_changed()) << "nothing is new";
  cache.assign(4, 12);
  EXPECT_FALSE(cache.write_if_changed());
  EXPECT_FALSE(cache.write_if_changed()) << "what could not be written is still owed";
  EXPECT_TRUE(cache.write_if_changed());
  EXPECT_EQ(text(), "0\n2\n3 10\n4 12\n");
}

TEST_F(CheckpointFile, epochs_are_truncated_from_both_ends) {
  EpochCache cache;
  put("0\n3\n0 0\n2 35\n4 45\n");
  ASSERT_TRUE(cache.open(files, "/d"));
  ASSERT_TRUE(cache.truncate_from_start(40));
  EXPECT_THAT(cache.entries(), ElementsAre(EpochEntry{2, 40}, EpochEntry{4, 45}));
  EXPECT_EQ(cache.epoch_of(44), 2);
  EXPECT_EQ(cache.epoch_of(39), -1);
  ASSERT_TRUE(cache.truncate_from_end(45));
  ASSERT_TRUE(cache.write_if_changed());
  EXPECT_EQ(text(), "0\n1\n2 40\n");
}

TEST_F(CheckpointFile, partition_metadata_has_kafkas_lines) {
  const Uuid id = Uuid::parse("umBuyZTFS26j8lHd3UjLgA").value();
  ASSERT_TRUE(write_partition_metadata(files, "/d", id));
  EXPECT_EQ(as_text(files.read("/d/partition.metadata").value()), "version: 0\ntopic_id: umBuyZTFS26j8lHd3UjLgA");
  EXPECT_EQ(*read_partition_metadata(files, "/d"), id);
  EXPECT_EQ(read_partition_metadata(files, "/none").error().code, make_error_code(Errc::not_found));
  ASSERT_TRUE(files.write_atomically("/d/partition.metadata", as_bytes("version: 1\ntopic_id: x")));
  EXPECT_EQ(read_partition_metadata(files, "/d").error().code, make_error_code(Errc::corrupt_data));
}

TEST(TopicPartition, is_read_from_a_directory_name) {
  EXPECT_EQ(*TopicPartition::parse("a-b-12"), (TopicPartition{"a-b", 12}));
  for (const char* bad : {"", "-", "-1", "a", "a-", "a-x", "a-1x", "a--", "a-99999999999"}) {
    EXPECT_FALSE(TopicPartition::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace barnabas::log
