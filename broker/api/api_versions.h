#pragma once

#include "broker/api/handlers.h"
#include "common/bytes/writer.h"

namespace barnabas::broker {

/// Serves ApiVersions in any version: one that we do not speak is answered in version 0 with UNSUPPORTED_VERSION and
/// the versions of ApiVersions, so that a client of the future can ask again (KIP-511).
asio::awaitable<Result<void>> serve_api_versions(RequestContext& context, BytesView body, Writer& out);

}  // namespace barnabas::broker
