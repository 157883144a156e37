#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "client/admin/admin_impl.h"
#include "client/core/errors.h"

namespace barnabas::client {

/// Whom a request is for.
struct Target {
  enum class Kind { any, controller, broker } kind = Kind::any;
  std::int32_t broker_id = -1;
};

inline asio::awaitable<Result<ConnectionPtr>> connect_to(AdminPtr admin, Target target,
                                                         runtime::MonotonicTime deadline) {
  RequestRouter& router = admin->router();
  if (target.kind == Target::Kind::broker)
    co_return co_await router.connection_to(target.broker_id, Channel::main, deadline);
  if (target.kind == Target::Kind::controller) co_return co_await router.connection_to_controller(deadline);
  co_return co_await router.connection_to_any(deadline);
}

/// What a call that ran out of time or retries says; the caller adds "timed out".
inline std::string exhausted(const std::string& name, int attempts, const Failure& last) {
  const std::string why = last.code == Errc::timed_out ? last.subject : last.message();
  if (attempts == 1) return name + ": " + why;
  return name + " failed after " + std::to_string(attempts) + " attempts, last: " + why;
}

/// One request, repeated after lost connections and late answers until the deadline. `build` makes it for the version
/// agreed on. Errors: Errc::timed_out says how often it was tried and why the last attempt failed; what no retry can
/// change comes at once.
template <typename Response, typename Request>
asio::awaitable<Result<Reply<Response>>> ask(AdminPtr admin, Target target, std::function<Request(std::int16_t)> build,
                                             runtime::MonotonicTime deadline) {
  Backoff backoff = admin->backoff();
  const std::string name(protocol::to_string(Request::kApiKey));
  for (int attempts = 1;; ++attempts) {
    Failure why;
    const auto connection = co_await connect_to(admin, target, deadline);
    if (connection) {
      const ConnectionPtr to = *connection;
      const auto version = to->version_for(Request::kApiKey);
      if (!version) co_return failure(version.error());
      Request request = build(*version);
      auto reply =
          co_await to->template call<Response>(std::move(request), admin->router().within_request_timeout(deadline));
      if (reply) co_return reply;
      why = reply.error();
    } else {
      why = connection.error();
    }
    if (!is_retriable(why)) co_return failure(std::move(why));
    const auto next = admin->runtime()->now() + backoff.next();
    if (next >= deadline || attempts > admin->config().retries) {
      co_return failure(Errc::timed_out, exhausted(name, attempts, why));
    }
    const auto slept = co_await admin->router().sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
}

}  // namespace barnabas::client
