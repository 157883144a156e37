#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace barnabas::client {

/// Kafka's assignors walk over Java's hash maps, and what they give depends on the order of these. It is not random:
/// buckets ascend, and within a bucket entries stand as they came. So that a group gets the same assignment whichever
/// client leads it, we walk in that order too.

/// Java's String.hashCode of UTF-8 text.
std::int32_t java_hash(std::string_view text) noexcept;
/// Kafka's TopicPartition.hashCode; `topic` is the name's java_hash.
std::int32_t java_hash(std::int32_t topic, std::int32_t partition) noexcept;

/// In which order a HashMap of default size, filled with keys of these hashes one after the other, is walked:
/// positions in `hashes`.  Cost: O(n log n).
std::vector<std::size_t> java_map_order(const std::vector<std::int32_t>& hashes);

/// A HashSet as far as its order is concerned: it knows which element its iterator gives first. Owned by its user.
class JavaHashSet {
 public:
  void insert(int element, std::int32_t hash);
  void erase(int element);
  bool empty() const noexcept { return entries_.empty(); }
  /// Only when not empty.  Cost: O(n).
  int first() const noexcept;

 private:
  struct Entry {
    int element;
    std::uint32_t spread;
  };
  std::vector<Entry> entries_;   // as they came
  std::size_t table_size_ = 16;  // never shrinks, as Java's does not
};

}  // namespace barnabas::client
