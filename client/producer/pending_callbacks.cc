#include "client/producer/pending_callbacks.h"

namespace barnabas::client {

PendingCallbacks& PendingCallbacks::operator=(PendingCallbacks&& other) noexcept {
  if (this == &other) return *this;
  drop();
  own_room_ = std::move(other.own_room_);
  given_rooms_ = std::move(other.given_rooms_);
  ends_ = std::move(other.ends_);
  at_ = std::exchange(other.at_, nullptr);
  end_ = std::exchange(other.end_, nullptr);
  base_ms_ = other.base_ms_;
  count_ = std::exchange(other.count_, 0);
  return *this;
}

bool PendingCallbacks::begin_own_room() {
  if (own_room_) return false;
  own_room_ = std::make_unique_for_overwrite<std::byte[]>(kMostEntryBytes);
  begin_room(own_room_.get(), kMostEntryBytes);
  return true;
}

void PendingCallbacks::add_room(CallbackRoom room) {
  ends_.push_back(at_);
  given_rooms_.push_back(std::move(room));
  begin_room(given_rooms_.back().get(), kCallbackRoomBytes);
}

void PendingCallbacks::begin_room(std::byte* room, std::size_t bytes) noexcept {
  at_ = room;
  end_ = room + bytes;
}

void PendingCallbacks::add(std::int32_t index, std::int64_t timestamp_ms, DeliveryCallback&& callback) {
  if (count_++ == 0) base_ms_ = timestamp_ms;
  const DeliveryCallback::Placed how = callback.place(at_ + sizeof(Head));
  ::new (static_cast<void*>(at_)) Head{how, (timestamp_ms - base_ms_) * kMostIndex + index};
  at_ += entry_bytes(how);
}

/// Ends them without a call.
void PendingCallbacks::drop() noexcept {
  walk([](const Head& head, std::int64_t, std::byte* at) { head.how.destroy(at); });
}

void PendingCallbacks::rewind() noexcept {
  count_ = 0;
  ends_.clear();
  if (own_room_) begin_room(own_room_.get(), kMostEntryBytes);
}

}  // namespace barnabas::client
