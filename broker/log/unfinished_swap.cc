#include "broker/log/unfinished_swap.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/log/segment.h"
#include "common/record/batch_header.h"

namespace barnabas::log {
namespace {

constexpr std::string_view kSwapSuffix = ".swap";
constexpr std::string_view kCleanedSuffix = ".cleaned";
constexpr std::size_t kOffsetDigits = 20;

using Names = std::vector<std::string>;

/// The offset that the name of a segment's file begins with, whatever comes after the dot.
std::optional<std::int64_t> offset_of(const std::string& name) {
  if (name.size() <= kOffsetDigits || name[kOffsetDigits] != '.') return std::nullopt;
  return offset_of_file_name(name.substr(0, kOffsetDigits), "");
}

Result<void> remove_all(runtime::Files& files, const std::string& directory, const Names& names) {
  for (const std::string& name : names) {
    if (auto removed = files.remove(directory + '/' + name); !removed) return removed;
  }
  return {};
}

/// Offset after the last batch of a segment's file.
Result<std::int64_t> end_of(runtime::Files& files, const std::string& path, std::int64_t base_offset) {
  const auto file = files.open(path, runtime::OpenMode::read);
  if (!file) return failure(file.error());
  std::int64_t end = base_offset;
  std::uint64_t position = 0;
  Bytes head(record::kBatchHeaderBytes);
  for (;;) {
    const auto count = (*file)->read_at(head, position);
    if (!count) return failure(count.error());
    if (*count < head.size()) return end;
    const auto header = record::read_batch_header(head);
    if (!header || header->size_bytes() < record::kBatchHeaderBytes || header->next_offset() <= end) {
      return failure(Errc::corrupt_data, path + " at " + std::to_string(position));
    }
    end = header->next_offset();
    position += header->size_bytes();
  }
}

/// Segments that the swapped ones were made from: those that begin where they reach.
Result<Names> replaced_by(runtime::Files& files, const std::string& directory, const Names& swaps, const Names& all) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  for (const std::string& name : swaps) {
    if (!name.ends_with(std::string(kLogSuffix) + std::string(kSwapSuffix))) continue;
    const std::int64_t base = *offset_of(name);
    const auto reaches = end_of(files, directory + '/' + name, base);
    if (!reaches) return failure(reaches.error());
    first = std::min(first, base);
    end = std::max(end, *reaches);
  }
  Names replaced;
  for (const std::string& name : all) {
    const auto offset = offset_of(name);
    if (offset && *offset >= first && *offset < end) replaced.push_back(name);
  }
  return replaced;
}

}  // namespace

bool is_of_unfinished_swap(const std::string& name) {
  return name.ends_with(kSwapSuffix) || name.ends_with(kCleanedSuffix) || name.ends_with(kDeletedSuffix);
}

Result<void> finish_swaps(runtime::Files& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return failure(entries.error());
  Names swaps;
  Names others;
  Names unwanted;
  std::int64_t first_cleaned = std::numeric_limits<std::int64_t>::max();
  for (const auto& entry : *entries) {
    const auto offset = offset_of(entry.name);
    if (entry.name.ends_with(kCleanedSuffix)) {
      if (offset) first_cleaned = std::min(first_cleaned, *offset);
      unwanted.push_back(entry.name);
    } else if (entry.name.ends_with(kDeletedSuffix)) {
      unwanted.push_back(entry.name);
    } else if (entry.name.ends_with(kSwapSuffix) && offset) {
      swaps.push_back(entry.name);
    } else {
      others.push_back(entry.name);
    }
  }
  // A split makes several segments of one; while some are still *.cleaned, the one is what counts.
  const auto undone = [first_cleaned](const std::string& name) { return *offset_of(name) >= first_cleaned; };
  std::copy_if(swaps.begin(), swaps.end(), std::back_inserter(unwanted), undone);
  std::erase_if(swaps, undone);
  if (auto removed = remove_all(files, directory, unwanted); !removed) return removed;
  const auto replaced = replaced_by(files, directory, swaps, others);
  if (!replaced) return failure(replaced.error());
  if (auto removed = remove_all(files, directory, *replaced); !removed) return removed;
  for (const std::string& name : swaps) {
    const std::string path = directory + '/' + name;
    const std::string final_path = path.substr(0, path.size() - kSwapSuffix.size());
    if (auto renamed = files.rename(path, final_path); !renamed) return renamed;
  }
  return {};
}

}  // namespace barnabas::log
