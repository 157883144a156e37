#include "client/core/errors.h"

#include <utility>

#include "barnabas/config.h"
#include "common/runtime/properties.h"

namespace barnabas {
inline namespace v0 {

const std::error_category& kafka_category() noexcept {
  return protocol::kafka_category();
}

std::error_code kafka_error(int number) noexcept {
  return {number, protocol::kafka_category()};
}

bool is_retriable(const std::error_code& code) noexcept {
  if (code.category() == protocol::kafka_category()) {
    return protocol::is_retriable(static_cast<protocol::ErrorCode>(code.value()));
  }
  return code == Errc::timed_out || code == Errc::disconnected || code == Errc::buffer_full || code == Errc::woken_up;
}

bool is_fatal(const std::error_code& code) noexcept {
  using protocol::ErrorCode;
  return code == Errc::closed || code == ErrorCode::invalid_producer_epoch || code == ErrorCode::producer_fenced ||
         code == ErrorCode::fenced_instance_id || code == ErrorCode::cluster_authorization_failed ||
         code == ErrorCode::transactional_id_authorization_failed || code == ErrorCode::unsupported_for_message_format;
}

bool requires_abort(const std::error_code& code) noexcept {
  return code == protocol::ErrorCode::transaction_abortable;
}

Error::Error(std::error_code code, std::string context)
    : std::system_error(code, context.empty() ? "barnabas" : context), context_(std::move(context)) {}

Error::~Error() = default;

SendBatchError::SendBatchError(std::error_code code, std::string context, std::size_t taken)
    : Error(code, std::move(context)), taken_(taken) {}

SendBatchError::~SendBatchError() = default;

Config Config::from_properties(std::string_view text) {
  return Config(client::value_or_throw(runtime::parse_properties(text)));
}

}  // namespace v0

namespace client {

Failure broker_failure(std::int16_t code, std::string subject) {
  return {make_error_code(static_cast<protocol::ErrorCode>(code)), std::move(subject)};
}

bool is_retriable(const Failure& why) noexcept {
  return v0::is_retriable(why.code);
}

bool needs_metadata_update(const Failure& why) noexcept {
  if (why.code.category() != protocol::kafka_category())
    return why.code == Errc::disconnected || why.code == Errc::timed_out;
  return protocol::means_stale_metadata(static_cast<protocol::ErrorCode>(why.code.value()));
}

void throw_error(const Failure& why) {
  throw Error(why.code, why.subject);
}

}  // namespace client
}  // namespace barnabas
