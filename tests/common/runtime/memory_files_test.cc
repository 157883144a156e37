#include "common/runtime/memory_files.h"

#include <gtest/gtest.h>

#include <set>

namespace barnabas::runtime {
namespace {

std::string text_of(MemoryFiles& files, const std::string& path) {
  auto bytes = files.read(path);
  return bytes ? std::string(as_text(*bytes)) : bytes.error().message();
}

TEST(MemoryFiles, a_crash_loses_bytes_that_were_not_synced) {
  MemoryFiles files;
  auto file = *files.open("/a", OpenMode::create);
  ASSERT_TRUE(files.sync_directory("/"));
  ASSERT_TRUE(file->write_at(as_bytes("synced"), 0));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write_at(as_bytes("SYN and more"), 0));
  files.crash();
  EXPECT_EQ(text_of(files, "/a"), "synced");
}

TEST(MemoryFiles, a_crash_loses_entries_of_a_directory_that_was_not_synced) {
  MemoryFiles files;
  ASSERT_TRUE(files.make_directories("/d"));
  auto old_file = *files.open("/d/old", OpenMode::create);
  ASSERT_TRUE(files.sync_directory("/d"));
  auto new_file = *files.open("/d/new", OpenMode::create);
  ASSERT_TRUE(new_file->sync());
  ASSERT_TRUE(files.rename("/d/old", "/d/renamed"));
  files.crash();
  EXPECT_TRUE(files.exists("/d/old"));
  EXPECT_FALSE(files.exists("/d/new"));
  EXPECT_FALSE(files.exists("/d/renamed"));
}

TEST(MemoryFiles, what_was_written_atomically_survives_a_crash) {
  MemoryFiles files;
  ASSERT_TRUE(files.make_directories("/d"));
  ASSERT_TRUE(files.write_atomically("/d/a", as_bytes("first")));
  ASSERT_TRUE(files.write_atomically("/d/a", as_bytes("second")));
  files.crash();
  EXPECT_EQ(text_of(files, "/d/a"), "second");
}

TEST(MemoryFiles, after_a_crash_old_handles_fail_and_locks_are_free) {
  MemoryFiles files;
  auto file = *files.open("/a", OpenMode::create);
  auto lock = files.lock("/.lock");
  ASSERT_TRUE(lock);
  ASSERT_TRUE(files.sync_directory("/"));
  files.crash();
  EXPECT_EQ(file->write_at(as_bytes("x"), 0).error().code, Errc::io_error);
  EXPECT_TRUE(files.lock("/.lock"));
}

TEST(MemoryFiles, a_killed_process_leaves_what_it_wrote_and_reaches_nothing_more) {
  MemoryFiles files;
  auto file = *files.open("/a", OpenMode::create);
  const auto lock = files.lock("/lock");
  ASSERT_TRUE(lock);
  ASSERT_TRUE(file->write_at(as_bytes("written"), 0));
  files.kill();
  EXPECT_FALSE(file->write_at(as_bytes("more"), 0));
  EXPECT_FALSE(files.rename("/a", "/b"));
  EXPECT_FALSE(files.open("/c", OpenMode::create));
  EXPECT_FALSE(files.exists("/a"));
  files.revive();
  EXPECT_EQ(text_of(files, "/a"), "written");
  EXPECT_FALSE(file->write_at(as_bytes("more"), 0)) << "of the process that is gone";
  EXPECT_FALSE(files.exists("/c"));
  EXPECT_TRUE(files.lock("/lock"));
}

TEST(MemoryFiles, a_kill_in_the_middle_of_a_write_leaves_a_part_of_it) {
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryFiles files(seed);
    int kills = 0;
    files.kill_in(3, [&kills] { ++kills; });
    auto file = *files.open("/a", OpenMode::create);
    ASSERT_TRUE(file->write_at(as_bytes("whole"), 0));
    ASSERT_TRUE(file->truncate(5));
    EXPECT_FALSE(file->write_at(as_bytes("0123456789"), 5));
    EXPECT_EQ(kills, 1);
    EXPECT_FALSE(files.exists("/a"));
    files.revive();
    const std::string left = text_of(files, "/a");
    EXPECT_EQ(left, std::string("whole0123456789").substr(0, left.size()));
    EXPECT_GE(left.size(), 5U);
    lengths.insert(left.size());
  }
  EXPECT_GT(lengths.size(), 3U);
}

TEST(MemoryFiles, torn_tails_keep_a_part_of_what_was_appended) {
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    MemoryFiles files(seed);
    files.keep_torn_tails(true);
    auto file = *files.open("/a", OpenMode::create);
    ASSERT_TRUE(files.sync_directory("/"));
    ASSERT_TRUE(file->write_at(as_bytes("synced"), 0));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->write_at(as_bytes("+tail"), 6));
    files.crash();
    const std::string text = text_of(files, "/a");
    EXPECT_EQ(text, std::string("synced+tail").substr(0, text.size())) << "seed " << seed;
    lengths.insert(text.size());
  }
  EXPECT_GT(lengths.size(), 3u);
  EXPECT_GE(*lengths.begin(), 6u);
}

TEST(MemoryFiles, a_full_disk_cuts_the_write_short_and_has_room_again_after_truncation) {
  MemoryFiles files;
  files.set_capacity_bytes(10);
  auto file = *files.open("/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(as_bytes("12345678"), 0));
  EXPECT_EQ(file->write_at(as_bytes("abcd"), 8).error().code, Errc::storage_full);
  EXPECT_EQ(text_of(files, "/a"), "12345678ab");
  EXPECT_EQ(files.free_bytes("/").value(), 0u);
  EXPECT_TRUE(file->write_at(as_bytes("XX"), 0));
  ASSERT_TRUE(file->truncate(2));
  EXPECT_TRUE(file->write_at(as_bytes("abcd"), 2));
}

TEST(MemoryFiles, room_taken_ahead_counts_as_used_until_it_is_given_back) {
  MemoryFiles files;
  files.set_capacity_bytes(100);
  auto file = *files.open("/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(as_bytes("1234"), 0));
  EXPECT_FALSE(file->reserve(4, 101));
  ASSERT_TRUE(file->reserve(4, 90));
  EXPECT_EQ(file->size().value(), 4u);
  EXPECT_EQ(files.reserved_bytes(), 86u);
  EXPECT_EQ(files.free_bytes("/").value(), 10u);
  ASSERT_TRUE(file->write_at(Bytes(86), 4));
  EXPECT_EQ(files.reserved_bytes(), 0u);
  EXPECT_EQ(files.free_bytes("/").value(), 10u);
  ASSERT_TRUE(file->truncate(4));
  EXPECT_EQ(files.free_bytes("/").value(), 96u);
  ASSERT_TRUE(file->reserve(4, 100));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(files.sync_directory("/"));
  files.crash();
  EXPECT_EQ(files.reserved_bytes(), 0u);
  EXPECT_EQ(text_of(files, "/a"), "1234");
}

TEST(MemoryFiles, injected_failures_meet_the_named_path_as_often_as_asked) {
  MemoryFiles files;
  auto log = *files.open("/0.log", OpenMode::create);
  auto index = *files.open("/0.index", OpenMode::create);
  files.fail_next(FileOperation::sync, ".log", make_error_code(Errc::io_error), 2);
  EXPECT_TRUE(index->sync());
  EXPECT_EQ(log->sync().error().code, Errc::io_error);
  EXPECT_EQ(log->sync().error().code, Errc::io_error);
  EXPECT_TRUE(log->sync());
}

}  // namespace
}  // namespace barnabas::runtime
