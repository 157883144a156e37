#include "common/runtime/memory_files.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace barnabas::runtime {
namespace {

/// A file or a directory, apart from its name: it lives on while it is open.
struct Node {
  bool is_directory = false;
  Bytes bytes;
  Bytes durable_bytes;
  std::size_t changed_from = 0;  // the two agree below it
  std::size_t reserved_end = 0;
  std::map<std::string, std::shared_ptr<Node>> children;
  std::map<std::string, std::shared_ptr<Node>> durable_children;
};

using Path = std::vector<std::string>;

Path parts_of(const std::string& path) {
  Path parts;
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    std::string part = path.substr(start, end - start);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    start = end + 1;
  }
  return parts;
}

std::uint64_t reserved_below(const Node& node) {
  std::uint64_t total = node.reserved_end - std::min(node.reserved_end, node.bytes.size());
  for (const auto& [name, child] : node.children) total += reserved_below(*child);
  return total;
}

std::uint64_t bytes_below(const Node& node) {
  std::uint64_t total = std::max(node.bytes.size(), node.reserved_end);
  for (const auto& [name, child] : node.children) total += bytes_below(*child);
  return total;
}

tl::unexpected<Failure> not_found(const std::string& path) {
  return failure(Errc::not_found, path);
}

class CopiedMapping final : public Mapping {
 public:
  explicit CopiedMapping(Bytes bytes) : bytes_(std::move(bytes)) {}
  BytesView bytes() const noexcept override { return bytes_; }

 private:
  Bytes bytes_;
};

struct Injected {
  FileOperation operation;
  std::string path_part;
  std::error_code why;
  int times;
};

}  // namespace

struct MemoryFiles::Core {
  explicit Core(std::uint64_t seed) : random(seed) { root->is_directory = true; }

  std::shared_ptr<Node> find(const Path& parts) const {
    std::shared_ptr<Node> node = root;
    for (const std::string& part : parts) {
      const auto child = node->children.find(part);
      if (child == node->children.end()) return nullptr;
      node = child->second;
    }
    return node;
  }
  /// The directory that holds the path's last part; nullptr when there is none.
  std::shared_ptr<Node> parent_of(Path parts) const {
    if (parts.empty()) return nullptr;
    parts.pop_back();
    auto parent = find(parts);
    return parent && parent->is_directory ? parent : nullptr;
  }

  static bool changes_something(FileOperation operation) {
    switch (operation) {
      case FileOperation::write:
      case FileOperation::truncate:
      case FileOperation::rename:
      case FileOperation::remove:
      case FileOperation::make_directories:
        return true;
      default:
        return false;
    }
  }

  void kill() {
    ++generation;
    locked.clear();
    is_killed = true;
    kill_in = 0;
  }

  /// Whether this operation is the process's last: it is not done, or in part.
  bool is_last(FileOperation operation) {
    if (kill_in == 0 || !changes_something(operation) || --kill_in > 0) return false;
    kill();
    if (on_kill) on_kill();
    return true;
  }

  Result<void> begin(FileOperation operation, const std::string& path) {
    if (is_killed) return failure(Errc::io_error, path + " (the process was killed)");
    // A write does its part first.
    if (operation != FileOperation::write && is_last(operation))
      return failure(Errc::io_error, path + " (the process was killed)");
    return injected_failure(operation, path);
  }

  Result<void> injected_failure(FileOperation operation, const std::string& path) {
    for (Injected& rule : failures) {
      if (rule.operation != operation || rule.times == 0 || path.find(rule.path_part) == std::string::npos) continue;
      --rule.times;
      return failure(rule.why, path + " (injected)");
    }
    return {};
  }

  void crash(Node& node) {
    if (!node.is_directory) {
      std::size_t torn = 0;
      if (torn_tails && node.changed_from >= node.durable_bytes.size() &&
          node.bytes.size() > node.durable_bytes.size()) {
        torn = random() % (node.bytes.size() - node.durable_bytes.size() + 1);
      }
      const auto tail = node.bytes.begin() + static_cast<std::ptrdiff_t>(torn > 0 ? node.durable_bytes.size() : 0);
      node.durable_bytes.insert(node.durable_bytes.end(), tail, tail + static_cast<std::ptrdiff_t>(torn));
      node.bytes = node.durable_bytes;
      node.changed_from = node.bytes.size();
    }
    node.reserved_end = 0;
    node.children = node.durable_children;
    for (const auto& [name, child] : node.children) crash(*child);
  }

