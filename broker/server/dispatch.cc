#include "broker/server/dispatch.h"

#include <fmt/core.h>

#include <utility>

#include "common/bytes/reader.h"
#include "common/protocol/headers.h"

namespace barnabas::broker {
namespace {

tl::unexpected<Failure> refused(std::string reason) {
  return failure(Errc::unsupported_version, std::move(reason));
}

}  // namespace

Result<Admission> admit(const ApiTable& apis, ListenerKinds listener, BytesView frame) {
  Reader start(frame);
  const std::int16_t key = start.int16();
  const std::int16_t version = start.int16();
  if (start.failed()) return failure(Errc::corrupt_data, fmt::format("request of {} bytes", frame.size()));
  const ApiRow* row = apis.find(key);
  if (row == nullptr || !includes(row->listeners, listener)) {
    return refused(fmt::format("request with API key {}, which this listener does not serve", key));
  }
  if (!row->serves(version) && row->key != protocol::ApiKey::api_versions) {
    return refused(fmt::format("{} request of version {}; served are {} to {}", protocol::to_string(row->key), version,
                               row->min_version, row->max_version));
  }
  Reader in(frame);
  Result<protocol::RequestHeader> header = protocol::decode_request_header(in);
  if (!header) return failure(std::move(header.error()));
  return Admission{row, version, header->correlation_id, std::move(header->client_id), in.position()};
}

}  // namespace barnabas::broker
