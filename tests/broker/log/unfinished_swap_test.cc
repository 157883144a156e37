#include "broker/log/unfinished_swap.h"

#include <gmock/gmock.h>

#include "tests/broker/log/log_fixture.h"

namespace barnabas::log {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

/// A log of three segments, 0 to 2, 3 to 5 and 6 to 8, whose process ends in the middle of a compaction.
class UnfinishedSwap : public LogFixture {
 protected:
  void SetUp() override {
    open();
    for (int segment = 0; segment < 3; ++segment) {
      for (int i = 0; i < 3; ++i) append({});
      ASSERT_TRUE(log->roll());
    }
    ASSERT_TRUE(log->close());
    log.reset();
  }
  std::string path(const std::string& name) { return "/data/orders-0/" + name; }
  void write(const std::string& name, BytesView bytes) {
    auto made = files.open(path(name), runtime::OpenMode::create_truncated);
    ASSERT_TRUE(made);
    ASSERT_TRUE((*made)->write_at(bytes, 0));
  }
  /// What a compaction of the first two segments leaves: offsets 1 and 5.
  Bytes compacted() {
    Bytes bytes = make_batch({.base_offset = 1, .leader_epoch = 0});
    const Bytes second = make_batch({.base_offset = 5, .leader_epoch = 0});
    bytes.insert(bytes.end(), second.begin(), second.end());
    return bytes;
  }
};

TEST_F(UnfinishedSwap, whole_segments_take_the_place_of_those_they_were_made_from) {
  write("00000000000000000000.log.swap", compacted());
  write("00000000000000000000.index.swap", {});
  write("00000000000000000003.log.deleted", {});
  open(false);
  EXPECT_THAT(base_offsets(), ElementsAre(1, 5, 6, 7, 8));
  EXPECT_THAT(file_names(), Not(Contains(::testing::EndsWith(".swap"))));
  EXPECT_THAT(file_names(), Not(Contains(::testing::EndsWith(".deleted"))));
  EXPECT_THAT(file_names(), Not(Contains("00000000000000000003.log")));
  EXPECT_EQ(append({}).first_offset, 9);
  close_and_reopen();
  EXPECT_THAT(base_offsets(), ElementsAre(1, 5, 6, 7, 8, 9));
}

TEST_F(UnfinishedSwap, a_rename_that_was_interrupted_goes_on) {
  write("00000000000000000000.log", compacted());
  write("00000000000000000000.timeindex.swap", {});
  ASSERT_TRUE(files.remove(path("00000000000000000003.log")));
  open(false);
  EXPECT_THAT(base_offsets(), ElementsAre(1, 5, 6, 7, 8));
}

TEST_F(UnfinishedSwap, a_split_that_was_not_done_is_undone) {
  write("00000000000000000003.log.swap", make_batch({.base_offset = 3}));
  write("00000000000000000003.log.cleaned", {});
  open(false);
  EXPECT_EQ(base_offsets().size(), 9U);
  EXPECT_THAT(file_names(), Not(Contains(::testing::EndsWith(".swap"))));
  EXPECT_THAT(file_names(), Not(Contains(::testing::EndsWith(".cleaned"))));
}

TEST_F(UnfinishedSwap, a_swapped_segment_that_does_not_read_is_told_and_replaces_nothing) {
  Bytes bytes = compacted();
  std::fill(bytes.begin() + 8, bytes.begin() + 12, std::byte{0});
  write("00000000000000000000.log.swap", bytes);
  const auto opened = PartitionLog::open(env, options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, make_error_code(Errc::corrupt_data));
  EXPECT_THAT(opened.error().subject, ::testing::HasSubstr("00000000000000000000.log.swap"));
  EXPECT_TRUE(files.exists(path("00000000000000000003.log")));
}

}  // namespace
}  // namespace barnabas::log
