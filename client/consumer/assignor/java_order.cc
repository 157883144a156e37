#include "client/consumer/assignor/java_order.h"

#include <algorithm>
#include <numeric>

namespace barnabas::client {
namespace {

constexpr std::size_t kDefaultTableSize = 16;

/// HashMap mixes the high half into the low one, which alone chooses the bucket.
std::uint32_t spread(std::int32_t hash) noexcept {
  const auto bits = static_cast<std::uint32_t>(hash);
  return bits ^ (bits >> 16U);
}

/// A HashMap doubles its table when more than 3/4 of it are taken.
std::size_t table_size_for(std::size_t count, std::size_t table_size) noexcept {
  while (count > table_size / 4 * 3) table_size *= 2;
  return table_size;
}

/// How many continuation bytes follow a first byte of UTF-8, and which of its bits count.
struct Utf8Start {
  std::size_t following;
  std::uint32_t bits;
};

Utf8Start utf8_start(std::uint8_t byte) noexcept {
  if (byte < 0x80) return {0, byte};
  if (byte < 0xe0) return {1, byte & 0x1fU};
  if (byte < 0xf0) return {2, byte & 0x0fU};
  return {3, byte & 0x07U};
}

}  // namespace

std::int32_t java_hash(std::string_view text) noexcept {
  std::uint32_t hash = 0;
  const auto add = [&hash](std::uint32_t utf16_unit) { hash = hash * 31 + utf16_unit; };
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Start start = utf8_start(static_cast<std::uint8_t>(text[i++]));
    std::uint32_t point = start.bits;
    for (std::size_t k = 0; k < start.following && i < text.size(); ++k) {
      point = (point << 6U) | (static_cast<std::uint8_t>(text[i++]) & 0x3fU);
    }
    if (point < 0x10000) {
      add(point);
    } else {
      add(0xd800U + ((point - 0x10000) >> 10U));
      add(0xdc00U + ((point - 0x10000) & 0x3ffU));
    }
  }
  return static_cast<std::int32_t>(hash);
}

std::int32_t java_hash(std::int32_t topic, std::int32_t partition) noexcept {
  return static_cast<std::int32_t>((31U + static_cast<std::uint32_t>(partition)) * 31U +
                                   static_cast<std::uint32_t>(topic));
}

std::vector<std::size_t> java_map_order(const std::vector<std::int32_t>& hashes) {
  const std::size_t mask = table_size_for(hashes.size(), kDefaultTableSize) - 1;
  std::vector<std::size_t> order(hashes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return (spread(hashes[a]) & mask) < (spread(hashes[b]) & mask);
  });
  return order;
}

void JavaHashSet::insert(int element, std::int32_t hash) {
  entries_.push_back({element, spread(hash)});
  table_size_ = table_size_for(entries_.size(), table_size_);
}

void JavaHashSet::erase(int element) {
  std::erase_if(entries_, [element](const Entry& entry) { return entry.element == element; });
}

int JavaHashSet::first() const noexcept {
  const std::size_t mask = table_size_ - 1;
  const auto first = std::min_element(entries_.begin(), entries_.end(), [mask](const Entry& a, const Entry& b) {
    return (a.spread & mask) < (b.spread & mask);
  });
  return first->element;
}

}  // namespace barnabas::client
