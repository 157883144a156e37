#include "broker/coordinator/step.h"

namespace barnabas::coordinator {

using protocol::ErrorCode;

ErrorCode answer_to_failed_append(ErrorCode why) noexcept {
  switch (why) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
    case ErrorCode::request_timed_out:
      return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error:
      return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
      return ErrorCode::unknown_server_error;
    default:
      return why;
  }
}

}  // namespace barnabas::coordinator
