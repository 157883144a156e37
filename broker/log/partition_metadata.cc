#include "broker/log/partition_metadata.h"

#include <string_view>

namespace barnabas::log {
namespace {

constexpr std::string_view kVersion = "version: 0\n";
constexpr std::string_view kTopicId = "topic_id: ";

}  // namespace

Result<Uuid> read_partition_metadata(runtime::Files& files, const std::string& directory) {
  const std::string path = directory + '/' + kPartitionMetadataFile;
  if (!files.exists(path)) return failure(Errc::not_found, path);
  const auto bytes = files.read(path);
  if (!bytes) return failure(bytes.error());
  if (bytes->empty()) return failure(Errc::not_found, path + " is empty");
  std::string_view text = as_text(*bytes);
  if (!text.starts_with(kVersion)) return failure(Errc::corrupt_data, path + ": the version is not 0");
  text.remove_prefix(kVersion.size());
  if (!text.starts_with(kTopicId)) return failure(Errc::corrupt_data, path + ": no topic_id");
  text.remove_prefix(kTopicId.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  auto id = Uuid::parse(text);
  if (!id) return failure(Errc::corrupt_data, path + ": topic_id '" + std::string(text) + "'");
  return id;
}

Result<void> write_partition_metadata(runtime::Files& files, const std::string& directory, const Uuid& topic_id) {
  const std::string text = std::string(kVersion) + std::string(kTopicId) + topic_id.to_string();
  // Less than a block, which reaches the disk as a whole: in another file first it would be no safer.
  auto file = files.open(directory + '/' + kPartitionMetadataFile, runtime::OpenMode::create_truncated);
  if (!file) return failure(file.error());
  return (*file)->write_at(as_bytes(text), 0);
}

Result<void> sync_partition_metadata(runtime::Files& files, const std::string& directory) {
  const std::string path = directory + '/' + kPartitionMetadataFile;
  if (!files.exists(path)) return {};
  auto file = files.open(path, runtime::OpenMode::read_write);
  if (!file) return failure(file.error());
  return (*file)->sync();
}

}  // namespace barnabas::log
