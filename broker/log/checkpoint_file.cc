#include "broker/log/checkpoint_file.h"

#include <charconv>
#include <sstream>

namespace barnabas::log {
namespace {

constexpr const char* kVersion = "0";

tl::unexpected<Failure> corrupt(const std::string& path, std::size_t line, const std::string& why) {
  return failure(Errc::corrupt_data, path + ", line " + std::to_string(line) + ": " + why);
}

template <typename Integer>
bool parse(const std::string& text, Integer& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<std::vector<std::string>> read_checkpoint_lines(runtime::Files& files, const std::string& path) {
  if (!files.exists(path)) return std::vector<std::string>{};
  const auto bytes = files.read(path);
  if (!bytes) return failure(bytes.error());
  std::istringstream in{std::string(as_text(*bytes))};
  std::string version;
  std::string count_text;
  if (!std::getline(in, version) || version != kVersion) return corrupt(path, 1, "the version is not 0");
  std::size_t count = 0;
  if (!std::getline(in, count_text) || !parse(count_text, count)) return corrupt(path, 2, "no count");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  if (lines.size() != count) return corrupt(path, 2, "says " + count_text + " entries, there are " + std::to_string(lines.size()));
  return lines;
}

Result<void> write_checkpoint_lines(runtime::Files& files, const std::string& path, const std::vector<std::string>& lines) {
  std::string text = std::string(kVersion) + "\n" + std::to_string(lines.size()) + "\n";
  for (const std::string& line : lines) text += line + "\n";
  return files.write_atomically(path, as_bytes(text));
}

Result<OffsetCheckpoint> read_offset_checkpoint(runtime::Files& files, const std::string& path) {
  const auto lines = read_checkpoint_lines(files, path);
  if (!lines) return failure(lines.error());
  OffsetCheckpoint offsets;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    std::istringstream in((*lines)[i]);
    TopicPartitionName name;
    std::int64_t offset = 0;
    if (!(in >> name.first >> name.second >> offset)) return corrupt(path, i + 3, "not topic, partition and offset");
    offsets[name] = offset;
  }
  return offsets;
}

Result<void> write_offset_checkpoint(runtime::Files& files, const std::string& path, const OffsetCheckpoint& offsets) {
  std::vector<std::string> lines;
  for (const auto& [name, offset] : offsets) {
    lines.push_back(name.first + " " + std::to_string(name.second) + " " + std::to_string(offset));
  }
  return write_checkpoint_lines(files, path, lines);
}

}  // namespace barnabas::log
