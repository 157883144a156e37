#include "client/producer/byte_budget.h"

#include <algorithm>
#include <asio/post.hpp>

namespace barnabas::client {
namespace {

constexpr std::size_t kMostKeptBuffers = 4096;  // they count against the limit too
constexpr std::size_t kMostKeptRooms = 16384;

}  // namespace

bool ByteBudget::take_locked(std::size_t bytes, Reservation& reservation) {
  if (used_bytes_ + bytes > limit_bytes_) return false;
  used_bytes_ += bytes;
  reservation.bytes = bytes;
  if (!kept_.empty()) {
    Bytes buffer = std::move(kept_.back());
    kept_.pop_back();
    kept_bytes_ -= buffer.capacity();
    if (buffer.capacity() == bytes) reservation.buffer = std::move(buffer);  // a larger one would hold more than taken
  }
  drop_kept_locked();
  return true;
}

/// What is kept must not take the room of what is used.
void ByteBudget::drop_kept_locked() {
  while (used_bytes_ + kept_bytes_ > limit_bytes_ && !kept_.empty()) {
    kept_bytes_ -= kept_.back().capacity();
    kept_.pop_back();
  }
  while (used_bytes_ + kept_bytes_ > limit_bytes_ && !kept_rooms_.empty()) {
    kept_bytes_ -= kCallbackRoomBytes;
    kept_rooms_.pop_back();
  }
}

CallbackRoom ByteBudget::try_take_room() {
  std::unique_lock lock(mutex_);
  if (closed_ || used_bytes_ + kCallbackRoomBytes > limit_bytes_) return nullptr;
  return take_room_locked(std::move(lock));
}

CallbackRoom ByteBudget::take_room_beyond_limit() {
  return take_room_locked(std::unique_lock(mutex_));
}

CallbackRoom ByteBudget::take_room_locked(std::unique_lock<std::mutex> lock) {
  used_bytes_ += kCallbackRoomBytes;
  if (!kept_rooms_.empty()) {
    CallbackRoom room = std::move(kept_rooms_.back());
    kept_rooms_.pop_back();
    kept_bytes_ -= kCallbackRoomBytes;
    return room;
  }
  drop_kept_locked();
  lock.unlock();
  return std::make_unique_for_overwrite<std::byte[]>(kCallbackRoomBytes);
}

void ByteBudget::give_back_rooms(std::vector<CallbackRoom>& rooms) {
  if (rooms.empty()) return;
  const std::lock_guard lock(mutex_);
  used_bytes_ -= rooms.size() * kCallbackRoomBytes;
  for (CallbackRoom& room : rooms) {
    if (kept_rooms_.size() >= kMostKeptRooms || used_bytes_ + kept_bytes_ + kCallbackRoomBytes > limit_bytes_) break;
    kept_bytes_ += kCallbackRoomBytes;
    kept_rooms_.push_back(std::move(room));
  }
  rooms.clear();
  if (is_worth_a_wake()) grant_locked();
}

std::optional<Reservation> ByteBudget::try_take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::optional<Reservation> reservation(std::in_place);
  if (closed_ || !waiters_.empty() || !take_locked(bytes, *reservation)) reservation.reset();
  return reservation;
}

std::optional<ByteBudget::Waiters::iterator> ByteBudget::enqueue(std::size_t bytes, InlineFunction<void(), 48> wake,
                                                                 Result<Reservation>& result) {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    result = failure(Errc::closed, "the producer is closed");
    return std::nullopt;
  }
  if (waiters_.empty() && take_locked(bytes, *result)) return std::nullopt;
  if (spare_.empty()) spare_.emplace_back();
  const auto waiter = spare_.begin();
  *waiter = Waiter{};
  waiter->bytes = bytes;
  waiter->wake = std::move(wake);
  waiters_.splice(waiters_.end(), spare_, waiter);
  return waiter;
}

/// Takes the waiter off the list; what it got meanwhile is its.
Result<Reservation> ByteBudget::settle(Waiters::iterator waiter) {
  const std::lock_guard lock(mutex_);
  bool granted = waiter->granted;
  const bool closed = waiter->closed;
  // At the deadline any room will do.
  if (!granted && !closed) granted = take_locked(waiter->bytes, waiter->reservation);
  Reservation reservation = std::move(waiter->reservation);
  waiter->wake = nullptr;
  spare_.splice(spare_.begin(), waiters_, waiter);
  grant_locked();  // the next one may need less
  if (granted) return reservation;
  if (closed) return failure(Errc::closed, "the producer is closed");
  return failure(Errc::timed_out, "no room in buffer.memory of " + std::to_string(limit_bytes_) +
                                      " bytes within max.block.ms; brokers take less than is sent");
}

void ByteBudget::grant_locked() {
  for (Waiter& waiter : waiters_) {
    if (waiter.granted || waiter.closed) continue;
    if (!take_locked(waiter.bytes, waiter.reservation)) return;
    waiter.granted = true;
    wake_locked(waiter);
  }
}

void ByteBudget::wake_locked(Waiter& waiter) {
  if (waiter.wake) return waiter.wake();
  changed_->notify([&waiter] { waiter.woken = true; });
}

Result<Reservation> ByteBudget::take(std::size_t bytes, runtime::MonotonicTime deadline) {
  Result<Reservation> result;
  const auto waiter = enqueue(bytes, nullptr, result);
  if (!waiter) return result;
  const Waiter& mine = **waiter;
  changed_->wait_until(deadline, [&mine] { return mine.woken; });
  return settle(*waiter);
}

asio::awaitable<Result<Reservation>> ByteBudget::async_take(std::size_t bytes, runtime::MonotonicTime deadline) {
  Result<Reservation> result;
  const std::shared_ptr<Gate> gate = runtime_->make_gate();
  const asio::any_io_executor& executor = runtime_->executor();
  const auto open = [gate] { gate->open(); };
  const auto wake = [gate, open, &executor] { asio::post(executor, open); };
  const auto waiter = enqueue(bytes, wake, result);
  if (!waiter) co_return result;
  co_await gate->wait(deadline);
  co_return settle(*waiter);
}

void ByteBudget::give_back(std::size_t bytes, Bytes buffer) {
  const std::lock_guard lock(mutex_);
  used_bytes_ -= bytes;
  keep_locked(std::move(buffer));
  if (is_worth_a_wake()) grant_locked();
}

/// A thread that is woken for one batch's room fills it and sleeps again: two switches of context a batch. What is in
/// use comes back sooner or later, so nobody waits for ever.
bool ByteBudget::is_worth_a_wake() const {
  constexpr std::size_t kPart = 8;
  if (waiters_.empty()) return false;
  return used_bytes_ == 0 || limit_bytes_ - used_bytes_ >= std::max(waiters_.front().bytes, limit_bytes_ / kPart);
}

void ByteBudget::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (Waiter& waiter : waiters_) {
    if (waiter.granted || waiter.closed) continue;
    waiter.closed = true;
    wake_locked(waiter);
  }
}

void ByteBudget::keep_locked(Bytes buffer) {
  const std::size_t capacity = buffer.capacity();
  if (capacity == 0 || kept_.size() >= kMostKeptBuffers) return;
  if (used_bytes_ + kept_bytes_ + capacity > limit_bytes_) return;
  kept_bytes_ += capacity;
  kept_.push_back(std::move(buffer));
}

std::size_t ByteBudget::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

}  // namespace barnabas::client
