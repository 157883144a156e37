#include "common/runtime/platform/posix_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "common/runtime/platform/posix_error.h"

namespace barnabas::runtime {
namespace {

constexpr std::size_t kPartsPerWrite = 64;
constexpr std::uint64_t kFreePerReserved = 64;  // so that files that take room ahead never fill a disk

class Descriptor {
 public:
  explicit Descriptor(int handle) noexcept : handle_(handle) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (handle_ >= 0) ::close(handle_);
  }
  int get() const noexcept { return handle_; }

 private:
  int handle_;
};

int open_retrying(const char* path, int flags) {
  for (;;) {
    const int handle = ::open(path, flags | O_CLOEXEC, 0644);
    if (handle >= 0 || errno != EINTR) return handle;
  }
}

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* address, std::size_t length) noexcept : address_(address), length_(length) {}
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  ~PosixMapping() override {
    if (length_ > 0) ::munmap(address_, length_);
  }
  BytesView bytes() const noexcept override { return {static_cast<const std::byte*>(address_), length_}; }

 private:
  void* address_;
  std::size_t length_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(MutableBytesView out, std::uint64_t position) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto count =
          ::pread(descriptor_.get(), out.data() + done, out.size() - done, static_cast<off_t>(position + done));
      if (count == 0) break;
      if (count > 0) {
        done += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        return system_failure("read", path_, errno);
      }
    }
    return done;
  }

  Result<void> write_at(std::span<const BytesView> parts, std::uint64_t position) override {
    std::size_t first = 0;
    std::size_t skip = 0;  // bytes of parts[first] already written
    while (first < parts.size()) {
      std::array<iovec, kPartsPerWrite> vectors;
      const std::size_t count = std::min(parts.size() - first, vectors.size());
      for (std::size_t i = 0; i < count; ++i) {
        const BytesView part = i == 0 ? parts[first].subspan(skip) : parts[first + i];
        vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
      }
      const auto written =
          ::pwritev(descriptor_.get(), vectors.data(), static_cast<int>(count), static_cast<off_t>(position));
      if (written < 0) {
        if (errno == EINTR) continue;
        return system_failure("write", path_, errno);
      }
      position += static_cast<std::uint64_t>(written);
      advance(parts, static_cast<std::size_t>(written), first, skip);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return system_failure("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    while (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
      if (errno != EINTR) return system_failure("truncate", path_, errno);
    }
    return {};
  }

  /// On ext4 a write then finds its blocks at once. On tmpfs it would cost more than it saves, elsewhere nobody
  /// measured.
  bool reserve(std::uint64_t from, std::uint64_t end) override {
    struct statfs status {};
    if (end <= from || ::fstatfs(descriptor_.get(), &status) != 0 || status.f_type != EXT4_SUPER_MAGIC) return false;
    const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_bsize);
    if (free / kFreePerReserved < end - from) return false;
    return ::fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                       static_cast<off_t>(end - from)) == 0;
  }

  Result<void> sync() override {
    if (::fdatasync(descriptor_.get()) != 0) return system_failure("sync", path_, errno);
    return {};
  }

  Result<std::unique_ptr<Mapping>> map(std::uint64_t length) const override {
    const auto available = size();
    if (!available) return failure(available.error());
    if (*available < length) {
      return failure(Errc::corrupt_data, "map " + path_ + " (the file has " + std::to_string(*available) + " bytes, " +
                                             std::to_string(length) + " are asked for)");
    }
    void* address = nullptr;
    if (length > 0) {
      address = ::mmap(nullptr, static_cast<std::size_t>(length), PROT_READ, MAP_SHARED, descriptor_.get(), 0);
      if (address == MAP_FAILED) return system_failure("map", path_, errno);
    }
    return std::make_unique<PosixMapping>(address, static_cast<std::size_t>(length));
  }

  int native_handle() const noexcept override { return descriptor_.get(); }
  const std::string& path() const noexcept override { return path_; }

 private:
  /// Moves past `written` bytes, and past parts that are empty.
  static void advance(std::span<const BytesView> parts, std::size_t written, std::size_t& first, std::size_t& skip) {
    skip += written;
    while (first < parts.size() && skip >= parts[first].size()) {
      skip -= parts[first].size();
      ++first;
    }
  }

  Descriptor descriptor_;
  std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::create_truncated:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

}  // namespace

Result<std::shared_ptr<File>> PosixFiles::open(const std::string& path, OpenMode mode) {
  Descriptor descriptor(open_retrying(path.c_str(), flags_of(mode)));
  if (descriptor.get() < 0) return system_failure("open", path, errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return system_failure("stat", path, errno);
  if (S_ISDIR(status.st_mode)) return system_failure("open", path, EISDIR);
  return std::make_shared<PosixFile>(std::move(descriptor), path);
}

bool PosixFiles::exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<void> PosixFiles::make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_failure("make directory", path, error.value());
  return {};
}

Result<std::vector<DirectoryEntry>> PosixFiles::list(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  if (error) return system_failure("list", directory, error.value());
  std::vector<DirectoryEntry> entries;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(error)) {
    std::error_code gone;  // an entry removed meanwhile is a plain name
    entries.push_back({entry->path().filename().string(), entry->is_directory(gone)});
  }
  if (error) return system_failure("list", directory, error.value());
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<void> PosixFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename", from + " to " + to, errno);
  return {};
}

Result<void> PosixFiles::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return system_failure("remove", path, errno);
  return {};
}

Result<void> PosixFiles::remove_all(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return system_failure("remove", path, error.value());
  return {};
}

Result<void> PosixFiles::sync_directory(const std::string& directory) {
  const Descriptor descriptor(open_retrying(directory.c_str(), O_RDONLY | O_DIRECTORY));
  if (descriptor.get() < 0) return system_failure("open", directory, errno);
  if (::fsync(descriptor.get()) != 0) return system_failure("sync", directory, errno);
  return {};
}

Result<std::unique_ptr<FileLock>> PosixFiles::lock(const std::string& path) {
  Descriptor descriptor(open_retrying(path.c_str(), O_RDWR | O_CREAT));
  if (descriptor.get() < 0) return system_failure("open", path, errno);
  // An open file description's lock: it meets the locks of Java processes, and those of this one too.
  struct flock whole_file {};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  if (::fcntl(descriptor.get(), F_OFD_SETLK, &whole_file) != 0) {
    if (errno == EAGAIN || errno == EACCES) return failure(Errc::locked, path);
    return system_failure("lock", path, errno);
  }
  return std::make_unique<PosixFileLock>(std::move(descriptor));
}

Result<std::uint64_t> PosixFiles::free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return system_failure("statvfs", path, errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace barnabas::runtime
