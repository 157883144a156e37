#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace barnabas::client {

/// Which of a partition's records that were handed out are finished, in whatever order that happens; knows the lowest
/// that is not, below which everything may be committed. Cost: O(1) a record, amortised. Threads: one at a time.
class UnfinishedOffsets {
 public:
  /// `offset` is larger than all before it. Returns the number that finish() takes.
  std::uint64_t add(std::int64_t offset, std::int32_t leader_epoch);
  void finish(std::uint64_t number);

  /// Records from the lowest unfinished one on: those behind it count until it is finished, finished or not.
  std::size_t size() const noexcept { return slots_.size(); }

  struct Mark {
    std::int64_t offset = -1;  ///< Of the next record to process, as commits have it.
    std::int32_t leader_epoch = -1;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  /// Where to resume; none while the first record is unfinished.
  const std::optional<Mark>& mark() const noexcept { return mark_; }

 private:
  struct Slot {
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    bool finished = false;
  };

  std::deque<Slot> slots_;
  std::uint64_t first_number_ = 0;
  std::optional<Mark> mark_;
};

}  // namespace barnabas::client
