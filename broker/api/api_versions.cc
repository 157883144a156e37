// ApiVersions: v0 keys and ranges; v1 throttle time; v3 flexible, client software, features; v4 features from version 0
// on.
#include "broker/api/api_versions.h"

#include <algorithm>
#include <utility>

#include "broker/metadata/controller_client.h"
#include "broker/server/api_table.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Letters, digits, dashes and dots; the first and the last neither dash nor dot.
bool is_software_text(const std::string& text) {
  if (text.empty() || !is_letter_or_digit(text.front()) || !is_letter_or_digit(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

ApiVersionsResponse::ApiVersion version_of(const ApiRow& row) {
  ApiVersionsResponse::ApiVersion version;
  version.api_key = static_cast<std::int16_t>(row.key);
  version.min_version = row.advertised_min_version;
  version.max_version = row.max_version;
  return version;
}

void add_features(RequestContext& context, ApiVersionsResponse& response) {
  const metadata::ImagePtr image = context.broker().controller->image();
  if (const metadata::BrokerImage* self = image->broker(context.broker().node_id)) {
    for (const auto& [name, range] : self->features) {
      if (range.min == 0 && context.api_version() < 4) continue;  // clients of version 3 took 0 for an error
      ApiVersionsResponse::SupportedFeatureKey feature;
      feature.name = name;
      feature.min_version = range.min;
      feature.max_version = range.max;
      response.supported_features.push_back(std::move(feature));
    }
  }
  for (const auto& [name, level] : image->features()) {
    if (level == 0) continue;
    ApiVersionsResponse::FinalizedFeatureKey feature;
    feature.name = name;
    feature.min_version_level = level;
    feature.max_version_level = level;
    response.finalized_features.push_back(std::move(feature));
  }
  response.finalized_features_epoch = image->offset();
}

asio::awaitable<Result<void>> serve_unknown_version(RequestContext& context, Writer& out) {
  ApiVersionsResponse response;
  response.error_code = code_of(ErrorCode::unsupported_version);
  const ApiRow* row = context.apis().find(static_cast<std::int16_t>(protocol::ApiKey::api_versions));
  response.api_keys.push_back(version_of(*row));
  co_return response.encode(out, 0);
}

}  // namespace

asio::awaitable<ApiVersionsResponse> handle_api_versions(RequestContext& context, ApiVersionsRequest request) {
  ApiVersionsResponse response;
  if (context.api_version() >= 3) {
    if (!is_software_text(request.client_software_name) || !is_software_text(request.client_software_version)) {
      response.error_code = code_of(ErrorCode::invalid_request);
      co_return response;
    }
    context.connection().client_software_name = std::move(request.client_software_name);
    context.connection().client_software_version = std::move(request.client_software_version);
  }
  for (const ApiRow& row : context.apis().rows()) {
    if (includes(row.listeners, context.listener().kind)) response.api_keys.push_back(version_of(row));
  }
  add_features(context, response);
  co_return response;
}

asio::awaitable<Result<void>> serve_api_versions(RequestContext& context, BytesView body, Writer& out) {
  const ApiRow& row = *context.apis().find(static_cast<std::int16_t>(protocol::ApiKey::api_versions));
  if (row.serves(context.api_version())) {
    return serve<ApiVersionsRequest, ApiVersionsResponse, handle_api_versions>(context, body, out);
  }
  return serve_unknown_version(context, out);
}

}  // namespace barnabas::broker