  std::mutex mutex;  // of all that follows, and of every Node
  std::shared_ptr<Node> root = std::make_shared<Node>();
  std::vector<Injected> failures;
  std::set<Node*> locked;
  std::optional<std::uint64_t> capacity;
  std::uint64_t generation = 0;  // counts crashes
  bool torn_tails = false;
  bool is_killed = false;
  std::uint64_t kill_in = 0;  // changes; 0: never
  std::function<void()> on_kill;
  std::mt19937_64 random;
};

class MemoryFiles::MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<Core> core, std::shared_ptr<Node> node, std::string path, bool writable)
      : core_(std::move(core)),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        generation_(core_->generation) {}

  Result<std::size_t> read_at(MutableBytesView out, std::uint64_t position) const override {
    const std::lock_guard lock(core_->mutex);
    if (auto usable = check(FileOperation::read); !usable) return failure(usable.error());
    if (position >= node_->bytes.size()) return 0;
    const auto start = static_cast<std::size_t>(position);
    const std::size_t count = std::min(out.size(), node_->bytes.size() - start);
    std::copy_n(node_->bytes.begin() + static_cast<std::ptrdiff_t>(start), count, out.begin());
    return count;
  }

  Result<void> write_at(std::span<const BytesView> parts, std::uint64_t position) override {
    const std::lock_guard lock(core_->mutex);
    if (!writable_) return failure(Errc::io_error, "write " + path_ + " (opened for reading)");
    if (auto usable = check(FileOperation::write); !usable) return usable;
    auto start = static_cast<std::size_t>(position);
    if (core_->is_last(FileOperation::write)) {
      if (!parts.empty()) put(parts[0].first(static_cast<std::size_t>(core_->random() % (parts[0].size() + 1))), start);
      return failure(Errc::io_error, path_ + " (the process was killed)");
    }
    for (const BytesView part : parts) {
      const std::size_t fitting = room_for(part.size(), start);
      put(part.first(fitting), start);
      if (fitting < part.size()) return failure(Errc::storage_full, "write " + path_);
      start += fitting;
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(core_->mutex);
    if (auto usable = check(std::nullopt); !usable) return failure(usable.error());
    return node_->bytes.size();
  }

  Result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock(core_->mutex);
    if (auto usable = check(FileOperation::truncate); !usable) return usable;
    node_->changed_from = std::min({node_->changed_from, node_->bytes.size(), static_cast<std::size_t>(size)});
    node_->bytes.resize(static_cast<std::size_t>(size));
    node_->reserved_end = 0;
    return {};
  }

  bool reserve(std::uint64_t from, std::uint64_t end) override {
    const std::lock_guard lock(core_->mutex);
    if (core_->is_killed || generation_ != core_->generation || end <= from) return false;
    if (room_for(static_cast<std::size_t>(end - from), static_cast<std::size_t>(from)) < end - from) return false;
    node_->reserved_end = std::max(node_->reserved_end, static_cast<std::size_t>(end));
    return true;
  }

  Result<void> sync() override {
    const std::lock_guard lock(core_->mutex);
    if (auto usable = check(FileOperation::sync); !usable) return usable;
    const std::size_t same = std::min(node_->changed_from, node_->durable_bytes.size());
    node_->durable_bytes.resize(same);
    const auto changed = node_->bytes.begin() + static_cast<std::ptrdiff_t>(same);
    node_->durable_bytes.insert(node_->durable_bytes.end(), changed, node_->bytes.end());
    node_->changed_from = node_->bytes.size();
    return {};
  }

  Result<std::unique_ptr<Mapping>> map(std::uint64_t length) const override {
    const std::lock_guard lock(core_->mutex);
    if (auto usable = check(FileOperation::map); !usable) return failure(usable.error());
    if (node_->bytes.size() < length) {
      return failure(Errc::corrupt_data, "map " + path_ + " (the file has " + std::to_string(node_->bytes.size()) +
                                             " bytes, " + std::to_string(length) + " are asked for)");
    }
    const auto end = node_->bytes.begin() + static_cast<std::ptrdiff_t>(length);
    return std::make_unique<CopiedMapping>(Bytes(node_->bytes.begin(), end));
  }

  int native_handle() const noexcept override { return -1; }
  const std::string& path() const noexcept override { return path_; }

 private:
  Result<void> check(std::optional<FileOperation> operation) const {
    if (generation_ != core_->generation) return failure(Errc::io_error, path_ + " (opened before the crash)");
    return operation ? core_->begin(*operation, path_) : Result<void>{};
  }

  std::size_t room_for(std::size_t length, std::size_t start) const {
    if (!core_->capacity) return length;
    const std::uint64_t used = bytes_below(*core_->root);
    const std::uint64_t free = *core_->capacity > used ? *core_->capacity - used : 0;
    const std::size_t own = std::max(node_->bytes.size(), node_->reserved_end);
    const std::size_t inside = own > start ? own - start : 0;
    return static_cast<std::size_t>(std::min<std::uint64_t>(length, inside + free));
  }

  void put(BytesView part, std::size_t start) {
    if (part.empty()) return;
    node_->changed_from = std::min({node_->changed_from, node_->bytes.size(), start});
    if (node_->bytes.size() < start + part.size()) node_->bytes.resize(start + part.size());
    std::copy(part.begin(), part.end(), node_->bytes.begin() + static_cast<std::ptrdiff_t>(start));
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<Node> node_;
  std::string path_;
  bool writable_;
  std::uint64_t generation_;
};

