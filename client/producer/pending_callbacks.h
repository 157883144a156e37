#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "barnabas/delivery.h"

namespace barnabas::client {

/// Memory for callbacks beside a batch, all of one size: any batch can use what another one left.
using CallbackRoom = std::unique_ptr<std::byte[]>;
constexpr std::size_t kCallbackRoomBytes = 4096;

/// The callbacks of a batch's records, in the order of the records, each in as much memory as its captures take and 16
/// bytes. The first has memory of the list's own; that for more comes from outside, room by room.
/// Threads: as the batch.
class PendingCallbacks {
 public:
  /// A callback that is still where it waited.
  class Waiting {
   public:
    void operator()(const Delivery& delivery) const { how_(at_, delivery); }

   private:
    friend class PendingCallbacks;
    Waiting(DeliveryCallback::Placed how, void* at) noexcept : how_(how), at_(at) {}
    DeliveryCallback::Placed how_;
    void* at_;
  };

  PendingCallbacks() = default;
  PendingCallbacks(PendingCallbacks&& other) noexcept { *this = std::move(other); }
  PendingCallbacks& operator=(PendingCallbacks&& other) noexcept;
  ~PendingCallbacks() { drop(); }

  bool empty() const noexcept { return count_ == 0; }
  /// Whether the record may have its callback here: number and time must not be too far from the first one's.
  bool is_near(std::int32_t index, std::int64_t timestamp_ms) const noexcept {
    const auto later_ms = static_cast<std::uint64_t>(timestamp_ms) - static_cast<std::uint64_t>(base_ms_);
    return index < kMostIndex && (count_ == 0 || later_ms + kMostLaterMs < 2 * kMostLaterMs);
  }
  /// Whether there is room for one more, whatever its size. Not: add_room().
  bool has_room() { return end_ - at_ >= kMostEntryBytes || begin_own_room(); }
  void add_room(CallbackRoom room);
  /// There must be room, and the record be near.
  void add(std::int32_t index, std::int64_t timestamp_ms, DeliveryCallback&& callback);

  /// visit(index, timestamp_ms, const Waiting&) of each in turn, which is gone then.
  template <typename Visit>
  void run_all(Visit visit) {
    walk([&visit](const Head& head, std::int64_t timestamp_ms, std::byte* at) {
      visit(head.index(), timestamp_ms, Waiting(head.how, at));
      head.how.destroy(at);
    });
  }
  /// visit(index, timestamp_ms, DeliveryCallback&&) of each in turn.
  template <typename Visit>
  void take_all(Visit visit) {
    walk([&visit](const Head& head, std::int64_t timestamp_ms, std::byte* at) {
      visit(head.index(), timestamp_ms, DeliveryCallback(head.how, at));
    });
  }
  /// Of an empty list: the rooms that it was given.
  std::vector<CallbackRoom>& given_rooms() noexcept { return given_rooms_; }

 private:
  static constexpr int kIndexBits = 22;
  static constexpr std::int32_t kMostIndex = std::int32_t{1} << kIndexBits;
  static constexpr std::uint64_t kMostLaterMs = std::uint64_t{1} << (63 - kIndexBits);  // 69 years

  struct Head {
    DeliveryCallback::Placed how;
    std::int64_t place;  // time behind the first one's, and below it the index
    std::int32_t index() const noexcept { return static_cast<std::int32_t>(place & (kMostIndex - 1)); }
    std::int64_t later_ms() const noexcept { return place >> kIndexBits; }
  };
  static constexpr std::ptrdiff_t kMostEntryBytes = sizeof(Head) + kDeliveryCallbackBytes;

  static std::size_t entry_bytes(DeliveryCallback::Placed how) noexcept {
    constexpr std::size_t kStep = alignof(std::max_align_t);
    return sizeof(Head) + (how.bytes() + kStep - 1) / kStep * kStep;
  }
  bool begin_own_room();
  void begin_room(std::byte* room, std::size_t bytes) noexcept;
  void drop() noexcept;
  void rewind() noexcept;
  /// visit(head, timestamp_ms, where the callable is), which moves or destroys it.
  template <typename Visit>
  void walk(Visit visit) {
    if (count_ == 0) return;
    for (std::size_t room = 0; room <= ends_.size(); ++room) {
      std::byte* at = room == 0 ? own_room_.get() : given_rooms_[room - 1].get();
      std::byte* const end = room < ends_.size() ? ends_[room] : at_;
      while (at != end) {
        const Head head = *std::launder(reinterpret_cast<const Head*>(at));
        visit(head, base_ms_ + head.later_ms(), at + sizeof(Head));
        at += entry_bytes(head.how);
      }
    }
    rewind();
  }

  CallbackRoom own_room_;
  std::vector<CallbackRoom> given_rooms_;
  std::vector<std::byte*> ends_;  // of what is used in the rooms before the last
  std::byte* at_ = nullptr;       // in the last room
  std::byte* end_ = nullptr;
  std::int64_t base_ms_ = 0;  // the first one's time
  std::int32_t count_ = 0;
};

}  // namespace barnabas::client
