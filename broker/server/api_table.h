#pragma once

#include <asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "broker/server/request_context.h"
#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/protocol/api_keys.h"

namespace barnabas::broker {

/// Which quota an API's time and bytes are charged to, as in Kafka.
enum class ThrottleClass { none, produce, fetch, request, controller_mutation };

/// What an answer's and a decoded request's memory is reckoned with before the request is read: a fixed part, and a
/// multiple of the frame's own bytes. Small on purpose: records stay views into the frame, or in the file.
struct MemoryEstimate {
  std::size_t fixed_bytes = 4096;
  std::size_t per_frame_byte = 1;

  std::size_t of(std::size_t frame_bytes) const noexcept { return fixed_bytes + per_frame_byte * frame_bytes; }
};

/// Decodes the body, calls the handler and encodes its answer.
using ServeFunction = asio::awaitable<Result<void>> (*)(RequestContext& context, BytesView body, Writer& out);

/// One API that this broker serves: dispatch, ApiVersions and docs/protocol.md all read this row.
struct ApiRow {
  protocol::ApiKey key{};
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
  std::int16_t advertised_min_version = 0;  ///< Below min_version only for Produce (0), which old librdkafka asks for.
  std::int16_t first_flexible_version = 0;
  ListenerKinds listeners = ListenerKinds::client;
  AclOperation operation = AclOperation::none;  ///< What a handler asks authorize() for, on the resource it names.
  ThrottleClass throttle = ThrottleClass::request;
  MemoryEstimate memory;
  ServeFunction serve = nullptr;

  bool serves(std::int16_t version) const noexcept { return version >= min_version && version <= max_version; }
};

/// The rows, by API key.
/// Threads: any; never changes once built.
class ApiTable {
 public:
  explicit ApiTable(std::vector<ApiRow> rows);

  /// nullptr when the API is not served.
  const ApiRow* find(std::int16_t key) const noexcept;
  /// Sorted by key.
  std::span<const ApiRow> rows() const noexcept { return rows_; }

 private:
  std::vector<ApiRow> rows_;
  std::vector<const ApiRow*> by_key_;
};

/// The ServeFunction of a handler: `asio::awaitable<Response> handle_x(RequestContext& context, Request request)`.
/// Errors: what the decoder found wrong with the body; the connection closes on it.
template <typename Request, typename Response, asio::awaitable<Response> (*Handler)(RequestContext&, Request)>
asio::awaitable<Result<void>> serve(RequestContext& context, BytesView body, Writer& out) {
  Reader reader(body);
  Result<Request> request = Request::decode(reader, context.api_version());
  if (!request) co_return failure(std::move(request.error()));
  const Response response = co_await Handler(context, std::move(*request));
  if constexpr (requires { response.error_code; }) {
    if (response.error_code != 0) context.note_error();
  }
  if (!context.wants_answer()) co_return Result<void>{};
  co_return response.encode(out, context.api_version());
}

/// A row with the version range that Kafka 4.3 advertises.
template <typename Request, typename Response, asio::awaitable<Response> (*Handler)(RequestContext&, Request)>
ApiRow api_row(AclOperation operation, ThrottleClass throttle, MemoryEstimate memory = {}) {
  const protocol::ApiInfo& info = *protocol::find_api(Request::kApiKey);
  return {.key = info.key,
          .min_version = info.min_version,
          .max_version = info.max_stable_version,
          .advertised_min_version = info.advertised_min,
          .first_flexible_version = info.first_flexible,
          .operation = operation,
          .throttle = throttle,
          .memory = memory,
          .serve = &serve<Request, Response, Handler>};
}

}  // namespace barnabas::broker
