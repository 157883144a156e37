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

/// A HashMap or HashSet of default size, as far as its order is concerned. Elements are the caller's numbers, each in
/// it once.
class JavaHashOrder {
 public:
  /// HashMap.put and HashSet.add of a key that is not there yet.
  void put(int element, std::int32_t hash);
  /// HashMap.computeIfAbsent, which puts a new key in front of its bucket's others, and grows the table at the next
  /// call.
  void compute_if_absent(int element, std::int32_t hash, bool is_absent);
  void erase(int element);
  bool empty() const noexcept { return entries_.empty(); }
  /// What an iterator gives first; only when not empty.  Cost: O(n).
  int first() const noexcept;
  /// What it gives from first to last.  Cost: O(n log n).
  std::vector<int> all() const;

 private:
  struct Entry {
    int element;
    std::uint32_t spread;
    int place;  // within its bucket, against others there
  };
  bool comes_before(const Entry& a, const Entry& b) const noexcept;
  void grow_beyond(std::size_t count);

  std::vector<Entry> entries_;
  std::size_t table_size_ = 16;  // never shrinks, as Java's does not
  int front_ = 0;
  int back_ = 0;
};

}  // namespace barnabas::client
