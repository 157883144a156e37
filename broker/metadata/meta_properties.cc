#include "broker/metadata/meta_properties.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "broker/metadata/random_uuid.h"
#include "common/runtime/properties.h"

namespace barnabas::metadata {
namespace {

constexpr const char* kFileName = "/meta.properties";
constexpr const char* kLockName = "/.lock";
constexpr const char* kMetadataLog = "/__cluster_metadata-0";
constexpr const char* kVersion = "1";

std::optional<std::int32_t> number(const std::string& text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The field's text; nothing when it is missing.
std::optional<std::string> field(const runtime::Properties& properties, const char* name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  return found->second;
}

Result<void> make(runtime::Files& files, const std::string& directory) {
  auto made = files.make_directories(directory);
  if (made) return {};
  return failure(made.error().code, "data directory " + directory + " cannot be made: " + made.error().subject);
}

tl::unexpected<Failure> not_writable(const std::string& directory, const Failure& why) {
  return failure(why.code, "data directory " + directory + " cannot be written: " + why.subject);
}

Result<std::unique_ptr<runtime::FileLock>> lock_of(runtime::Files& files, const std::string& directory) {
  auto lock = files.lock(directory + kLockName);
  if (lock) return lock;
  if (lock.error().code == Errc::locked) {
    return failure(Errc::locked, "data directory " + directory + " is in use by another process");
  }
  return not_writable(directory, lock.error());
}

/// A directory without a meta.properties is given one, unless it holds a cluster's metadata: whose would it be?
Result<void> claim(runtime::Env& env, const std::string& directory, const MetaProperties& properties, bool sync) {
  if (env.files().exists(directory + kMetadataLog)) {
    return failure(Errc::corrupt_data, "data directory " + directory +
                                           " holds a metadata log and no meta.properties that says whose it is");
  }
  auto written = write_meta_properties(env, directory, properties, sync);
  if (!written) return not_writable(directory, written.error());
  return {};
}

Result<void> check_owner(const MetaProperties& found, const std::string& directory, std::int32_t node_id,
                         const std::string& cluster_id) {
  if (found.node_id != node_id) {
    return failure(Errc::invalid_config, fmt::format("data directory {} belongs to node {}, this is node.id={}",
                                                     directory, found.node_id, node_id));
  }
  if (!cluster_id.empty() && found.cluster_id != cluster_id) {
    return failure(Errc::invalid_config, fmt::format("data directory {} belongs to cluster {}, the others to {}",
                                                     directory, found.cluster_id, cluster_id));
  }
  return {};
}

}  // namespace

Result<MetaProperties> read_meta_properties(runtime::Files& files, const std::string& directory) {
  const std::string path = directory + kFileName;
  if (!files.exists(path)) return failure(Errc::not_found, path);
  const auto bytes = files.read(path);
  if (!bytes) return failure(bytes.error());
  const auto properties = runtime::parse_properties(as_text(*bytes));
  if (!properties) return failure(Errc::corrupt_data, path + ": " + properties.error().subject);
  const auto version = field(*properties, "version");
  if (!version) return failure(Errc::corrupt_data, path + ": no version");
  if (*version != kVersion) {
    return failure(Errc::unsupported_version, path + ": version " + *version + ", this broker reads version 1");
  }
  MetaProperties result;
  const auto cluster_id = field(*properties, "cluster.id");
  if (!cluster_id || cluster_id->empty()) return failure(Errc::corrupt_data, path + ": no cluster.id");
  result.cluster_id = *cluster_id;
  const auto node_id = number(field(*properties, "node.id").value_or(""));
  if (!node_id) return failure(Errc::corrupt_data, path + ": node.id is missing or not a number");
  result.node_id = *node_id;
  const auto directory_id = Uuid::parse(field(*properties, "directory.id").value_or(""));
  if (!directory_id) return failure(Errc::corrupt_data, path + ": directory.id is missing or not an id");
  result.directory_id = *directory_id;
  return result;
}

Result<void> write_meta_properties(runtime::Env& env, const std::string& directory, const MetaProperties& properties,
                                   bool sync) {
  const std::chrono::system_clock::time_point now{std::chrono::milliseconds(env.clock().wall_ms())};
  const std::string text = fmt::format(
      "#\n#{:%a %b %d %H:%M:%S} UTC {:%Y}\nnode.id={}\ndirectory.id={}\nversion={}\ncluster.id={}\n", fmt::gmtime(now),
      fmt::gmtime(now), properties.node_id, properties.directory_id.to_string(), kVersion, properties.cluster_id);
  const std::string path = directory + kFileName;
  if (sync) return env.files().write_atomically(path, as_bytes(text));
  const auto file = env.files().open(path + ".tmp", runtime::OpenMode::create_truncated);
  if (!file) return failure(file.error());
  if (auto written = (*file)->write_at(as_bytes(text), 0); !written) return written;
  return env.files().rename(path + ".tmp", path);
}

Result<DataDirectories> open_data_directories(runtime::Env& env, const std::vector<std::string>& directories,
                                              const std::string& metadata_directory, std::int32_t node_id) {
  DataDirectories result;
  result.paths = directories;
  std::vector<std::string> all = directories;
  const bool has_own_directory = std::find(all.begin(), all.end(), metadata_directory) == all.end();
  if (has_own_directory) all.push_back(metadata_directory);
  std::vector<std::optional<MetaProperties>> known;
  for (const std::string& directory : all) {
    if (auto made = make(env.files(), directory); !made) return failure(made.error());
    auto found = read_meta_properties(env.files(), directory);
    if (!found && found.error().code != Errc::not_found) return failure(found.error());
    known.push_back(found ? std::optional(*found) : std::nullopt);
    if (!found) continue;
    if (auto ours = check_owner(*found, directory, node_id, result.cluster_id); !ours) return failure(ours.error());
    result.cluster_id = found->cluster_id;
  }
  if (has_own_directory) {
    auto lock = lock_of(env.files(), metadata_directory);
    if (!lock) return failure(lock.error());
    result.metadata_lock = std::move(*lock);
  }
  result.fresh = result.cluster_id.empty();
  if (result.fresh) result.cluster_id = random_uuid(env.random()).to_string();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!known[i]) {
      known[i] = MetaProperties{result.cluster_id, node_id, random_uuid(env.random())};
      if (auto claimed = claim(env, all[i], *known[i], !result.fresh); !claimed) return failure(claimed.error());
      if (result.fresh) result.unsynced_files.push_back(all[i] + kFileName);
    }
    if (all[i] == metadata_directory) result.metadata_directory_id = known[i]->directory_id;
    if (i < directories.size()) result.ids.push_back(known[i]->directory_id);
  }
  return result;
}

}  // namespace barnabas::metadata
