#include "broker/log/checkpoint_file.h"

#include <charconv>

namespace barnabas::log {
namespace {

/// Cuts the text up to the next line break; false at the end.
bool next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  const std::size_t end = rest.find('\n');
  line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

}  // namespace

template <typename Integer>
std::optional<Integer> parse_number(std::string_view text) {
  Integer value{};
  const auto [stop, why] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (why != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}
template std::optional<std::int32_t> parse_number<std::int32_t>(std::string_view);
template std::optional<std::int64_t> parse_number<std::int64_t>(std::string_view);

Result<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text, const std::string& path) {
  std::string_view line;
  if (!next_line(text, line) || line != "0") return failure(Errc::corrupt_data, path + ": the version is not 0");
  const auto count = next_line(text, line) ? parse_number<std::int32_t>(line) : std::nullopt;
  if (!count || *count < 0) return failure(Errc::corrupt_data, path + ": no number of entries in line 2");
  std::vector<std::string_view> entries;
  while (next_line(text, line)) entries.push_back(line);
  if (entries.size() != static_cast<std::size_t>(*count)) {
    return failure(Errc::corrupt_data, path + ": line 2 says " + std::to_string(*count) + " entries, there are " +
                                           std::to_string(entries.size()));
  }
  return entries;
}

std::string format_checkpoint_lines(const std::vector<std::string>& entries) {
  std::string text = "0\n" + std::to_string(entries.size()) + '\n';
  for (const std::string& entry : entries) text += entry + '\n';
  return text;
}

Result<std::map<TopicPartition, std::int64_t>> read_offset_checkpoint(runtime::Files& files, const std::string& path) {
  std::map<TopicPartition, std::int64_t> offsets;
  if (!files.exists(path)) return offsets;
  const auto bytes = files.read(path);
  if (!bytes) return failure(bytes.error());
  const auto lines = parse_checkpoint_lines(as_text(*bytes), path);
  if (!lines) return failure(lines.error());
  for (const std::string_view line : *lines) {
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return failure(Errc::corrupt_data, path + ": '" + std::string(line) + "'");
    const auto partition = parse_number<std::int32_t>(line.substr(first + 1, second - first - 1));
    const auto offset = parse_number<std::int64_t>(line.substr(second + 1));
    if (!partition || !offset) return failure(Errc::corrupt_data, path + ": '" + std::string(line) + "'");
    offsets[{std::string(line.substr(0, first)), *partition}] = *offset;
  }
  return offsets;
}

Result<void> write_offset_checkpoint(runtime::Files& files, const std::string& path,
                                     const std::map<TopicPartition, std::int64_t>& offsets) {
  std::vector<std::string> lines;
  lines.reserve(offsets.size());
  for (const auto& [partition, offset] : offsets) {
    lines.push_back(partition.topic + ' ' + std::to_string(partition.partition) + ' ' + std::to_string(offset));
  }
  return files.write_atomically(path, as_bytes(format_checkpoint_lines(lines)));
}

}  // namespace barnabas::log
