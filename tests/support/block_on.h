#pragma once

#include <asio/associated_cancellation_slot.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "common/runtime/env.h"

namespace barnabas::runtime {
namespace detail {

/// What a coroutine threw, as a Failure: a cancelled coroutine ends by an exception inside Asio.
inline Failure failure_of_exception(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return {make_error_code(Errc::cancelled), {}};
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {make_error_code(Errc::io_error), error.what()};
  }
}

template <typename T>
struct BlockingCall {
  explicit BlockingCall(Env& env) : signal(env.make_signal()) {}
  void finish(Result<T> outcome) {
    signal->notify([this, &outcome] {
      if (!result) result.emplace(std::move(outcome));
    });
  }

  std::unique_ptr<Signal> signal;
  std::optional<Result<T>> result;  // under the signal's lock
  asio::cancellation_signal cancellation;
};

/// Notices that the reactor dropped the work: then nobody would ever finish the call.
template <typename T>
struct CallEnd {
  explicit CallEnd(std::shared_ptr<BlockingCall<T>> the_call) : call(std::move(the_call)) {}
  CallEnd(const CallEnd&) = delete;
  CallEnd& operator=(const CallEnd&) = delete;
  ~CallEnd() { call->finish(failure(Errc::closed, "the reactor was stopped")); }

  std::shared_ptr<BlockingCall<T>> call;
};

}  // namespace detail

/// Runs `work` on the reactor and blocks until it is done: the synchronous form of an asynchronous function.
/// Errors: Errc::would_deadlock on the reactor's own thread; Errc::timed_out (with `what`) at the deadline, after which
/// the work is cancelled; Errc::closed when the reactor is stopped meanwhile; else what the work returned.
/// The work's arguments must be its own: it may outlive a call that timed out.
template <typename T>
Result<T> block_on(Env& env, Reactor& reactor, asio::awaitable<Result<T>> work, MonotonicTime deadline,
                   const std::string& what = {}) {
  if (reactor.is_current_thread()) return failure(Errc::would_deadlock, what);
  auto call = std::make_shared<detail::BlockingCall<T>>(env);
  auto end = std::make_shared<detail::CallEnd<T>>(call);
  const asio::any_io_executor executor = reactor.executor();
  auto on_done = [end = std::move(end)](std::exception_ptr thrown, Result<T> outcome) {
    end->call->finish(thrown ? Result<T>(failure(detail::failure_of_exception(thrown))) : std::move(outcome));
  };
  asio::co_spawn(executor, std::move(work),
                 asio::bind_cancellation_slot(call->cancellation.slot(), std::move(on_done)));
  const bool done = call->signal->wait_until(deadline, [&call] { return call->result.has_value(); });
  if (done) return std::move(*call->result);
  asio::post(executor, [call] { call->cancellation.emit(asio::cancellation_type::terminal); });
  return failure(Errc::timed_out, what);
}

}  // namespace barnabas::runtime
