#include "broker/embedded/unsynced_env.h"

#include <string>
#include <utility>
#include <vector>

namespace barnabas::broker {
namespace {

using namespace runtime;

class UnsyncedFile final : public File {
 public:
  explicit UnsyncedFile(std::shared_ptr<File> file) : file_(std::move(file)) {}

  Result<std::size_t> read_at(MutableBytesView out, std::uint64_t position) const override {
    return file_->read_at(out, position);
  }
  Result<void> write_at(std::span<const BytesView> parts, std::uint64_t position) override {
    return file_->write_at(parts, position);
  }
  Result<std::uint64_t> size() const override { return file_->size(); }
  Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<void> sync() override { return {}; }
  Result<std::unique_ptr<Mapping>> map(std::uint64_t length) const override { return file_->map(length); }
  int native_handle() const noexcept override { return file_->native_handle(); }
  const std::string& path() const noexcept override { return file_->path(); }

 private:
  const std::shared_ptr<File> file_;
};

class UnsyncedFiles final : public Files {
 public:
  explicit UnsyncedFiles(Files& files) : files_(files) {}

  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override {
    Result<std::shared_ptr<File>> file = files_.open(path, mode);
    if (!file) return file;
    return std::make_shared<UnsyncedFile>(std::move(*file));
  }
  bool exists(const std::string& path) override { return files_.exists(path); }
  Result<void> make_directories(const std::string& path) override { return files_.make_directories(path); }
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override { return files_.list(directory); }
  Result<void> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<void> remove(const std::string& path) override { return files_.remove(path); }
  Result<void> remove_all(const std::string& path) override { return files_.remove_all(path); }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return files_.lock(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }

 private:
  Files& files_;
};

class UnsyncedEnv final : public Env {
 public:
  Clock& clock() noexcept override { return system_.clock(); }
  Files& files() noexcept override { return files_; }
  Random& random() noexcept override { return system_.random(); }
  std::unique_ptr<Reactor> make_reactor(const std::string& thread_name) override {
    return system_.make_reactor(thread_name);
  }
  std::unique_ptr<WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) override {
    return system_.make_worker_pool(thread_name, threads);
  }
  std::unique_ptr<Alarm> make_alarm(asio::any_io_executor executor) override {
    return system_.make_alarm(std::move(executor));
  }
  std::unique_ptr<Signal> make_signal() override { return system_.make_signal(); }

 private:
  Env& system_ = system_env();
  UnsyncedFiles files_{system_.files()};
};

}  // namespace

runtime::Env& unsynced_env() {
  // Never destroyed, as the system's own: a static EmbeddedBroker may end after it.
  static runtime::Env& env = *new UnsyncedEnv;
  return env;
}

}  // namespace barnabas::broker
