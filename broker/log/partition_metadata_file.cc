#include "broker/log/partition_metadata_file.h"

namespace barnabas::log {
namespace {

constexpr std::string_view kHead = "version: 0\ntopic_id: ";

std::string path_in(const std::string& directory) { return directory + "/partition.metadata"; }

}  // namespace

Result<std::optional<Uuid>> read_partition_metadata(runtime::Files& files, const std::string& directory) {
  const std::string path = path_in(directory);
  if (!files.exists(path)) return std::nullopt;
  const auto bytes = files.read(path);
  if (!bytes) return failure(bytes.error());
  std::string_view text = as_text(*bytes);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (!text.starts_with(kHead)) return failure(Errc::corrupt_data, path + ": neither version 0 nor a topic id");
  const auto id = Uuid::parse(text.substr(kHead.size()));
  if (!id) return failure(Errc::corrupt_data, path + ": the topic id is no UUID");
  return *id;
}

Result<void> write_partition_metadata(runtime::Files& files, const std::string& directory, const Uuid& topic_id) {
  const std::string text = std::string(kHead) + topic_id.to_string();
  return files.write_atomically(path_in(directory), as_bytes(text));
}

}  // namespace barnabas::log
