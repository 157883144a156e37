#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::runtime {

/// Read-only view of a file's first bytes; valid while it lives, also when the file is deleted or truncated *beyond*
/// it.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual BytesView bytes() const noexcept = 0;
};

/// An open file. Positions are absolute: there is no cursor to share.
/// Threads: reads from any thread; the owner orders writes, truncate and sync.
/// Errors: Errc::storage_full for ENOSPC/EDQUOT, else Errc::io_error; the subject names the path and the system's
/// reason.
class File {
 public:
  virtual ~File() = default;
  /// Reads until `out` is full or the file ends; returns the number of bytes read.
  virtual Result<std::size_t> read_at(MutableBytesView out, std::uint64_t position) const = 0;
  /// Writes all parts back to back (one pwritev where the system has it). On failure some bytes may have been written.
  virtual Result<void> write_at(std::span<const BytesView> parts, std::uint64_t position) = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  /// Takes room on the disk for what will be written in [from, end), so that these writes cost less; the size stays.
  /// truncate() gives back what lies behind its size. False where nothing was taken: on a file system that gains
  /// nothing by it, or has not plenty of room; then writes find room as they go.
  virtual bool reserve(std::uint64_t /*from*/, std::uint64_t /*end*/) { return false; }
  /// fdatasync. Never retried by a caller when it fails.
  virtual Result<void> sync() = 0;
  /// Maps [0, length); the length is checked against the file first, so a short file is an error and never a SIGBUS.
  virtual Result<std::unique_ptr<Mapping>> map(std::uint64_t length) const = 0;
  /// The descriptor for sendfile, or -1 where the file is not the system's.
  virtual int native_handle() const noexcept = 0;
  virtual const std::string& path() const noexcept = 0;

  Result<void> write_at(BytesView bytes, std::uint64_t position) { return write_at(std::span(&bytes, 1), position); }
};

/// Holds an exclusive lock on a file until it is destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  read,             ///< Must exist.
  read_write,       ///< Must exist.
  create,           ///< Read and write; made when absent.
  create_new,       ///< Read and write; must be absent.
  create_truncated  ///< Read and write; emptied when present.
};

struct DirectoryEntry {
  std::string name;  ///< Without the directory.
  bool is_directory = false;
};

/// The file system. Real, or in memory with crashes and full disks for tests.
/// Threads: any.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<void> make_directories(const std::string& path) = 0;
  /// Sorted by name.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Errc::not_found when there is none.
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> remove_all(const std::string& path) = 0;
  /// Makes the directory's entries (creations, renames, removals) durable.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  /// Errc::locked when another process or object holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  /// Bytes that can still be written below this path.
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;

  /// The whole file.
  Result<Bytes> read(const std::string& path);
  /// Writes `path`.tmp, syncs it, renames it over `path` and syncs the directory: old or new, never torn.
  Result<void> write_atomically(const std::string& path, BytesView bytes);
};

}  // namespace barnabas::runtime
