#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/core/request_router.h"

namespace barnabas::client {

/// Which broker coordinates a group, and the connections to it. Requests of the membership go over a connection of
/// their own, on which a join waits for the other members; commits and the like go over the broker's main one. Threads:
/// the executor's only. Held by the coroutines that await it.
class CoordinatorLink : public std::enable_shared_from_this<CoordinatorLink> {
 public:
  CoordinatorLink(std::shared_ptr<RequestRouter> router, std::string group_id)
      : router_(std::move(router)), group_id_(std::move(group_id)) {}

  std::optional<std::int32_t> broker() const noexcept { return broker_; }
  const std::string& last_error() const noexcept { return last_error_; }

  /// Asks any broker once, or joins who asks already.
  /// Errors: COORDINATOR_NOT_AVAILABLE and the like may pass; GROUP_AUTHORIZATION_FAILED, INVALID_GROUP_ID do not.
  asio::awaitable<Result<void>> find(runtime::MonotonicTime deadline);
  /// A connection to the coordinator, which is looked for with back-off until the deadline. A broker that cannot be
  /// reached is forgotten.
  asio::awaitable<Result<ConnectionPtr>> connect(Channel channel, runtime::MonotonicTime deadline);
  /// It does not answer, or says that it is not the coordinator (any more): the next request looks for it anew.
  void forget(std::int32_t broker, std::string why);
  /// Where a failure or an answer says that.
  void forget_if_lost(std::int32_t broker, const Failure& why);

 private:
  asio::awaitable<Result<void>> ask(runtime::MonotonicTime deadline);

  const std::shared_ptr<RequestRouter> router_;
  const std::string group_id_;
  std::optional<std::int32_t> broker_;
  std::shared_ptr<Gate> asking_;
  Failure asked_;  // of the last question; no code where it was answered
  std::string last_error_;
};

}  // namespace barnabas::client
