#include "client/core/connection_setup.h"

#include <algorithm>

#include "client/core/api_usage.h"
#include "common/bytes/reader.h"
#include "common/protocol/errors.h"

namespace barnabas::client {
namespace {

constexpr const char* kSoftwareName = "barnabas";
constexpr const char* kSoftwareVersion = "0.1.0";

}  // namespace

ConnectionSetup::Send ConnectionSetup::send(std::int16_t version) {
  version_ = version;
  Send action{version, {}};
  action.request.client_software_name = kSoftwareName;
  action.request.client_software_version = kSoftwareVersion;
  return action;
}

ConnectionSetup::Action ConnectionSetup::start() {
  return send(client_versions(protocol::ApiKey::api_versions).max);
}

ConnectionSetup::Action ConnectionSetup::on_response(const protocol::ApiVersionsResponse& response) {
  const auto error = static_cast<protocol::ErrorCode>(response.error_code);
  if (error == protocol::ErrorCode::unsupported_version && !fell_back_ && version_ > 0) {
    fell_back_ = true;
    std::int16_t version = 0;
    for (const auto& api : response.api_keys) {
      if (api.api_key == static_cast<std::int16_t>(protocol::ApiKey::api_versions)) {
        version = std::min<std::int16_t>(api.max_version, static_cast<std::int16_t>(version_ - 1));
      }
    }
    return send(std::max<std::int16_t>(version, 0));
  }
  if (error != protocol::ErrorCode::none) return Fail{Failure{make_error_code(error), "ApiVersions"}};
  Done done;
  for (const auto& api : response.api_keys) done.versions.set(api.api_key, {api.min_version, api.max_version});
  return done;
}

Result<protocol::ApiVersionsResponse> decode_api_versions(BytesView body, std::int16_t version) {
  Reader reader(body);
  auto decoded = protocol::ApiVersionsResponse::decode(reader, version);
  if (decoded || version == 0) return decoded;
  Reader again(body);
  return protocol::ApiVersionsResponse::decode(again, 0);
}

}  // namespace barnabas::client
