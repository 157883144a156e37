#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/runtime/files.h"

namespace barnabas::runtime {

/// What can be made to fail.
enum class FileOperation {
  open,
  read,
  write,
  truncate,
  sync,
  map,
  list,
  rename,
  remove,
  make_directories,
  sync_directory,
  lock
};

/// A file system in memory that forgets at a crash what was not synced: the bytes of a file until File::sync, the
/// entries of a directory until sync_directory (which makes the way down to that directory durable too). A mapping is a
/// copy: later writes do not show in it. Threads: any.
class MemoryFiles final : public Files {
 public:
  explicit MemoryFiles(std::uint64_t seed = 1);
  ~MemoryFiles() override;

  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override;
  bool exists(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_all(const std::string& path) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  /// The power goes out: back to what was synced, all locks gone, files opened before fail with Errc::io_error.
  void crash();
  /// The process dies (SIGKILL): what it wrote stays, as in a page cache, its locks are gone, and all operations fail
  /// with Errc::io_error until revive(). Files opened before fail for good.
  void kill();
  /// The same in `changes` operations that change something (writes, renames, ...) from now: the last of them, a write,
  /// is done in part. `on_kill` is called within that operation.
  void kill_in(std::uint64_t changes, std::function<void()> on_kill);
  /// The next process starts. Takes back a kill that has not come yet.
  void revive();
  /// From now on a crash keeps a part, drawn from the seed, of the bytes appended since a file's last sync.
  void keep_torn_tails(bool keep);
  /// Errc::storage_full once all files together have this many bytes; a write that meets it is cut short there.
  void set_capacity_bytes(std::uint64_t capacity);
  /// What File::reserve took behind the ends of files; it counts as used.
  std::uint64_t reserved_bytes() const;
  /// The next `times` operations of this kind on paths that contain `path_part` fail with `why` and change nothing.
  void fail_next(FileOperation operation, std::string path_part, std::error_code why, int times = 1);

 private:
  struct Core;
  class MemoryFile;
  class MemoryLock;
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::runtime
