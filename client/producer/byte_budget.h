#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>

#include "barnabas/inline_function.h"
#include "client/core/client_runtime.h"
#include "client/producer/pending_callbacks.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// Bytes of the budget that were taken, and, where one was kept, a buffer for them.
struct Reservation {
  std::size_t bytes = 0;
  Bytes buffer;
};

/// buffer.memory: the bytes that all batches of a producer and their callbacks may hold, given out in the order of
/// asking. Who waits is woken when there is room for a while, not for each batch that comes back. Buffers that come
/// back are kept for the next batch, within the same bound; the last one first, which the CPU's caches may hold still.
/// Threads: any.  Source: Kafka's BufferPool.
class ByteBudget {
 public:
  ByteBudget(std::shared_ptr<ClientRuntime> runtime, std::size_t limit_bytes)
      : runtime_(std::move(runtime)), limit_bytes_(limit_bytes), changed_(runtime_->env().make_signal()) {}

  /// At once, or not at all: nobody who waits is passed by.
  std::optional<Reservation> try_take(std::size_t bytes);
  /// Blocks until the bytes are there. Errors: Errc::timed_out at the deadline, Errc::closed after close().
  Result<Reservation> take(std::size_t bytes, runtime::MonotonicTime deadline);
  /// The same for a coroutine on the runtime's executor.
  asio::awaitable<Result<Reservation>> async_take(std::size_t bytes, runtime::MonotonicTime deadline);
  /// `buffer` is what held them: kept for the next batch where there is room.
  void give_back(std::size_t bytes, Bytes buffer = {});
  /// Room for callbacks of a batch that is being filled, which need not queue for it; null where there is none.
  CallbackRoom try_take_room();
  /// Of a batch whose callbacks move to another one, and which ends then.
  CallbackRoom take_room_beyond_limit();
  /// Takes them all.
  void give_back_rooms(std::vector<CallbackRoom>& rooms);
  /// Ends all waits, those to come too.
  void close();

  std::size_t limit_bytes() const noexcept { return limit_bytes_; }
  std::size_t used_bytes() const;

 private:
  struct Waiter {
    std::size_t bytes = 0;  ///< Wanted.
    Reservation reservation;
    bool granted = false;
    bool closed = false;
    bool woken = false;  // changed_'s lock
    InlineFunction<void(), 48> wake;
  };
  using Waiters = std::list<Waiter>;

  bool take_locked(std::size_t bytes, Reservation& reservation);
  void keep_locked(Bytes buffer);
  void drop_kept_locked();
  CallbackRoom take_room_locked(std::unique_lock<std::mutex> lock);
  /// nullopt: taken or closed at once, as the result says. `wake` empty: the waiter waits for changed_.
  std::optional<Waiters::iterator> enqueue(std::size_t bytes, InlineFunction<void(), 48> wake,
                                           Result<Reservation>& result);
  Result<Reservation> settle(Waiters::iterator waiter);
  void grant_locked();
  bool is_worth_a_wake() const;
  void wake_locked(Waiter& waiter);

  std::shared_ptr<ClientRuntime> runtime_;
  const std::size_t limit_bytes_;
  const std::unique_ptr<runtime::Signal> changed_;
  mutable std::mutex mutex_;              // leaf lock
  std::size_t used_bytes_ = 0;            // mutex_
  std::size_t kept_bytes_ = 0;            // mutex_; capacity of kept_, and kept_rooms_
  std::vector<Bytes> kept_;               // mutex_
  std::vector<CallbackRoom> kept_rooms_;  // mutex_
  Waiters waiters_;                       // mutex_; first come, first served
  Waiters spare_;                         // mutex_; so that a blocked send does not allocate
  bool closed_ = false;                   // mutex_
};

}  // namespace barnabas::client