class MemoryFiles::MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<Core> core, std::shared_ptr<Node> node)
      : core_(std::move(core)), node_(std::move(node)), generation_(core_->generation) {}
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;
  ~MemoryLock() override {
    const std::lock_guard lock(core_->mutex);
    if (generation_ == core_->generation) core_->locked.erase(node_.get());
  }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Node> node_;
  std::uint64_t generation_;
};

MemoryFiles::MemoryFiles(std::uint64_t seed) : core_(std::make_shared<Core>(seed)) {}
MemoryFiles::~MemoryFiles() = default;

Result<std::shared_ptr<File>> MemoryFiles::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::open, path); !injected) return failure(injected.error());
  const Path parts = parts_of(path);
  std::shared_ptr<Node> node = core_->find(parts);
  if (node && node->is_directory) return failure(Errc::io_error, "open " + path + " (Is a directory)");
  if (node && mode == OpenMode::create_new) return failure(Errc::already_exists, path);
  if (!node) {
    const auto parent = core_->parent_of(parts);
    if (!parent || mode == OpenMode::read || mode == OpenMode::read_write) return not_found(path);
    node = std::make_shared<Node>();
    parent->children.emplace(parts.back(), node);
  }
  if (mode == OpenMode::create_truncated) {
    node->bytes.clear();
    node->changed_from = 0;
  }
  return std::make_shared<MemoryFile>(core_, std::move(node), path, mode != OpenMode::read);
}

bool MemoryFiles::exists(const std::string& path) {
  const std::lock_guard lock(core_->mutex);
  return !core_->is_killed && core_->find(parts_of(path)) != nullptr;
}

Result<void> MemoryFiles::make_directories(const std::string& path) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::make_directories, path); !injected) return injected;
  std::shared_ptr<Node> node = core_->root;
  for (const std::string& part : parts_of(path)) {
    auto [child, is_new] = node->children.try_emplace(part);
    if (is_new) {
      child->second = std::make_shared<Node>();
      child->second->is_directory = true;
    }
    node = child->second;
    if (!node->is_directory) return failure(Errc::io_error, "make directory " + path + " (Not a directory)");
  }
  return {};
}

Result<std::vector<DirectoryEntry>> MemoryFiles::list(const std::string& directory) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::list, directory); !injected) return failure(injected.error());
  const auto node = core_->find(parts_of(directory));
  if (!node) return not_found(directory);
  if (!node->is_directory) return failure(Errc::io_error, "list " + directory + " (Not a directory)");
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->children) entries.push_back({name, child->is_directory});
  return entries;
}

