#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/protocol/headers.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {

/// One request on a connection of its own to `address` ("127.0.0.1:9092"), as no client of ours would send it; none
/// where no answer came that can be read.
template <typename Response, typename Request>
std::optional<Response> raw_call(const std::string& address, const Request& request, std::int16_t version) {
  Writer out;
  if (!protocol::encode_request_frame(out, request, version, 1, "somebody else")) return std::nullopt;
  RawSocket socket(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  if (!socket.send(out.view())) return std::nullopt;
  const auto frame = socket.receive_frame();
  if (!frame) return std::nullopt;
  Reader reader(*frame);
  if (!protocol::decode_response_header(reader, Request::kApiKey, version)) return std::nullopt;
  auto response = Response::decode(reader, version);
  if (!response) return std::nullopt;
  return std::move(*response);
}

}  // namespace barnabas::testing
