#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/protocol/api_keys.h"
#include "common/protocol/messages/request_header.h"
#include "common/protocol/messages/response_header.h"

/// What stands before a body, and whole frames: docs/formats/frame.md.
namespace barnabas::protocol {

/// 1 or 2: 2 from the API's first flexible version on.
std::int16_t request_header_version(ApiKey key, std::int16_t version) noexcept;
/// 0 or 1. ApiVersions stays at 0 for good: who asks does not know yet what the peer speaks.
std::int16_t response_header_version(ApiKey key, std::int16_t version) noexcept;

/// Reads the header and leaves the reader at the body; key and version say which header it is.
/// Errors: Errc::unsupported_version for a key that is no API's, corrupt_data for one cut short. A version that the API
/// does not have is the caller's to judge: ApiVersions answers it.
Result<RequestHeader> decode_request_header(Reader& in);
Result<void> encode_request_header(Writer& out, ApiKey key, std::int16_t version, std::int32_t correlation_id,
                                   const std::optional<std::string>& client_id);
Result<ResponseHeader> decode_response_header(Reader& in, ApiKey key, std::int16_t version);
Result<void> encode_response_header(Writer& out, ApiKey key, std::int16_t version, std::int32_t correlation_id);

/// Reserves the four bytes of a frame's size; where they are.
std::size_t begin_frame(Writer& out);
/// Fills them in: all that was written since, external parts included.
void end_frame(Writer& out, std::size_t begin) noexcept;

/// Size, header and body, appended to the writer. Where it fails, what was appended is of no use.
template <typename Request>
Result<void> encode_request_frame(Writer& out, const Request& request, std::int16_t version,
                                  std::int32_t correlation_id, const std::optional<std::string>& client_id) {
  const std::size_t begin = begin_frame(out);
  if (auto done = encode_request_header(out, Request::kApiKey, version, correlation_id, client_id); !done) return done;
  if (auto done = request.encode(out, version); !done) return done;
  end_frame(out, begin);
  return {};
}

template <typename Response>
Result<void> encode_response_frame(Writer& out, const Response& response, std::int16_t version,
                                   std::int32_t correlation_id) {
  const std::size_t begin = begin_frame(out);
  if (auto done = encode_response_header(out, Response::kApiKey, version, correlation_id); !done) return done;
  if (auto done = response.encode(out, version); !done) return done;
  end_frame(out, begin);
  return {};
}

}  // namespace barnabas::protocol
