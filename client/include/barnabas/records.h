#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/export.h"
#include "barnabas/record.h"

namespace barnabas {
inline namespace v0 {

/// A run of records of one batch, still encoded: what Records are made of. Made by the library, whose fetcher has
/// checked every length in it before.
struct RecordRun {
  std::shared_ptr<const void> owner;  ///< Keeps the fetched (or decompressed) bytes, and the budget they count against.
  std::shared_ptr<const std::string> topic;
  std::int32_t partition = 0;
  std::int32_t leader_epoch = -1;
  std::int64_t base_offset = 0;
  std::int64_t base_timestamp_ms = 0;  ///< With log_append_time: the time of all records.
  TimestampType timestamp_type = TimestampType::create_time;
  const std::byte* first = nullptr;  ///< The first record's length.
  std::size_t count = 0;
};

/// What poll returns: a range of RecordView that keeps the fetched batches alive. Copies share them; iterators belong
/// to the copy they came from. The views die with the last copy, and the bytes count against the consumer's memory
/// budget until then. `for (const barnabas::RecordView& record : consumer.poll(100ms)) ...` (the range lives until the
/// loop ends). Threads: read-only, any.  Cost: a record is decoded as the iterator reaches it; nothing is copied or
/// allocated for it.
class BARNABAS_API Records {
 public:
  class BARNABAS_API Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = RecordView;
    using difference_type = std::ptrdiff_t;
    using pointer = const RecordView*;
    using reference = const RecordView&;

    Iterator() = default;
    reference operator*() const noexcept { return current_; }
    pointer operator->() const noexcept { return &current_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    void operator++(int) { advance(); }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.run_ == b.run_ && a.left_ == b.left_;
    }

   private:
    friend class Records;
    Iterator(const RecordRun* run, const RecordRun* end);
    void advance();
    void enter_run();
    void decode();

    const RecordRun* run_ = nullptr;
    const RecordRun* end_ = nullptr;
    const std::byte* at_ = nullptr;
    std::size_t left_ = 0;
    RecordView current_;
  };

  Records() = default;
  /// Takes the runs and leaves the vector its memory, to be used again. Cost: allocates for more than kRunsInPlace
  /// runs.
  explicit Records(std::vector<RecordRun>&& runs);
  Records(const Records&) = default;
  Records& operator=(const Records&) = default;
  Records(Records&& other) noexcept { *this = std::move(other); }
  Records& operator=(Records&& other) noexcept {
    runs_ = std::move(other.runs_);
    run_count_ = std::exchange(other.run_count_, 0);
    more_runs_ = std::move(other.more_runs_);
    count_ = std::exchange(other.count_, 0);
    return *this;
  }
  ~Records() = default;

  Iterator begin() const { return {runs().data(), runs().data() + runs().size()}; }
  Iterator end() const { return {runs().data() + runs().size(), runs().data() + runs().size()}; }
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  /// All as records with bytes of their own.
  std::vector<OwnedRecord> to_owned() const;
  /// The runs, in the order of iteration.
  std::span<const RecordRun> runs() const noexcept {
    return more_runs_.empty() ? std::span(runs_).first(run_count_) : std::span<const RecordRun>(more_runs_);
  }

 private:
  static constexpr std::size_t kRunsInPlace = 2;  // with large batches, few polls meet more

  std::array<RecordRun, kRunsInPlace> runs_;
  std::size_t run_count_ = 0;         // of runs_
  std::vector<RecordRun> more_runs_;  // all of them, where they are more
  std::size_t count_ = 0;
};

}  // namespace v0
}  // namespace barnabas
