#include "common/runtime/files.h"

#include <gtest/gtest.h>

#include <memory>

#include "common/runtime/memory_files.h"
#include "common/runtime/temporary_directory.h"

namespace barnabas::runtime {
namespace {

/// The promises of files.h, kept by the system's files and by those in memory alike.
class FilesTest : public ::testing::TestWithParam<const char*> {
 protected:
  FilesTest() {
    if (std::string(GetParam()) == "memory") {
      memory_ = std::make_unique<MemoryFiles>();
      EXPECT_TRUE(memory_->make_directories(directory_.path()));
    }
  }
  Files& files() { return memory_ ? *memory_ : system_env().files(); }
  std::string path(const std::string& name) { return directory_.path(name); }
  std::shared_ptr<File> make(const std::string& name, std::string_view content) {
    auto file = files().open(path(name), OpenMode::create);
    EXPECT_TRUE(file) << file.error().message();
    EXPECT_TRUE((*file)->write_at(as_bytes(content), 0));
    return *file;
  }
  std::string text_of(const std::string& name) {
    auto bytes = files().read(path(name));
    return bytes ? std::string(as_text(*bytes)) : bytes.error().message();
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<MemoryFiles> memory_;
};

INSTANTIATE_TEST_SUITE_P(All, FilesTest, ::testing::Values("posix", "memory"), [](const auto& of) { return of.param; });

TEST_P(FilesTest, writes_all_parts_back_to_back_and_reads_them) {
  const auto file = make("a", "");
  std::vector<BytesView> parts{as_bytes("one"), {}, as_bytes("two"), {}};
  for (int i = 0; i < 200; ++i) parts.push_back(as_bytes("x"));
  ASSERT_TRUE(file->write_at(parts, 2));
  EXPECT_EQ(file->size().value(), 2 + 6 + 200u);
  Bytes out(300);
  EXPECT_EQ(file->read_at(out, 2).value(), 206u);
  EXPECT_EQ(as_text(BytesView(out).first(8)), "onetwoxx");
  EXPECT_EQ(file->read_at(out, 1000).value(), 0u);
}

TEST_P(FilesTest, open_modes_ask_for_what_they_say) {
  EXPECT_EQ(files().open(path("a"), OpenMode::read).error().code, Errc::not_found);
  EXPECT_EQ(files().open(path("a"), OpenMode::read_write).error().code, Errc::not_found);
  ASSERT_TRUE(files().open(path("a"), OpenMode::create_new));
  EXPECT_EQ(files().open(path("a"), OpenMode::create_new).error().code, Errc::already_exists);
  make("a", "text");
  ASSERT_TRUE(files().open(path("a"), OpenMode::create));
  EXPECT_EQ(text_of("a"), "text");
  ASSERT_TRUE(files().open(path("a"), OpenMode::create_truncated));
  EXPECT_EQ(text_of("a"), "");
  EXPECT_FALSE(files().open(path(""), OpenMode::read));
  EXPECT_FALSE((*files().open(path("a"), OpenMode::read))->write_at(as_bytes("x"), 0));
}

TEST_P(FilesTest, a_failure_names_the_path) {
  const auto missing = files().open(path("missing"), OpenMode::read);
  EXPECT_NE(missing.error().message().find("missing"), std::string::npos);
}

TEST_P(FilesTest, truncates_and_extends_with_zeros) {
  const auto file = make("a", "abcdef");
  ASSERT_TRUE(file->truncate(3));
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(text_of("a"), std::string("abc\0\0", 5));
}

TEST_P(FilesTest, room_taken_ahead_shows_nowhere_in_the_file) {
  const auto file = make("a", "12345");
  static_cast<void>(file->reserve(5, 1 << 20));  // some file systems have none to give
  EXPECT_EQ(file->size().value(), 5u);
  EXPECT_EQ(text_of("a"), "12345");
  ASSERT_TRUE(file->write_at(as_bytes("678"), 5));
  EXPECT_EQ(text_of("a"), "12345678");
  ASSERT_TRUE(file->truncate(8));
  EXPECT_EQ(text_of("a"), "12345678");
  EXPECT_FALSE(file->reserve(8, 8));
}

TEST_P(FilesTest, mapping_more_than_the_file_holds_is_an_error) {
  const auto file = make("a", "abcdef");
  EXPECT_EQ(file->map(7).error().code, Errc::corrupt_data);
  auto mapping = file->map(6);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(as_text((*mapping)->bytes()), "abcdef");
  EXPECT_TRUE((*file->map(0))->bytes().empty());
  ASSERT_TRUE(files().remove(path("a")));
  EXPECT_EQ(as_text((*mapping)->bytes()), "abcdef");
}

TEST_P(FilesTest, lists_sorted_by_name) {
  make("b", "");
  make("a", "");
  ASSERT_TRUE(files().make_directories(path("c/d")));
  const auto entries = files().list(path("")).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_EQ(entries[2].name, "c");
  EXPECT_TRUE(entries[2].is_directory);
  EXPECT_FALSE(entries[0].is_directory);
  EXPECT_EQ(files().list(path("none")).error().code, Errc::not_found);
}

TEST_P(FilesTest, renames_files_over_files_and_directories_with_content) {
  make("a", "new");
  make("b", "old");
  ASSERT_TRUE(files().rename(path("a"), path("b")));
  EXPECT_EQ(text_of("b"), "new");
  EXPECT_FALSE(files().exists(path("a")));
  ASSERT_TRUE(files().make_directories(path("d")));
  make("d/x", "inside");
  ASSERT_TRUE(files().rename(path("d"), path("e")));
  EXPECT_EQ(text_of("e/x"), "inside");
  EXPECT_EQ(files().rename(path("none"), path("f")).error().code, Errc::not_found);
}

TEST_P(FilesTest, removes_and_says_when_there_is_nothing) {
  make("a", "");
  ASSERT_TRUE(files().remove(path("a")));
  EXPECT_EQ(files().remove(path("a")).error().code, Errc::not_found);
  ASSERT_TRUE(files().make_directories(path("d/e")));
  make("d/e/f", "");
  EXPECT_FALSE(files().remove(path("d")));
  ASSERT_TRUE(files().remove_all(path("d")));
  EXPECT_FALSE(files().exists(path("d")));
  EXPECT_TRUE(files().remove_all(path("d")));
}

TEST_P(FilesTest, a_lock_is_held_once_until_it_is_gone) {
  auto first = files().lock(path(".lock"));
  ASSERT_TRUE(first);
  EXPECT_EQ(files().lock(path(".lock")).error().code, Errc::locked);
  first->reset();
  EXPECT_TRUE(files().lock(path(".lock")));
}

TEST_P(FilesTest, writes_atomically) {
  make("a", "a longer old text");
  ASSERT_TRUE(files().write_atomically(path("a"), as_bytes("new")));
  EXPECT_EQ(text_of("a"), "new");
  EXPECT_FALSE(files().exists(path("a.tmp")));
  EXPECT_GT(files().free_bytes(path("")).value(), 0u);
}

}  // namespace
}  // namespace barnabas::runtime
