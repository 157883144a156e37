#include "client/core/coordinator_link.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/core/errors.h"
#include "common/protocol/messages/find_coordinator.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;

constexpr std::int8_t kGroupKey = 0;
constexpr std::int16_t kFirstBatchedVersion = 4;
/// A coordinator that cannot be reached for so long may have moved: then it is looked for anew.
constexpr std::chrono::seconds kConnectPatience{2};

}  // namespace

asio::awaitable<Result<void>> CoordinatorLink::ask(runtime::MonotonicTime deadline) {
  const auto opened = co_await router_->connection_to_any(deadline);
  if (!opened) co_return failure(opened.error());
  const ConnectionPtr connection = *opened;
  const auto version = connection->version_for(protocol::ApiKey::find_coordinator);
  if (!version) co_return failure(version.error());
  protocol::FindCoordinatorRequest request;
  request.key_type = kGroupKey;
  if (*version >= kFirstBatchedVersion) {
    request.coordinator_keys.push_back(group_id_);
  } else {
    request.key = group_id_;
  }
  const auto until = router_->within_request_timeout(deadline);
  const auto reply = co_await connection->call<protocol::FindCoordinatorResponse>(std::move(request), until);
  if (!reply) co_return failure(reply.error());
  const auto& body = reply->body;
  const std::string subject = fmt::format("the coordinator of group '{}', by {}", group_id_, connection->name());
  if (reply->version >= kFirstBatchedVersion && body.coordinators.size() != 1) {
    co_return failure(Errc::corrupt_data, subject + ": not one answer to one question");
  }
  const bool batched = reply->version >= kFirstBatchedVersion;
  const std::int16_t error = batched ? body.coordinators.front().error_code : body.error_code;
  const std::int32_t node = batched ? body.coordinators.front().node_id : body.node_id;
  if (error != 0) co_return failure(broker_failure(error, subject));
  if (node < 0) co_return failure(broker_failure(protocol::code_of(ErrorCode::coordinator_not_available), subject));
  broker_ = node;
  co_return Result<void>{};
}

asio::awaitable<Result<void>> CoordinatorLink::find(runtime::MonotonicTime deadline) {
  const auto self = shared_from_this();
  if (broker_) co_return Result<void>{};
  if (const auto gate = asking_) {
    const GateResult waited = co_await gate->wait(deadline);
    if (waited == GateResult::timed_out) co_return failure(Errc::timed_out, "broker not asked: " + last_error_);
    if (waited == GateResult::cancelled) co_return failure(Errc::cancelled);
    if (asked_.code) co_return failure(asked_);
    co_return Result<void>{};
  }
  asking_ = router_->runtime().make_gate();
  const auto found = co_await ask(deadline);
  asked_ = found ? Failure{} : found.error();
  if (!found) last_error_ = found.error().message();
  if (found) router_->logger().debug("broker {} coordinates group '{}'", *broker_, group_id_);
  const auto gate = std::exchange(asking_, nullptr);
  gate->open();
  co_return found;
}

asio::awaitable<Result<ConnectionPtr>> CoordinatorLink::connect(Channel channel, runtime::MonotonicTime deadline) {
  const auto self = shared_from_this();
  Backoff backoff(router_->config().retry_backoff, router_->config().retry_backoff_max, router_->runtime().random());
  int attempts = 0;
  Failure last;
  for (;;) {
    ++attempts;
    const auto found = co_await find(deadline);
    if (found && broker_) {
      const std::int32_t broker = *broker_;
      const auto patience = std::min(deadline, router_->deadline_in(kConnectPatience));
      auto connection = co_await router_->connection_to(broker, channel, patience);
      if (connection) co_return connection;
      last = connection.error();
      forget(broker, last.message());
    } else if (!found) {
      last = found.error();
    }
    const bool may_pass =
        is_retriable(last) || last.code == Errc::not_found || last.code == ErrorCode::unknown_server_error;
    if (last.code && !may_pass) co_return failure(last);
    const auto next = router_->runtime().now() + backoff.next();
    if (next >= deadline) {
      co_return failure(Errc::timed_out,
                        fmt::format("no connection to the broker that coordinates group '{}' after {} attempts; the "
                                    "last cause: {}",
                                    group_id_, attempts, last.message()));
    }
    const auto slept = co_await router_->sleep_until(next);
    if (!slept) co_return failure(slept.error());
  }
}

void CoordinatorLink::forget(std::int32_t broker, std::string why) {
  last_error_ = std::move(why);
  if (broker_ == broker) broker_.reset();
}

void CoordinatorLink::forget_if_lost(std::int32_t broker, const Failure& why) {
  const bool is_lost = why.code == ErrorCode::coordinator_not_available || why.code == ErrorCode::not_coordinator ||
                       why.code == ErrorCode::request_timed_out || why.code == Errc::timed_out ||
                       why.code == Errc::disconnected || why.code == Errc::closed || why.code == Errc::corrupt_data;
  if (is_lost) forget(broker, why.message());
}

}  // namespace barnabas::client
