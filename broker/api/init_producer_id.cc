// InitProducerId: v2 flexible; v3 a producer may bring its id and epoch; v4 PRODUCER_FENCED; v5 the KIP-890 error.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/metadata/producer_id_manager.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

constexpr std::int64_t kNoProducerId = -1;
constexpr std::int16_t kNoProducerEpoch = -1;

InitProducerIdResponse refusal(RequestContext& context, ErrorCode error) {
  context.note_error();
  InitProducerIdResponse response;
  response.error_code = static_cast<std::int16_t>(error);
  response.producer_id = kNoProducerId;
  response.producer_epoch = kNoProducerEpoch;
  return response;
}

/// What is wrong with the request before any id is given out.
ErrorCode check(const InitProducerIdRequest& request) {
  if (request.transactional_id && request.transactional_id->empty()) return ErrorCode::invalid_request;
  const bool has_id = request.producer_id != kNoProducerId;
  const bool has_epoch = request.producer_epoch != kNoProducerEpoch;
  if (has_id != has_epoch) return ErrorCode::invalid_request;
  // Transactions are not served: an answer that no client retries, instead of a producer that is not transactional.
  return request.transactional_id ? ErrorCode::unsupported_version : ErrorCode::none;
}

}  // namespace

asio::awaitable<InitProducerIdResponse> handle_init_producer_id(RequestContext& context,
                                                                InitProducerIdRequest request) {
  const ErrorCode wrong = check(request);
  if (wrong != ErrorCode::none) co_return refusal(context, wrong);
  if (!context.authorize(AclOperation::idempotent_write, ResourceType::cluster, "kafka-cluster")) {
    co_return refusal(context, ErrorCode::cluster_authorization_failed);
  }
  const Result<std::int64_t> id = co_await context.broker().producer_ids->next();
  if (!id) {
    context.broker().logger.error("no producer id: {}", id.error().message());
    // As Kafka answers while it waits for a block of ids: the producer asks again.
    co_return refusal(context, ErrorCode::coordinator_load_in_progress);
  }
  InitProducerIdResponse response;
  response.producer_id = *id;
  response.producer_epoch = 0;
  co_return response;
}

}  // namespace barnabas::broker
