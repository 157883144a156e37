#include "client/consumer/assignor/java_order.h"

#include <algorithm>
#include <utility>

namespace barnabas::client {
namespace {

/// HashMap mixes the high half into the low one, which alone chooses the bucket.
std::uint32_t spread(std::int32_t hash) noexcept {
  const auto bits = static_cast<std::uint32_t>(hash);
  return bits ^ (bits >> 16U);
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

void JavaHashOrder::put(int element, std::int32_t hash) {
  entries_.push_back({element, spread(hash), ++back_});
  grow_beyond(entries_.size());
}

void JavaHashOrder::compute_if_absent(int element, std::int32_t hash, bool is_absent) {
  grow_beyond(entries_.size());
  if (is_absent) entries_.push_back({element, spread(hash), --front_});
}

void JavaHashOrder::erase(int element) {
  std::erase_if(entries_, [element](const Entry& entry) { return entry.element == element; });
}

int JavaHashOrder::first() const noexcept {
  return std::min_element(entries_.begin(), entries_.end(),
                          [this](const Entry& a, const Entry& b) { return comes_before(a, b); })
      ->element;
}

std::vector<int> JavaHashOrder::all() const {
  std::vector<Entry> sorted = entries_;
  std::sort(sorted.begin(), sorted.end(), [this](const Entry& a, const Entry& b) { return comes_before(a, b); });
  std::vector<int> elements;
  elements.reserve(sorted.size());
  for (const Entry& entry : sorted) elements.push_back(entry.element);
  return elements;
}

/// Growing a table splits its buckets and keeps the order within each, so only the last size counts.
bool JavaHashOrder::comes_before(const Entry& a, const Entry& b) const noexcept {
  const std::size_t mask = table_size_ - 1;
  return std::pair(a.spread & mask, a.place) < std::pair(b.spread & mask, b.place);
}

/// A HashMap doubles its table when more than 3/4 of it are taken.
void JavaHashOrder::grow_beyond(std::size_t count) {
  while (count > table_size_ / 4 * 3) table_size_ *= 2;
}

}  // namespace barnabas::client
