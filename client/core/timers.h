#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "barnabas/inline_function.h"
#include "common/runtime/env.h"

namespace barnabas::client {

class Timers;

/// Something that holds coroutines or callbacks until the executor runs them. Threads: the executor's.
class Abandonable {
 public:
  Abandonable() = default;
  Abandonable(const Abandonable&) = delete;
  Abandonable& operator=(const Abandonable&) = delete;
  /// Destroys them, and unlinks itself; see Timers::abandon().
  virtual void abandon() = 0;

 protected:
  virtual ~Abandonable() = default;
  /// From now on there is something to abandon, until unlink(), at the latest in the destructor. Both may be called
  /// twice.
  void link(Timers& timers);
  void unlink() noexcept;

 private:
  Abandonable* next_ = nullptr;  // in Timers::waiting_
  Abandonable** linked_at_ = nullptr;
};

/// All deadlines of the clients of one executor, behind one alarm: adding and removing one costs no allocation once
/// as many were there before, and no system call. Threads: the executor's only.
class Timers : public std::enable_shared_from_this<Timers> {
 public:
  using Action = InlineFunction<void(), 48>;
  /// Names one timer; a default one names none.
  struct Id {
    runtime::MonotonicTime deadline{};
    std::uint64_t number = 0;
    auto operator<=>(const Id&) const = default;
  };

  Timers(runtime::Env& env, asio::any_io_executor executor);

  /// Runs `action` on the executor once `deadline` has passed. A deadline of max() never does.
  Id add(runtime::MonotonicTime deadline, Action action);
  /// Does nothing where it ran already.
  void cancel(const Id& id);
  /// Ends the alarm if nothing is left to wait for: a client that goes must not keep the user's executor at work until
  /// its last deadline would have come. (Not done by each cancel(): the next request needs the alarm again.)
  void end_if_idle();
  /// Drops all timers and ends the alarm; no more can be added.
  void stop();

  /// The executor will never run again: drops the timers, the coroutines that wait at gates and the callbacks that wait
  /// for answers. (Such a coroutine keeps its client alive, and the client the gate that keeps the coroutine.)
  void abandon();

 private:
  friend class Abandonable;
  using Pending = std::map<Id, Action>;
  static asio::awaitable<void> run(std::shared_ptr<Timers> self);
  void keep(Pending::node_type node);
  void run_due();

  runtime::Env& env_;
  asio::any_io_executor executor_;
  std::unique_ptr<runtime::Alarm> alarm_;
  Pending pending_;
  std::vector<Pending::node_type> spare_;  ///< Of timers that are gone, so that the next ones do not allocate.
  Abandonable* waiting_ = nullptr;         ///< The first of those that are linked; they keep the list themselves.
  std::uint64_t last_number_ = 0;
  runtime::MonotonicTime armed_ = runtime::MonotonicTime::max();  ///< What the alarm waits for, while running_.
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace barnabas::client
