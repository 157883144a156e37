#pragma once

#include <span>
#include <string_view>

#include "client/core/broker_versions.h"

namespace barnabas::client {

/// One API that the client calls: docs/protocol.md is made from these rows, and every call takes its versions from
/// them.
struct ApiUsage {
  protocol::ApiKey api;
  VersionRange versions;
  std::string_view used_by;  ///< "producer", "consumer, admin", ...
};

std::span<const ApiUsage> api_usage() noexcept;
/// The versions the client can speak of an API; {0, -1} for one that it never calls.
VersionRange client_versions(protocol::ApiKey api) noexcept;

}  // namespace barnabas::client
