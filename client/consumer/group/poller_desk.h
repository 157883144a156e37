#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include "common/bytes/result.h"

namespace barnabas::client {

/// Where the group's coroutines on the reactor meet whoever calls poll: partitions come and go only while a poll is
/// under way (all that earlier ones returned was worked on), and the user's functions run in the thread that polls.
/// A turn is the time in which that happens: poll grants it, and returns no record until it has ended.
/// Threads: all functions from any.  Cost: one atomic read per poll while there is nothing to do.
class PollerDesk {
 public:
  using Call = std::function<void()>;  ///< Throws nothing.
  /// What poll finds.
  struct Duty {
    std::vector<Call> calls;         ///< To be made now, in order.
    std::optional<Failure> failure;  ///< To be reported now.
    bool in_turn = false;            ///< Nothing may be returned yet.
  };

  // ---- the side of the reactor
  /// `granted` is called once, from the poller's thread.
  void want_turn(std::function<void()> granted);
  void end_turn();
  void put_call(Call call);
  void report(Failure why);
  /// Reported by each poll from now on; none: no more.
  void set_fatal(std::optional<Failure> why);
  /// Drops what waits to be called.
  void drop_calls();

  // ---- the side of poll
  bool is_needed() const noexcept { return needed_.load(std::memory_order_acquire); }
  /// Grants the turn that is wanted.
  Duty take();
  /// For close() and unsubscribe(), which grant no turn: calls only.
  std::vector<Call> take_calls();
  /// For close() and unsubscribe(): the failures of one kind that no poll has reported.
  std::vector<Failure> take_failures(std::error_code kind);

 private:
  enum class Turn { none, wanted, granted };
  void update();

  std::atomic<bool> needed_{false};
  std::mutex mutex_;
  Turn turn_ = Turn::none;
  std::function<void()> granted_;
  std::vector<Call> calls_;
  std::deque<Failure> failures_;
  std::optional<Failure> fatal_;
};

}  // namespace barnabas::client
