#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "client/admin/admin_call.h"
#include "client/core/coordinator_link.h"

namespace barnabas::client {

/// What a group's coordinator answered, and which broker that is.
template <typename Response>
struct CoordinatorReply {
  Response body;
  std::int16_t version = 0;
  std::int32_t coordinator_id = -1;
};

/// One request to the broker that coordinates a group, repeated until the deadline while it moves, loads, or cannot be
/// reached. `error_of` finds the group's own error in the answer: what may pass of it is tried again, all else is the
/// caller's.
template <typename Response, typename Request>
asio::awaitable<Result<CoordinatorReply<Response>>> ask_coordinator(
    AdminPtr admin, std::string group_id, std::function<Request(std::int16_t)> build,
    std::function<std::int16_t(const Response&)> error_of, runtime::MonotonicTime deadline,
    VersionRange versions = client_versions(Request::kApiKey)) {
  const auto link = std::make_shared<CoordinatorLink>(admin->router().shared_from_this(), group_id);
  Backoff backoff = admin->backoff();
  const std::string name(protocol::to_string(Request::kApiKey));
  for (int attempts = 1;; ++attempts) {
    const auto connection = co_await link->connect(Channel::main, deadline);
    if (!connection) co_return failure(connection.error());
    const ConnectionPtr to = *connection;
    const auto version = to->version_for(Request::kApiKey, versions);
    if (!version) co_return failure(version.error());
    Request request = build(*version);
    CallOptions options;
    options.versions = versions;
    const auto until = admin->router().within_request_timeout(deadline);
    auto reply = co_await to->template call<Response>(std::move(request), until, std::move(options));
    Failure why = reply ? broker_failure(error_of(reply->body), "group '" + group_id + "'") : reply.error();
    if (reply && !is_retriable(why)) {
      co_return CoordinatorReply<Response>{std::move(reply->body), reply->version, link->broker().value_or(-1)};
    }
    if (!is_retriable(why)) co_return failure(std::move(why));
    if (link->broker()) link->forget_if_lost(*link->broker(), why);
    const auto next = admin->runtime()->now() + backoff.next();
    if (next >= deadline || attempts > admin->config().retries) {
      co_return failure(Errc::timed_out, exhausted(name, attempts, why));
    }
    const auto slept = co_await admin->router().sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
}

}  // namespace barnabas::client
