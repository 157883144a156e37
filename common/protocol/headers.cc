#include "common/protocol/headers.h"

namespace barnabas::protocol {
namespace {

bool is_flexible(ApiKey key, std::int16_t version) noexcept {
  const ApiInfo* api = find_api(key);
  return api != nullptr && version >= api->first_flexible;
}

}  // namespace

std::int16_t request_header_version(ApiKey key, std::int16_t version) noexcept {
  return is_flexible(key, version) ? 2 : 1;
}

std::int16_t response_header_version(ApiKey key, std::int16_t version) noexcept {
  return is_flexible(key, version) && key != ApiKey::api_versions ? 1 : 0;
}

Result<RequestHeader> decode_request_header(Reader& in) {
  Reader ahead = in;
  const std::int16_t key = ahead.int16();
  const std::int16_t version = ahead.int16();
  if (ahead.failed()) return failure(Errc::corrupt_data, "request header cut short");
  if (find_api(key) == nullptr) return failure(Errc::unsupported_version, "API key " + std::to_string(key));
  auto header = RequestHeader::decode(in, request_header_version(static_cast<ApiKey>(key), version));
  if (header) return header;
  return failure(header.error().code, std::string(to_string(static_cast<ApiKey>(key))) + " request of version " +
                                          std::to_string(version) + ": its header is cut short or malformed");
}

Result<void> encode_request_header(Writer& out, ApiKey key, std::int16_t version, std::int32_t correlation_id,
                                   const std::optional<std::string>& client_id) {
  RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(key);
  header.request_api_version = version;
  header.correlation_id = correlation_id;
  header.client_id = client_id;
  return header.encode(out, request_header_version(key, version));
}

Result<ResponseHeader> decode_response_header(Reader& in, ApiKey key, std::int16_t version) {
  return ResponseHeader::decode(in, response_header_version(key, version));
}

Result<void> encode_response_header(Writer& out, ApiKey key, std::int16_t version, std::int32_t correlation_id) {
  ResponseHeader header;
  header.correlation_id = correlation_id;
  return header.encode(out, response_header_version(key, version));
}

std::size_t begin_frame(Writer& out) {
  const std::size_t begin = out.size();
  out.int32(0);
  return begin;
}

void end_frame(Writer& out, std::size_t begin) noexcept {
  std::size_t external = 0;
  for (const ExternalPart& part : out.external_parts()) external += part.position >= begin ? part.length : 0;
  out.patch_int32(begin, static_cast<std::int32_t>(out.size() - begin - sizeof(std::int32_t) + external));
}

}  // namespace barnabas::protocol