Result<void> MemoryFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::rename, from); !injected) return injected;
  const Path from_parts = parts_of(from);
  const Path to_parts = parts_of(to);
  const auto source = core_->parent_of(from_parts);
  const auto target = core_->parent_of(to_parts);
  if (!source || source->children.count(from_parts.back()) == 0) return not_found(from);
  if (!target) return not_found(to);
  const auto existing = core_->find(to_parts);
  if (existing && existing->is_directory && !existing->children.empty()) {
    return failure(Errc::io_error, "rename " + from + " to " + to + " (Directory not empty)");
  }
  auto node = source->children.extract(from_parts.back());
  target->children.insert_or_assign(to_parts.back(), std::move(node.mapped()));
  return {};
}

Result<void> MemoryFiles::remove(const std::string& path) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::remove, path); !injected) return injected;
  const Path parts = parts_of(path);
  const auto node = core_->find(parts);
  if (!node || parts.empty()) return not_found(path);
  if (!node->children.empty()) return failure(Errc::io_error, "remove " + path + " (Directory not empty)");
  core_->parent_of(parts)->children.erase(parts.back());
  return {};
}

Result<void> MemoryFiles::remove_all(const std::string& path) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::remove, path); !injected) return injected;
  const Path parts = parts_of(path);
  if (const auto parent = core_->parent_of(parts)) parent->children.erase(parts.back());
  return {};
}

Result<void> MemoryFiles::sync_directory(const std::string& directory) {
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::sync_directory, directory); !injected) return injected;
  std::shared_ptr<Node> node = core_->root;
  for (const std::string& part : parts_of(directory)) {
    const auto child = node->children.find(part);
    if (child == node->children.end()) return not_found(directory);
    node->durable_children.insert_or_assign(part, child->second);
    node = child->second;
  }
  node->durable_children = node->children;
  return {};
}

Result<std::unique_ptr<FileLock>> MemoryFiles::lock(const std::string& path) {
  auto file = open(path, OpenMode::create);
  if (!file) return failure(std::move(file.error()));
  const std::lock_guard lock(core_->mutex);
  if (auto injected = core_->begin(FileOperation::lock, path); !injected) return failure(injected.error());
  auto node = core_->find(parts_of(path));
  if (!node || !core_->locked.insert(node.get()).second) return failure(Errc::locked, path);
  return std::make_unique<MemoryLock>(core_, std::move(node));
}

Result<std::uint64_t> MemoryFiles::free_bytes(const std::string&) {
  constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;
  const std::lock_guard lock(core_->mutex);
  const std::uint64_t used = bytes_below(*core_->root);
  const std::uint64_t capacity = core_->capacity.value_or(kPlenty);
  return capacity > used ? capacity - used : 0;
}

void MemoryFiles::crash() {
  const std::lock_guard lock(core_->mutex);
  ++core_->generation;
  core_->locked.clear();
  core_->crash(*core_->root);
}

void MemoryFiles::kill() {
  const std::lock_guard lock(core_->mutex);
  core_->kill();
}

void MemoryFiles::kill_in(std::uint64_t changes, std::function<void()> on_kill) {
  const std::lock_guard lock(core_->mutex);
  core_->kill_in = changes;
  core_->on_kill = std::move(on_kill);
}

void MemoryFiles::revive() {
  const std::lock_guard lock(core_->mutex);
  core_->is_killed = false;
  core_->kill_in = 0;
  core_->on_kill = nullptr;
}

void MemoryFiles::keep_torn_tails(bool keep) {
  const std::lock_guard lock(core_->mutex);
  core_->torn_tails = keep;
}

void MemoryFiles::set_capacity_bytes(std::uint64_t capacity) {
  const std::lock_guard lock(core_->mutex);
  core_->capacity = capacity;
}

std::uint64_t MemoryFiles::reserved_bytes() const {
  const std::lock_guard lock(core_->mutex);
  return reserved_below(*core_->root);
}

void MemoryFiles::fail_next(FileOperation operation, std::string path_part, std::error_code why, int times) {
  const std::lock_guard lock(core_->mutex);
  core_->failures.push_back({operation, std::move(path_part), why, times});
}

}  // namespace barnabas::runtime
