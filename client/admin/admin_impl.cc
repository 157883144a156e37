#include "client/admin/admin_impl.h"

#include "client/core/errors.h"

namespace barnabas::client {
namespace {

constexpr std::chrono::seconds kCloseTimeout{5};

}  // namespace

AdminImpl::AdminImpl(std::shared_ptr<ClientRuntime> runtime, AdminConfig config, runtime::Logger logger)
    : runtime_(std::move(runtime)), config_(std::move(config)) {
  RequestRouter::Options options;
  options.config = config_.client;
  options.metadata.max_age = config_.client.metadata_max_age;
  router_ = RequestRouter::make(runtime_, std::move(options), std::move(logger));
}

AdminImpl::~AdminImpl() {
  close();
}

runtime::MonotonicTime AdminImpl::deadline_in(AdminTimeout timeout) const {
  return router_->deadline_in(timeout.value_or(config_.default_api_timeout));
}

void AdminImpl::close() {
  if (closed_.exchange(true)) return;
  if (runtime_->is_current_thread()) {  // a callback destroys its own client: nobody to wait for
    runtime_->spawn(router_->shutdown());
    return;
  }
  static_cast<void>(runtime_->wait(router_->shutdown(), runtime_->now() + kCloseTimeout));
}

ItemError item_error(std::int16_t code, const std::string& subject, const std::optional<std::string>& message) {
  if (code == 0) return {};
  const auto known = static_cast<protocol::ErrorCode>(code);
  const bool has_words = message && !message->empty();
  return {make_error_code(known), subject + ": " + (has_words ? *message : std::string(protocol::message_of(known)))};
}

bool is_worth_retrying(std::int16_t code) noexcept {
  using protocol::ErrorCode;
  switch (static_cast<ErrorCode>(code)) {
    case ErrorCode::not_controller:
    case ErrorCode::leader_not_available:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::offset_not_available:
    case ErrorCode::replica_not_available:
    case ErrorCode::kafka_storage_error:
    case ErrorCode::throttling_quota_exceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace barnabas::client
